from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_webhooks.tools.throttle import Bucket


def test_no_rate_never_limits():
    bucket = Bucket(rate=0, burst=0)
    assert all(bucket.take(0) for _ in range(1000))
    assert bucket.wait(0) == 0


def test_rate_is_kept():
    bucket = Bucket(rate=10, burst=1, tokens=1)
    assert bucket.take(0)
    assert not bucket.take(0.05)
    assert bucket.wait(0.05) > 0
    assert bucket.take(0.1)


def test_a_clock_that_steps_back_takes_nothing():
    bucket = Bucket(rate=10, burst=5, tokens=5, updated=100)
    assert bucket.take(50)
    assert bucket.tokens == 4


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300))
def test_never_more_than_burst_plus_rate(steps):
    bucket, now, taken = Bucket(rate=20, burst=20, tokens=20), 0.0, 0
    for step in steps:
        now += step
        taken += bucket.take(now)
    assert taken <= 20 + 20 * now + 1e-6
