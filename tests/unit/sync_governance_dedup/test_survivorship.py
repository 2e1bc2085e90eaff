from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_dedup.tools.survivorship import (
    Claim,
    Contender,
    Reason,
    choose_survivor,
    choose_value,
    differing,
    quality,
)


def claim(record_id, **values):
    defaults = {
        "empty": False,
        "owner_rank": None,
        "written": None,
        "changed": 0.0,
        "filled": 1,
        "value": record_id,
    }
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
            [claim(1, owner_rank=0, written=1), claim(2, owner_rank=0, written=5)]
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


def chosen(*claims):
    choice = choose_value(claims)
    return choice.record_id, choice.reason


def test_fresh_where_it_is_known():
    better = "Müller Werke GmbH"
    assert chosen(
        claim(1, written=2, value="x"), claim(2, written=1, value=better)
    ) == (
        1,
        Reason.FRESH,
    )
    # the other record did not change since: its value is older, whenever it was written
    assert chosen(
        claim(1, written=2, value="x"), claim(2, changed=1, value=better)
    ) == (
        1,
        Reason.FRESH,
    )
    # it did change, perhaps in another field: nobody knows which value is younger
    assert chosen(
        claim(1, written=2, value="x"), claim(2, changed=3, value=better)
    ) == (
        2,
        Reason.QUALITY,
    )


def test_what_most_records_say_is_no_typing_error():
    names = ("Brinkhoff Papier", "Brinkhoff Papier", "Brinkhofff Papiere")
    claims = [claim(number, value=name) for number, name in enumerate(names, 1)]
    assert chosen(*claims) == (1, Reason.MOST)


def test_the_better_written_value():
    for worse, better in (
        ("Steinman Werkzeuge", "Steinmann Werkzeuge GmbH"),
        ("QUILLFEATHER INSTRUMENTS LTD", "Quillfeather Instruments"),
        ("Muller Soehne", "Müller Söhne"),
        ("Brinkhof Papier", "Brinkhoff Papier"),
        ("030 5551234", "+49 30 5551234"),
        ("A. Miller", "Ann Miller"),
        (("Main 1", "", "Berlin"), ("Main 1", "10115", "Berlin")),
    ):
        assert chosen(claim(1, value=worse, changed=9), claim(2, value=better)) == (
            2,
            Reason.QUALITY,
        )


def test_length_alone_does_not_win_for_ever():
    assert quality("x y " * 3000) == quality("x y " * 300)


def test_changed_before_complete():
    assert chosen(claim(1, changed=2, filled=1), claim(2, changed=1, filled=9)) == (
        1,
        Reason.CHANGED,
    )
    assert chosen(claim(1, filled=1), claim(2, filled=9)) == (2, Reason.COMPLETE)


def test_nobody_knows():
    choice = choose_value([claim(2, empty=True), claim(1, empty=True)])
    assert (choice.record_id, choice.reason) == (1, Reason.EMPTY)


CLAIMS = st.lists(
    st.builds(
        Claim,
        record_id=st.integers(1, 99),
        empty=st.booleans(),
        owner_rank=st.one_of(st.none(), st.integers(0, 3)),
        written=st.one_of(st.none(), st.floats(0, 1e9)),
        changed=st.floats(0, 1e9),
        filled=st.integers(0, 40),
        value=st.one_of(st.text(max_size=20), st.integers(), st.booleans()),
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
