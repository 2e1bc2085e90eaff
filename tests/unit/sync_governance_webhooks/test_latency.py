from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_webhooks.tools.latency import (
    BOUNDS_MS,
    SIZE,
    bucket,
    percentile,
)


def counts_of(durations):
    counts = [0] * SIZE
    for duration in durations:
        counts[bucket(duration)] += 1
    return counts


def test_nothing_measured():
    assert percentile([0] * SIZE, 0.95) == 0


def test_the_bucket_that_holds_it():
    assert percentile(counts_of([5] * 95 + [300] * 5), 0.95) == 10
    assert percentile(counts_of([5] * 94 + [300] * 6), 0.95) == 500
    assert percentile(counts_of([60_000]), 0.95) == BOUNDS_MS[-1]


@given(st.lists(st.floats(0, 15_000), min_size=1))
def test_at_least_the_share_lies_below(durations):
    bound = percentile(counts_of(durations), 0.95)
    below = sum(duration <= bound for duration in durations)
    assert below >= 0.95 * len(durations) - 1e-9
