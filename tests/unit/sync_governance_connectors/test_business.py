"""Amounts add up, or it is said where they do not."""

import pytest

from odoo.addons.sync_governance_connectors.tools.business import faults

SOUND = {
    "lines": [
        {"quantity": "3", "unit_price": "3.33", "net": "9.99"},
        {"quantity": "2", "unit_price": "10.00", "discount_percent": "25"},
    ],
    "totals": {"net": "24.99", "tax": "4.75", "total": "29.74"},
}


def test_sound():
    assert faults(SOUND) == []
    assert faults({}) == []
    assert faults({"lines": None, "totals": None}) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"totals": {"net": "25.99"}}, "/totals/net"),
        (
            {"totals": {"net": "1", "tax": "1", "total": "3"}, "lines": []},
            "/totals/total",
        ),
        ({"lines": [{"quantity": "0"}]}, "/lines/0/quantity"),
        ({"lines": [{"quantity": "-1"}]}, "/lines/0/quantity"),
        (
            {"lines": [{"quantity": "2", "unit_price": "5", "net": "11"}]},
            "/lines/0/net",
        ),
    ],
)
def test_what_does_not_add_up(change, place):
    assert place in [pointer for pointer, _text in faults({**SOUND, **change})]


def test_a_cent_for_each_line_is_no_fault():
    lines = [{"quantity": "1", "unit_price": "0.333"}] * 3
    assert faults({"lines": lines, "totals": {"net": "1.00"}}) == []
    assert faults({"lines": lines, "totals": {"net": "1.04"}}) != []


def test_what_is_no_number_is_left_to_the_contract():
    assert faults({"lines": [{"quantity": "many", "unit_price": 3}]}) == []
