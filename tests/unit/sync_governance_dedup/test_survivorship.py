from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_dedup.tools.survivorship import (
    Claim,
    Contender,
    Reason,
    choose_survivor,
    choose_value,
    differing,
)


def claim(record_id, **values):
    defaults = {"empty": False, "owner_rank": None, "written": 0.0, "filled": 1}
    return Claim(record_id, **(defaults | values))


def test_owner_wins_over_a_fresher_value():
    choice = choose_value([claim(1, owner_rank=0, written=1), claim(2, written=9)])
    assert (choice.record_id, choice.reason) == (1, Reason.OWNER)


def test_first_rank_wins_over_second():
    assert (
        choose_value(
            [claim(1, owner_rank=1, written=9), claim(2, owner_rank=0)]
        ).record_id
        == 2
    )


def test_of_two_records_of_the_owner_the_fresher_wins():
    assert (
        choose_value(
            [claim(1, owner_rank=0), claim(2, owner_rank=0, written=5)]
        ).record_id
        == 2
    )


def test_empty_value_of_the_owner_wins_only_if_it_may():
    silent = claim(1, owner_rank=0, empty=True)
    assert choose_value([silent, claim(2)]).record_id == 2
    spoken = claim(1, owner_rank=0, empty=True, empty_wins=True)
    assert choose_value([spoken, claim(2)]).record_id == 1


def test_only_value():
    choice = choose_value([claim(1, empty=True, written=9), claim(2)])
    assert (choice.record_id, choice.reason) == (2, Reason.ONLY)


def test_fresh_before_complete():
    choice = choose_value(
        [claim(1, written=2, filled=1), claim(2, written=1, filled=9)]
    )
    assert (choice.record_id, choice.reason) == (1, Reason.FRESH)
    choice = choose_value([claim(1, filled=1), claim(2, filled=9)])
    assert (choice.record_id, choice.reason) == (2, Reason.COMPLETE)


def test_nobody_knows():
    choice = choose_value([claim(2, empty=True), claim(1, empty=True)])
    assert (choice.record_id, choice.reason) == (1, Reason.EMPTY)


CLAIMS = st.lists(
    st.builds(
        Claim,
        record_id=st.integers(1, 99),
        empty=st.booleans(),
        owner_rank=st.one_of(st.none(), st.integers(0, 3)),
        written=st.floats(0, 1e9),
        filled=st.integers(0, 40),
        empty_wins=st.booleans(),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one.record_id,
)


@given(CLAIMS, st.randoms())
def test_order_does_not_matter(claims, random):
    shuffled = list(claims)
    random.shuffle(shuffled)
    assert choose_value(claims) == choose_value(shuffled)


@given(CLAIMS)
def test_an_empty_value_never_beats_a_filled_one_by_itself(claims):
    choice = choose_value(claims)
    chosen = next(one for one in claims if one.record_id == choice.record_id)
    if any(not one.empty for one in claims):
        assert not chosen.empty or (chosen.empty_wins and chosen.owner_rank is not None)


def contender(record_id, **values):
    defaults = {"pinned": False, "active": True, "links": 0, "value": 0.0, "filled": 0}
    return Contender(record_id, **(defaults | values))


def test_survivor():
    assert choose_survivor([contender(1, value=1e6), contender(2, pinned=True)]) == 2
    assert choose_survivor([contender(1), contender(2, value=5.0)]) == 2
    assert choose_survivor([contender(1, active=False, links=9), contender(2)]) == 2
    assert choose_survivor([contender(2), contender(1)]) == 1


def test_differing():
    assert not differing(["a", "a"])
    assert differing(["a", ""])
    assert differing([0, False])
