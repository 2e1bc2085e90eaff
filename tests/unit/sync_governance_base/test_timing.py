from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_base.tools.timing import Timing, batch_end, opening

NOON = datetime(2026, 11, 24, 12)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))


@pytest.mark.parametrize(
    ("kind", "policy", "asked", "expected"),
    [
        ("realtime", "both", "out", False),
        ("micro_batch", "both", "out", True),
        ("scheduled", "out", "out", True),
        ("on_demand", "in", "out", False),
        ("on_demand", "in", "in", True),
        ("scheduled", "none", "in", False),
    ],
)
def test_a_timing_binds_its_direction(kind, policy, asked, expected):
    assert Timing(kind, policy).binds(asked) is expected


@given(moments, st.integers(1, 86400))
def test_a_batch_ends_within_its_interval(now, interval):
    end = batch_end(now, interval)
    assert now < end <= now + timedelta(seconds=interval)
    assert (end - datetime(1970, 1, 1)).total_seconds() % interval == pytest.approx(
        0, abs=1e-3
    ) or (end - datetime(1970, 1, 1)).total_seconds() % interval == pytest.approx(
        interval, abs=1e-3
    )


def test_what_happens_in_one_batch_is_due_together():
    first = batch_end(NOON + timedelta(seconds=1), 300)
    assert first == NOON + timedelta(seconds=300)
    assert batch_end(NOON + timedelta(seconds=299), 300) == first
    assert batch_end(NOON + timedelta(seconds=300), 300) > first


def test_the_next_opening():
    hours = [
        (NOON - timedelta(hours=2), NOON - timedelta(hours=1)),
        (NOON + timedelta(hours=1), NOON + timedelta(hours=2)),
    ]
    assert opening(NOON, hours) == NOON + timedelta(hours=1)
    within = NOON + timedelta(minutes=90)
    assert opening(within, hours) == within
    assert opening(NOON + timedelta(hours=2), hours) is None
