from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_base.tools.hash_chain import (
    GENESIS,
    BreakKind,
    Head,
    SealedRow,
    canonical,
    content_hash,
    link_hash,
    seal,
    verify,
)


def chain(count):
    contents = [("action", f"value {number}", number, None) for number in range(count)]
    digests = [content_hash(content) for content in contents]
    return [
        SealedRow(100 + position, head.index, head.link, digest, content)
        for position, (head, digest, content) in enumerate(
            zip(seal(Head(), digests), digests, contents, strict=True)
        )
    ]


def test_an_empty_log_is_whole():
    report = verify([])
    assert report.valid and report.checked == 0 and report.head == Head(0, GENESIS)


def test_a_whole_chain():
    rows = chain(5)
    report = verify(iter(rows))
    assert (
        report.valid and report.checked == 5 and report.head == Head(5, rows[-1].link)
    )


def test_sealing_in_two_batches_is_sealing_in_one():
    digests = [content_hash([number]) for number in range(6)]
    first = seal(Head(), digests[:2])
    assert first + seal(first[-1], digests[2:]) == seal(Head(), digests)
    assert seal(Head(), []) == []


@given(st.integers(0, 9), st.integers(0, 3))
def test_any_changed_column_breaks_at_its_row(position, column):
    rows = chain(10)
    content = list(rows[position].content)
    content[column] = "forged"
    rows[position] = replace(rows[position], content=content)
    report = verify(rows)
    assert report.first_break.kind is BreakKind.CONTENT
    assert (
        report.first_break.index == position + 1
        and report.first_break.row_id == 100 + position
    )
    assert report.checked == position


@given(st.integers(0, 9))
def test_a_forger_who_fixes_the_digest_breaks_the_link(position):
    rows = chain(10)
    content = ("forged", "", 0, None)
    rows[position] = replace(
        rows[position], content=content, digest=content_hash(content)
    )
    assert verify(rows).first_break.kind is BreakKind.LINK


def test_a_forger_who_fixes_the_link_too_breaks_the_next_row():
    rows = chain(4)
    content = ("forged", "", 0, None)
    digest = content_hash(content)
    rows[1] = replace(
        rows[1], content=content, digest=digest, link=link_hash(rows[0].link, 2, digest)
    )
    report = verify(rows)
    assert (report.first_break.kind, report.first_break.index) == (BreakKind.LINK, 3)


@given(st.integers(0, 8))
def test_a_removed_row_is_a_gap(position):
    rows = chain(10)
    del rows[position]
    report = verify(rows)
    assert (report.first_break.kind, report.first_break.index) == (
        BreakKind.GAP,
        position + 1,
    )
    assert report.first_break.row_id is None


def test_swapped_and_repeated_rows_are_found():
    rows = chain(4)
    assert not verify([rows[0], rows[2], rows[1], rows[3]]).valid
    assert not verify([rows[0], rows[0]]).valid
    swapped = [rows[0], replace(rows[2], index=2), replace(rows[1], index=3), rows[3]]
    assert verify(swapped).first_break.index == 2


def test_a_cut_tail_is_seen_by_its_anchor():
    rows = chain(5)
    anchors = {3: rows[2].link, 5: rows[4].link}
    assert verify(rows, anchors).valid
    report = verify(rows[:4], anchors)
    assert (report.first_break.kind, report.first_break.index) == (BreakKind.ANCHOR, 5)
    assert report.checked == 4


def test_a_chain_written_anew_does_not_meet_its_anchor():
    old = chain(3)
    new = [replace(row) for row in old]
    digests = [content_hash([number]) for number in range(3)]
    new = [
        SealedRow(number, head.index, head.link, digest, [number])
        for number, (head, digest) in enumerate(
            zip(seal(Head(), digests), digests, strict=True)
        )
    ]
    assert verify(new).valid
    assert verify(new, {2: old[1].link}).first_break.kind is BreakKind.ANCHOR


def test_verification_continues_from_a_trusted_head():
    rows = chain(5)
    report = verify(rows[3:], start=Head(3, rows[2].link))
    assert report.valid and report.checked == 2 and report.head.index == 5
    assert verify(
        rows[3:], anchors={2: "noted long ago"}, start=Head(3, rows[2].link)
    ).valid


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_different_contents_have_different_digests(left, right):
    assert (content_hash(left) == content_hash(right)) == (left == right)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: st.dictionaries(st.text(), part),
    )
)
def test_canonical_form_does_not_depend_on_the_order_of_keys(value):
    if isinstance(value, dict):
        assert canonical(value) == canonical(dict(reversed(value.items())))
    assert canonical(value).isascii()


def test_canonical_refuses_what_is_not_json():
    with pytest.raises(ValueError):
        canonical(float("nan"))
    with pytest.raises(TypeError):
        canonical(object())
