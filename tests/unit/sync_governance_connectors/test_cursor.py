import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools import cursor
from odoo.addons.sync_governance_connectors.tools.problem import Problem


@given(st.datetimes(), st.integers(0, 2**63 - 1))
def test_position_round_trips(when, record_id):
    text = cursor.encode_position(when, record_id)
    assert cursor.decode_position(text) == (when, record_id)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_pair_round_trips(first, second):
    assert cursor.decode_pair(cursor.encode_pair(first, second)) == (first, second)


@pytest.mark.parametrize(
    "text",
    ["x", "ü", "W10", "' OR 1=1 --", "A" * 300, "WzEsMl0", "bnVsbA", "WyJ4IiwxXQ"],
)
def test_made_up_cursors_are_400(text):
    with pytest.raises(Problem) as caught:
        cursor.decode_position(text)
    assert caught.value.status == 400


@given(st.text(max_size=300))
def test_no_text_crashes_the_decoder(text):
    for decode in (cursor.decode_position, cursor.decode_pair):
        try:
            decode(text)
        except Problem as problem:
            assert problem.status == 400
