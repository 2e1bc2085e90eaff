"""How many calls a plan allows: a generic cell rate algorithm plus a daily quota.

GCRA keeps one number a caller: the *theoretical arrival time* (``tat``) of the next
call if calls came evenly. It gives rate and burst together, without windows whose
edges let twice the rate through, and one row a caller is all the storage it needs.
Times are unix seconds.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from math import ceil, floor

DAY = 86_400


@dataclass(frozen=True)
class Limit:
    """``per_minute`` calls evenly, ``burst`` at once, ``per_day`` in a UTC day.

    Zero means unlimited, for each of them.
    """

    per_minute: int = 0
    burst: int = 1
    per_day: int = 0

    @property
    def interval(self) -> float:
        """Seconds between two calls at the even rate."""
        return 60.0 / self.per_minute


@dataclass(frozen=True)
class Meter:
    """What is remembered about a caller."""

    tat: float = 0.0
    day: str = ""
    day_count: int = 0


@dataclass(frozen=True)
class Verdict:
    """Whether the call may pass, what to remember, what to tell the caller."""

    allowed: bool
    meter: Meter
    remaining: int | None  # calls left at once; None without a rate
    reset: int  # seconds until the full burst is back
    retry_after: int  # seconds until the next call can pass; 0 when allowed
    violated: str | None = None  # "rate" or "daily"


def utc_day(now: float) -> str:
    return datetime.fromtimestamp(now, timezone.utc).date().isoformat()


def take(limit: Limit, meter: Meter, now: float, cost: int = 1) -> Verdict:
    """Try to spend ``cost`` calls at ``now``; a refused call spends nothing."""
    meter = _same_day(meter, now)
    if limit.per_day and meter.day_count + cost > limit.per_day:
        wait = DAY - int(now % DAY)
        return Verdict(False, meter, 0, wait, wait, "daily")
    spent = replace(meter, day_count=meter.day_count + cost)
    if not limit.per_minute:
        return Verdict(True, spent, None, 0, 0)
    return _take_rate(limit, meter, spent, now, cost)


def _take_rate(limit: Limit, meter: Meter, spent: Meter, now: float, cost: int):
    depth = limit.interval * max(limit.burst, 1)
    start = max(meter.tat, now)
    tat = start + limit.interval * cost
    # A cost above the burst passes on an empty meter: it could never pass otherwise.
    if start > now and tat - now > depth + 1e-9:
        wait = max(1, ceil(min(tat - depth, start) - now))
        return Verdict(False, meter, 0, ceil(start - now), wait, "rate")
    left = floor((depth - (tat - now)) / limit.interval + 1e-9)
    return Verdict(True, replace(spent, tat=tat), max(left, 0), ceil(tat - now), 0)


def _same_day(meter: Meter, now: float) -> Meter:
    day = utc_day(now)
    return meter if meter.day == day else replace(meter, day=day, day_count=0)
