import pytest

from odoo.addons.sync_governance_webhooks.tools.matching import (
    FilterError,
    matches,
    parse_filter,
    parse_patterns,
    passes,
)


@pytest.mark.parametrize(
    ("name", "patterns", "expected"),
    [
        ("order.confirmed", "order.confirmed", True),
        ("order.confirmed", "order.*", True),
        ("order.confirmed", "*", True),
        ("order.confirmed", "*.confirmed", True),
        ("order.line.changed", "order.*", True),
        ("order.line.changed", "*.line", False),
        ("order", "order.*", False),
        ("orders.confirmed", "order.*", False),
        ("order.confirmed", "customer.*, order.created", False),
        ("order.confirmed", "customer.*\norder.*", True),
        ("order.confirmed", "", False),
    ],
)
def test_patterns(name, patterns, expected):
    assert matches(name, parse_patterns(patterns)) is expected


@pytest.mark.parametrize("text", ["order.", ".x", "or-der", "order.**", "a..b", "ord*"])
def test_bad_patterns(text):
    with pytest.raises(ValueError, match="."):
        parse_patterns(text)


BODY = {"amount": 10, "customer": {"country": "FR", "vip": None}, "tags": ["a"]}


@pytest.mark.parametrize(
    ("filter_text", "expected"),
    [
        ("", True),
        ("[]", True),
        ('[["customer.country","=","FR"]]', True),
        ('[["customer.country","in",["DE","FR"]]]', True),
        ('[["customer.country","not in",["DE"]]]', True),
        ('[["amount",">=",10],["amount","<",11]]', True),
        ('[["amount",">",10]]', False),
        ('[["customer.vip",">",1]]', False),
        ('[["customer.vip","exists",true]]', True),
        ('[["customer.phone","exists",true]]', False),
        ('[["customer.phone","exists",false]]', True),
        ('[["nothing.at.all","=",1]]', False),
        ('[["nothing.at.all","!=",1]]', True),
        ('[["customer.country","like","F"]]', True),
    ],
)
def test_filters(filter_text, expected):
    assert passes(BODY, parse_filter(filter_text)) is expected


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[1]",
        '[["a","=="]]',
        '[["a","~",1]]',
        '[["a","in",1]]',
        '[[1,"=",1]]',
    ],
)
def test_bad_filters(text):
    with pytest.raises(FilterError):
        parse_filter(text)
