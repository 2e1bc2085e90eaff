"""How keys in the ownership matrix change a ranking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_base.tools.ranking import toggle_next, toggle_owner

RANKINGS = st.lists(st.integers(1, 6), unique=True).map(tuple)


@pytest.mark.parametrize(
    ("before", "system", "after"),
    [
        ((), 1, (1,)),
        ((1, 2), 3, (3, 2)),
        ((1, 2), 2, (2,)),
        ((1, 2), 1, (2,)),
        ((1,), 1, ()),
    ],
)
def test_owner(before, system, after):
    assert toggle_owner(before, system) == after


@pytest.mark.parametrize(
    ("before", "system", "after"),
    [
        ((), 1, (1,)),
        ((1,), 2, (1, 2)),
        ((1, 2, 3), 2, (1, 3)),
        ((1, 2, 3), 1, (2, 1, 3)),
        ((1,), 1, (1,)),
    ],
)
def test_next(before, system, after):
    assert toggle_next(before, system) == after


@given(RANKINGS, st.integers(1, 6))
def test_a_system_is_named_once(ranking, system):
    for toggle in (toggle_owner, toggle_next):
        changed = toggle(ranking, system)
        assert len(set(changed)) == len(changed)


@given(RANKINGS, st.integers(1, 6))
def test_ranking_next_is_taken_back_by_doing_it_again(ranking, system):
    if system not in ranking:
        assert toggle_next(toggle_next(ranking, system), system) == ranking or (
            not ranking
        )
