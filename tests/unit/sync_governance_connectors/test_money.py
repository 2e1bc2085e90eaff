"""Amounts: exact, rounded half up, never a float on the wire."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools import money


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.5, 2, "1234.50"),
        (1.005, 2, "1.01"),
        (-0.001, 2, "0.00"),
        (0.1 + 0.2, 2, "0.30"),
        (1500, 0, "1500"),
        (1e-7, 2, "0.00"),
        (1e15, 2, "1000000000000000.00"),
    ],
)
def test_to_text(value, digits, text):
    assert money.to_text(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.0, "2"), (0.25, "0.25"), (100, "100"), (0.0, "0"), (10.10, "10.1")],
)
def test_plain_text_has_no_superfluous_zeros(value, text):
    assert money.to_plain_text(value) == text


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1,5", "0x10"])
def test_from_text_refuses(text):
    with pytest.raises(ValueError):
        money.from_text(text)


@given(st.decimals(min_value="-9999999999", max_value="9999999999", places=2))
def test_two_digits_survive_the_float(number):
    assert money.from_text(money.to_text(float(number), 2)) == number


def test_compare_totals_judges_only_what_is_declared():
    computed = {"net": "100.00", "tax": "19.00", "total": "119.00"}
    tolerance = Decimal("0.01")
    assert money.compare_totals({"total": "119.01"}, computed, tolerance) == ()
    (mismatch,) = money.compare_totals(
        {"net": "100", "total": "119.02"}, computed, tolerance
    )
    assert mismatch == money.Mismatch("total", "119.02", "119.00")
