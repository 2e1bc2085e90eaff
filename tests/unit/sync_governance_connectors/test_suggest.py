"""Suggestions: the same ones each time, with reasons, never of the wrong form."""

import pytest

from odoo.addons.sync_governance_connectors.tools import suggest
from odoo.addons.sync_governance_connectors.tools.canonical import Kind, Member

MESSAGE = {
    "id": 450789469,
    "created_at": "2008-01-10T11:00:00-05:00",
    "currency": "USD",
    "customer": {"id": 207119551, "email": "bob@mail.example"},
    "test": True,
    "line_items": [
        {"id": 1, "sku": "GREEN", "qty": 1, "unitPrice": "199.00", "unit": "EA"},
        {"id": 2, "sku": "RED", "qty": 2, "unitPrice": "9.00", "unit": "PK"},
    ],
    "tax_lines": [{"rate": 0.1, "title": "VAT"}],
}
MEMBERS = [
    Member("external_id", Kind.IDENTIFIER, required=True),
    Member("number", readonly=True),
    Member("customer", Kind.REFERENCE, required=True),
    Member("currency", Kind.CURRENCY, required=True),
    Member("ordered_at", Kind.MOMENT),
    Member(
        "lines",
        Kind.LIST,
        items=(
            Member("product", Kind.REFERENCE),
            Member("quantity", Kind.QUANTITY),
            Member("unit_price", Kind.AMOUNT),
            Member("uom", Kind.LABEL),
        ),
    ),
]


def suggested(**used):
    return {
        one.target: (one.expression, one.transform)
        for one in suggest.suggest(
            suggest.wanted(MEMBERS), suggest.places(MESSAGE), used
        )
    }


def test_an_order():
    assert suggested() == {
        "customer.external_id": ("customer.id", "text"),
        "currency": ("currency", "upper"),
        "ordered_at": ("created_at", "moment"),
        "lines[]": ("line_items", ""),
        "lines[].product.external_id": ("sku", ""),
        "lines[].quantity": ("qty", "decimal"),
        "lines[].unit_price": ("unitPrice", "decimal"),
        "lines[].uom": ("unit", ""),
    }
    assert suggested() == suggested()


def test_what_is_filled_is_left_alone():
    found = suggested(**{"currency": "currency", "lines[]": "tax_lines"})
    assert "currency" not in found
    assert "lines[]" not in found
    assert "lines[].quantity" not in found, "the list that is read has none"


def test_values_and_history_lift_a_strange_name():
    place = suggest.Place("xq", values=("blue",))
    member = suggest.Wanted("colour", Kind.CHOICE)
    known = suggest.Wanted("colour", Kind.CHOICE, frozenset({"blue", "red"}))
    assert suggest.suggest([member], [place], {}) == []
    assert suggest.suggest([known], [place], {})[0].evidence == (
        ("name", "0%"),
        ("form", "choice"),
        ("overlap", "100%"),
    )
    assert suggest.suggest([member], [place], {}, lambda *_rule: 3)[0].evidence[-1] == (
        "history",
        "3",
    )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.QUANTITY, "many"),
        (Kind.QUANTITY, True),
        (Kind.MOMENT, "yesterday"),
        (Kind.BOOLEAN, "perhaps"),
        (Kind.CURRENCY, 978),
        (Kind.TEXT, False),
    ],
)
def test_wrong_form_is_never_suggested(kind, value):
    member = suggest.Wanted("total", kind)
    place = suggest.Place("total", values=(value,))
    assert suggest.suggest([member], [place], {}) == []


def test_names_that_are_no_identifiers_are_quoted():
    assert suggest.places({"line-items": [{"a b": 1}]})[1] == suggest.Place(
        '"a b"', ('"line-items"',), (1,)
    )
    assert suggest.places("text") == []
