"""Latency histogram in fixed buckets: hours and nodes add up."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

# Upper bounds in milliseconds; the last bucket is open.
BOUNDS_MS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15000)
SIZE = len(BOUNDS_MS) + 1


def bucket(duration_ms: float) -> int:
    """Index of the bucket a duration falls into."""
    return bisect_left(BOUNDS_MS, duration_ms)


def percentile(counts: Sequence[int], share: float) -> float:
    """Upper bound in ms of the bucket that holds the percentile; 0 without any count.

    The open bucket answers with its lower bound.
    """
    wanted = share * sum(counts)
    if not wanted:
        return 0.0
    # The first bucket at which the running total reaches what is wanted.
    index = bisect_left(list(accumulate(counts)), wanted)
    return float(BOUNDS_MS[min(index, len(BOUNDS_MS) - 1)])
