from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools.waterfall import bars


def test_each_bar_begins_where_the_one_before_ends():
    found = bars([{"step": "credential", "ms": 1}, {"step": "apply", "ms": 3}])
    assert [(one.step, one.start, one.width) for one in found] == [
        ("credential", 0, 25),
        ("apply", 25, 75),
    ]


def test_nothing_took_any_time():
    assert [one.width for one in bars([{"step": "scope", "ms": 0.0}])] == [0]
    assert bars([]) == []


@given(st.lists(st.floats(0, 1e6)))
def test_bars_fill_the_width_and_no_more(times):
    found = bars([{"step": "s", "ms": ms} for ms in times])
    assert all(0 <= one.start <= 100.01 for one in found)
    assert all(one.start + one.width <= 100.02 for one in found)
