from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools.ratelimit import Limit, Meter, take

NOON = 1_700_000_000.0


def test_burst_then_even_rate():
    limit, meter = Limit(per_minute=60, burst=5), Meter()
    for left in (4, 3, 2, 1, 0):
        verdict = take(limit, meter, NOON)
        assert verdict.allowed and verdict.remaining == left
        meter = verdict.meter
    refused = take(limit, meter, NOON)
    assert not refused.allowed and refused.violated == "rate"
    assert refused.retry_after == 1
    assert take(limit, meter, NOON + refused.retry_after).allowed


def test_daily_quota_ends_at_midnight_utc():
    limit = Limit(per_day=2)
    meter = take(limit, take(limit, Meter(), NOON).meter, NOON).meter
    refused = take(limit, meter, NOON)
    assert refused.violated == "daily"
    assert take(limit, meter, NOON + refused.retry_after).allowed


def test_zero_is_unlimited():
    meter = Meter()
    for _call in range(1000):
        verdict = take(Limit(), meter, NOON)
        assert verdict.allowed and verdict.remaining is None
        meter = verdict.meter


def test_a_cost_above_the_burst_passes_on_an_empty_meter_only():
    limit = Limit(per_minute=60, burst=10)
    verdict = take(limit, Meter(), NOON, cost=100)
    assert verdict.allowed
    assert not take(limit, verdict.meter, NOON + 50).allowed
    assert take(limit, verdict.meter, NOON + 100).allowed


@given(
    st.integers(1, 600),
    st.integers(1, 50),
    st.lists(st.floats(0, 5), min_size=1, max_size=300),
)
def test_never_more_than_burst_plus_rate_in_any_run(per_minute, burst, gaps):
    limit, meter, now, passed = Limit(per_minute, burst), Meter(), NOON, 0
    for gap in gaps:
        now += gap
        verdict = take(limit, meter, now)
        meter = verdict.meter
        passed += verdict.allowed
        if not verdict.allowed:
            assert verdict.retry_after >= 1
            assert take(limit, meter, now + verdict.retry_after).allowed
    assert passed <= burst + (now - NOON) * per_minute / 60 + 1
