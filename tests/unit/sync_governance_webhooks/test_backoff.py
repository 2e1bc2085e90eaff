from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_webhooks.tools.backoff import (
    DEFAULT_SCHEDULE,
    RETRY_AFTER_CAP_S,
    Schedule,
    ScheduleError,
    parse_retry_after,
)

NOW = datetime(2026, 11, 24, 5, 30, tzinfo=timezone.utc)


def middle(_low, _high):
    return 1.0


def test_default_schedule_is_svix():
    delays = [Schedule.parse(DEFAULT_SCHEDULE).next_delay(n, middle) for n in range(9)]
    assert delays == [0, 5, 300, 1800, 7200, 18000, 36000, 36000, None]


def test_throttled_waits_a_minute_but_never_longer_than_its_own_schedule():
    assert Schedule.parse(DEFAULT_SCHEDULE).next_delay(1, middle, throttled=True) == 60
    assert Schedule.parse("0,1,2").next_delay(1, middle, throttled=True) == 2


def test_retry_after_is_waited_out_jitter_or_not():
    schedule = Schedule.parse("0,10")
    assert schedule.next_delay(1, lambda low, _high: low, retry_after=300) == 300
    assert schedule.next_delay(1, middle, retry_after=1) == 10
    assert schedule.next_delay(1, middle, retry_after=10**9) == RETRY_AFTER_CAP_S


def test_retry_after_never_adds_an_attempt():
    assert Schedule.parse("0").next_delay(1, middle, retry_after=5) is None


@given(st.integers(0, 7), st.floats(0.8, 1.2))
def test_jitter_stays_within_a_fifth(attempts, factor):
    schedule = Schedule.parse(DEFAULT_SCHEDULE)
    base = schedule.delays[attempts]
    delay = schedule.next_delay(attempts, lambda _low, _high: factor)
    assert base * 0.8 - 1e-6 <= delay <= base * 1.2 + 1e-6


@pytest.mark.parametrize("text", ["", "a", "0,,1", "-1", "inf", "nan"])
def test_unreadable_schedules(text):
    with pytest.raises(ScheduleError):
        Schedule.parse(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 24 Nov 2026 05:32:00 GMT", 120),
        ("Tue, 24 Nov 2026 05:00:00 GMT", 0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("²", None),
        ("Tue, 99 Nov 2026 05:00:00 GMT", None),
    ],
)
def test_retry_after(value, expected):
    assert parse_retry_after(value, NOW) == expected
