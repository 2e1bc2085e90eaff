"""Mapping: a closed set of transforms, lists, limits, a trace that tells everything."""

import pytest

from odoo.addons.sync_governance_connectors.tools import transform
from odoo.addons.sync_governance_connectors.tools.transform import (
    Lookups,
    Rule,
    Unmapped,
)

# An order as Shopify's documentation shows it, shortened.
SHOPIFY = {
    "id": 450789469,
    "created_at": "2008-01-10T11:00:00-05:00",
    "currency": "USD",
    "current_total_price": "409.94",
    "customer": {"id": 207119551, "email": "bob.norman@mail.example"},
    "line_items": [
        {"id": 466157049, "sku": "IPOD2008GREEN", "quantity": 1, "price": "199.00"},
        {"id": 518995019, "sku": "IPOD2008RED", "quantity": 1, "price": "199.00"},
    ],
}
RULES = [
    Rule("customer.external_id", "customer.id", "text"),
    Rule("ordered_at", "created_at", "moment"),
    Rule("currency", "currency"),
    Rule("lines[]", "line_items", required=True),
    Rule("lines[].line_id", "id", "text"),
    Rule("lines[].product.external_id", "sku", required=True),
    Rule("lines[].quantity", "quantity", "decimal"),
    Rule("lines[].unit_price", "price", "decimal"),
    Rule("totals.total", "current_total_price"),
]


def lookup(kind, value):
    if (kind, value) == ("uom", "EA"):
        return "Units"
    raise Unmapped(kind, value)


def find(argument, value):
    if (argument, value) == ("product:barcode", "4006381333931"):
        return "SKU-1"
    raise ValueError(f"nothing with {value}")


LOOKUPS = Lookups(lookup, find)


def mapped_by(rules, message):
    return transform.apply(transform.plan(rules), message, LOOKUPS)


def one(value, name, argument="", **rule):
    mapped = mapped_by([Rule("x", "v", name, argument, **rule)], {"v": value})
    return mapped.body.get("x"), [code for _pointer, _text, code in mapped.faults]


def test_shopify_order():
    mapped = mapped_by(RULES, SHOPIFY)
    assert not mapped.faults
    assert mapped.body == {
        "customer": {"external_id": "207119551"},
        "ordered_at": "2008-01-10T16:00:00Z",
        "currency": "USD",
        "lines": [
            {
                "line_id": "466157049",
                "product": {"external_id": "IPOD2008GREEN"},
                "quantity": "1",
                "unit_price": "199",
            },
            {
                "line_id": "518995019",
                "product": {"external_id": "IPOD2008RED"},
                "quantity": "1",
                "unit_price": "199",
            },
        ],
        "totals": {"total": "409.94"},
    }
    assert [step.target for step in mapped.trace][4] == "/lines/0/line_id"


@pytest.mark.parametrize(
    ("value", "name", "argument", "result"),
    [
        ("  a   b ", "trim", "", "a b"),
        ("ab", "upper", "", "AB"),
        ("AB", "lower", "", "ab"),
        (7, "text", "", "7"),
        ("20457 Hamburg", "split", " |1", "Hamburg"),
        ("a", "split", ",|3", None),
        (["a", None, "b"], "join", ", ", "a, b"),
        ("1.234,50", "decimal", ",", "1234.5"),
        ("1,234.50", "decimal", "", "1234.5"),
        (0.1, "decimal", "", "0.1"),
        (1999, "minor_units", "", "19.99"),
        (1999, "minor_units", "0", "1999"),
        ("31.01.2026", "day", "%d.%m.%Y", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "day", "", "2026-01-31"),
        (0, "moment", "", "1970-01-01T00:00:00Z"),
        ("20260131 0815", "moment", "%Y%m%d %H%M", "2026-01-31T08:15:00Z"),
        ("ja", "boolean", "ja,j", True),
        ("no", "boolean", "", False),
        ("EA", "value_map", "uom", "Units"),
        (4006381333931, "lookup", "product:barcode", "SKU-1"),
        ("paid", "when", "paid=confirm; open=draft", "confirm"),
        (True, "when", "true=yes;*=no", "yes"),
        ("else", "when", "paid=confirm;*=draft", "draft"),
        ("else", "when", "paid=confirm;*=", None),
        ("1,250", "factor", "0.001", "1.25"),
        (3, "factor", "12", "36"),
    ],
)
def test_transforms(value, name, argument, result):
    assert one(value, name, argument) == (result, [])


def test_every_transform_is_tested():
    tested = {mark[1] for mark in test_transforms.pytestmark[0].args[1]}
    assert tested == set(transform.TRANSFORMS)


@pytest.mark.parametrize(
    ("value", "name", "argument", "code"),
    [
        ("abc", "decimal", "", "mapping_failed"),
        ("2026-13-01", "day", "", "mapping_failed"),
        ("PK6", "value_map", "uom", "unmapped_value"),
        ("x", "join", ",", "mapping_failed"),
        ("0", "lookup", "product:barcode", "mapping_failed"),
        ("void", "when", "paid=confirm", "mapping_failed"),
        ("x", "factor", "2", "mapping_failed"),
        (10**30, "moment", "", "mapping_failed"),
    ],
)
def test_faults(value, name, argument, code):
    assert one(value, name, argument) == (None, [code])


def test_required_and_default():
    assert one(None, "", required=True) == (None, ["required"])
    assert one(None, "", required=True, default='"EUR"') == ("EUR", [])


def test_unmapped_values_are_collected():
    rules = [Rule("lines[]", "l"), Rule("lines[].uom", "u", "value_map", "uom")]
    mapped = mapped_by(rules, {"l": [{"u": "EA"}, {"u": "PK6"}]})
    assert mapped.unmapped == (("uom", "PK6"),)
    assert mapped.faults[0][0] == "/lines/1/uom"


@pytest.mark.parametrize("expression", ["a[", "a" * 501, "||".join("a" * 100)])
def test_expressions_have_limits(expression):
    with pytest.raises(ValueError):
        transform.compiled(expression)


def test_too_many_items():
    mapped = mapped_by([Rule("l[]", "l")], {"l": [1] * 501})
    assert mapped.faults[0][2] == "too_many"


@pytest.mark.parametrize("argument", ["", "paid", "a=1;a=2", "a=1;"])
def test_conditions_that_are_none(argument):
    with pytest.raises(ValueError):
        transform.conditions(argument)


def test_lists_within_lists():
    rules = [
        Rule("l[].m[].x", "x"),
        Rule("l[]", "l"),
        Rule("l[].m[]", "m"),
        Rule("l[].y", "y", default="1"),
    ]
    mapped = mapped_by(rules, {"l": [{"m": [{"x": 1}, {"x": 2}]}, {"y": 7}]})
    assert mapped.body == {
        "l": [{"m": [{"x": 1}, {"x": 2}], "y": 1}, {"m": [], "y": 7}]
    }


def test_a_plan_parses_each_expression_once(monkeypatch):
    nodes = transform.plan(RULES)
    monkeypatch.setattr(transform, "compiled", None)
    assert transform.apply(nodes, SHOPIFY, LOOKUPS).body["currency"] == "USD"


@pytest.mark.parametrize(
    "expression",
    [
        "|".join(["[@,@]"] * 20),
        "|".join(["{a:@,b:@}"] * 14) + "|to_string(@)",
        "!" * 499 + "a",
    ],
)
def test_an_expression_that_would_fill_the_memory_is_refused(expression):
    with pytest.raises(ValueError):
        transform.compiled(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "lines[].{sku: sku, quantity: qty, price: prices[0].amount}",
        "[first, middle, last] | join(' ', @)",
        "a.b.c || d.e || 'x'",
        "sort_by(items[?qty > `0`], &position)[*].{a: a, b: b, c: c, d: [e, f, g]}",
    ],
)
def test_what_a_mapping_needs_is_no_repetition(expression):
    assert transform.compiled(expression)
