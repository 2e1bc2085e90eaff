"""What differs between a partner's data and ours, and what only looks different."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools.canonical import Kind, Member
from odoo.addons.sync_governance_connectors.tools.reconcile import (
    TOLERANCES,
    Comparison,
    Difference,
    comparable,
    differences,
    usual_tolerance,
    value_at,
)


def differ(theirs, ours, tolerance="exact", margin="0"):
    comparison = Comparison("a.b", tolerance, Decimal(margin))
    return list(differences([comparison], {"a": {"b": theirs}}, {"a": {"b": ours}}))


@pytest.mark.parametrize(
    ("tolerance", "theirs", "ours", "margin"),
    [
        ("exact", "x", "x", "0"),
        ("exact", "", None, "0"),
        ("numeric", "10", "10.00", "0"),
        ("numeric", 10, "10.00", "0"),
        ("numeric", "10.004", "10.00", "0.005"),
        ("text", "NORDWIND  Handel\u00a0GmbH.", "Nordwind Handel GmbH", "0"),
        ("text", "ＡＢＣ", "abc", "0"),
        ("days", "2026-01-31", "2026-02-01", "1"),
        ("days", "2026-01-31T23:30:00Z", "2026-02-01T00:30:00+01:00", "0"),
        ("days", "2026-01-31T08:00:00Z", "2026-01-31T20:00:00Z", "0.5"),
    ],
)
def test_these_agree(tolerance, theirs, ours, margin):
    assert not differ(theirs, ours, tolerance, margin)


@pytest.mark.parametrize(
    ("tolerance", "theirs", "ours", "margin"),
    [
        ("exact", "x", "X", "0"),
        ("exact", False, None, "0"),
        ("exact", 0, None, "0"),
        ("numeric", "10.006", "10.00", "0.005"),
        ("numeric", "ten", "10", "1"),
        ("numeric", "NaN", "10", "1"),
        ("numeric", "0", None, "1"),
        ("text", "Nordwind", "Südwind", "0"),
        ("days", "2026-01-31", "2026-02-02", "1"),
        ("days", "soon", "2026-02-02", "1"),
    ],
)
def test_these_differ(tolerance, theirs, ours, margin):
    assert differ(theirs, ours, tolerance, margin) == [Difference("a.b", theirs, ours)]


def test_what_is_not_sent_is_not_compared():
    assert not list(differences([Comparison("a.b")], {"a": {}}, {"a": {"b": 1}}))
    assert not list(differences([Comparison("a.b")], {}, {"a": {"b": 1}}))


def test_below_null_everything_is_null():
    assert value_at({"a": None}, "a.b", "default") is None
    found = list(differences([Comparison("a.b")], {"a": None}, {"a": {"b": "x"}}))
    assert found == [Difference("a.b", None, "x")]


values = st.none() | st.text() | st.integers() | st.booleans() | st.floats()


@given(values, values, st.sampled_from(sorted(TOLERANCES)))
def test_any_two_values_can_be_compared_in_either_order(one, two, tolerance):
    assert bool(differ(one, two, tolerance)) == bool(differ(two, one, tolerance))


@given(st.text() | st.integers(), st.sampled_from(sorted(TOLERANCES)))
def test_a_value_agrees_with_itself(value, tolerance):
    assert not differ(value, value, tolerance)


def test_members_bring_what_fits_them():
    assert usual_tolerance(Member("price", Kind.AMOUNT)) == "numeric"
    assert usual_tolerance(Member("name")) == "exact"
    assert comparable(Member("name"))
    assert not comparable(Member("lines", Kind.LIST))
    assert not comparable(Member("external_id", Kind.IDENTIFIER))
