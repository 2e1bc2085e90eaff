# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_base.tools.merge3 import (
    UNRESOLVED,
    Candidate,
    FieldKind,
    Merge,
    equal,
    merge,
    resolve,
)

CHAR, HTML, FLOAT = FieldKind("char"), FieldKind("html"), FieldKind("float", 2)
TIME, DAY = FieldKind("datetime"), FieldKind("date")
MANY, ONE = FieldKind("many2many"), FieldKind("many2one")


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (CHAR, "", False),
        (CHAR, None, False),
        (CHAR, "a\r\nb", "a\nb"),
        (CHAR, "e\u0301", "é"),
        (CHAR, " a ", "a"),
        (FLOAT, 10, 9.999),
        (FLOAT, 0.1 + 0.2, 0.3),
        (FLOAT, False, 0.0),
        (FLOAT, "10.00", 10),
        (FieldKind("integer"), False, 0),
        (TIME, "2026-03-29 12:00:00", "2026-03-29T14:00:00+02:00"),
        (TIME, "2026-03-29T12:00:00Z", datetime(2026, 3, 29, 12, 0, 0, 999)),
        (DAY, "2026-03-29", date(2026, 3, 29)),
        (DAY, "2026-03-29 10:00:00", date(2026, 3, 29)),
        (HTML, "<p>a  b</p>", "<p>a b</p>\n"),
        (HTML, "<p><br></p>", False),
        (HTML, '<p data-oe-x="1">a</p>', "<p>a</p>"),
        (HTML, "<p>a&nbsp;b</p>", "<p>a b</p>"),
        (HTML, "<br/>a", "<br>a"),
        (MANY, [2, 1], [1, 2]),
        (MANY, [], False),
        (ONE, False, None),
        (FieldKind("json"), {"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (FieldKind("boolean"), None, False),
    ],
)
def test_same_facts_written_differently(kind, left, right):
    assert equal(kind, left, right)
    assert equal(kind, right, left)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (CHAR, "a", "A"),
        (CHAR, "0", False),
        (FLOAT, 10.01, 10.02),
        (TIME, "2026-03-29 12:00:00", "2026-03-29 12:00:01"),
        (HTML, "<p>a</p>", "<p>b</p>"),
        (HTML, "<p>a</p>", "<b>a</b>"),
        (HTML, "<img src='x'>", False),
        (MANY, [1], [1, 2]),
        (ONE, 1, 2),
        (TIME, "not a time", "2026-03-29 12:00:00"),
        (FLOAT, "not a number", 1.0),
    ],
)
def test_different_facts(kind, left, right):
    assert not equal(kind, left, right)


@pytest.mark.parametrize(
    ("base", "current", "incoming", "known", "found"),
    [
        ("a", "b", "b", True, Merge.SAME),
        ("a", "a", "b", True, Merge.INCOMING),
        ("a", "b", "a", True, Merge.CURRENT),
        ("a", "b", "c", True, Merge.CONFLICT),
        (None, "b", "c", False, Merge.INCOMING),
        ("", "a", "b", True, Merge.CONFLICT),
    ],
)
def test_three_ways(base, current, incoming, known, found):
    assert merge(CHAR, base, current, incoming, known=known) is found


@given(st.text(), st.text(), st.text())
def test_merge_is_symmetric_but_for_sides(base, current, incoming):
    mirrored = {Merge.CURRENT: Merge.INCOMING, Merge.INCOMING: Merge.CURRENT}
    one = merge(CHAR, base, current, incoming)
    other = merge(CHAR, base, incoming, current)
    assert other is mirrored.get(one, one)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_rounding_within_the_digits_is_no_difference(value):
    assert equal(FLOAT, value, float(f"{value:.6f}") if abs(value) > 1 else value)


def _candidates(*values):
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return [
        Candidate(value, rank, start + timedelta(rank))
        for rank, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("kind", "resolver", "values", "chosen"),
    [
        (CHAR, "rank", ("a", "b"), "a"),
        (CHAR, "newest", ("a", "b"), "b"),
        (FLOAT, "max", (1.0, 2.0), 2.0),
        (FLOAT, "min", (1.0, 2.0), 1.0),
        (MANY, "union", ([1], [2]), [1, 2]),
        (CHAR, "rank", (False, "b"), "b"),
        (CHAR, "manual", ("a", "b"), UNRESOLVED),
        (CHAR, "max", ("a", "b"), UNRESOLVED),
        (CHAR, "union", ("a", "b"), UNRESOLVED),
        (CHAR, "manual", ("a", " a"), "a"),
    ],
)
def test_resolvers(kind, resolver, values, chosen):
    assert resolve(kind, resolver, _candidates(*values)) == chosen


def test_empty_wins_only_when_told():
    assert resolve(CHAR, "rank", _candidates(False, "b"), empty_wins=True) is False


def test_equal_ranks_are_for_a_person():
    tie = [Candidate("a", 5), Candidate("b", 5)]
    assert resolve(CHAR, "rank", tie) is UNRESOLVED
