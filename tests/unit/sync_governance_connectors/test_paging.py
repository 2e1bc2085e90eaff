"""A partner's pages: each style, and paging that repeats, skips or leads elsewhere."""

import pytest

from odoo.addons.sync_governance_connectors.tools.paging import (
    PagingError,
    Style,
    Walk,
    next_link,
    with_query,
)

ADDRESS = "https://shop.example/orders?status=any"


def walk(style, server, query=None):
    """All rows, and the addresses asked, of a walk against ``server(address)``."""
    going, rows, asked = Walk.begin(style, ADDRESS, query or {}), [], []
    while going.address:
        asked.append(going.address)
        rows += going.turn(*server(going.address))
    going.check_complete()
    return rows, asked


def pages(*contents):
    """A server that gives these pages one after the other."""
    left = iter(contents)
    return lambda address: (next(left), "")


def test_one_page():
    rows, asked = walk(Style(rows="orders"), pages({"orders": [{"id": 1}]}), {"a": "b"})
    assert rows == [{"id": 1}]
    assert asked == ["https://shop.example/orders?status=any&a=b"]


def test_page_numbers_end_with_a_short_page():
    style = Style("page", size=2, parameter="page", size_parameter="limit")
    rows, asked = walk(style, pages([1, 2], [3]))
    assert rows == [1, 2, 3]
    assert [one.partition("status=any")[2] for one in asked] == [
        "&limit=2&page=1",
        "&limit=2&page=2",
    ]


def test_offsets_end_with_an_empty_page():
    rows, asked = walk(Style("offset", parameter="skip"), pages([1, 2], [3, 4, 5], []))
    assert rows == [1, 2, 3, 4, 5]
    assert [one.rpartition("=")[2] for one in asked] == ["0", "2", "5"]


def test_cursors():
    style = Style("cursor", rows="data", parameter="after", cursor="meta.next")
    rows, asked = walk(
        style,
        pages({"data": [1], "meta": {"next": "a b&c"}}, {"data": [2], "meta": {}}),
    )
    assert rows == [1, 2]
    assert asked[1].endswith("&after=a+b%26c")


def test_links():
    going = Walk.begin(Style("link"), ADDRESS, {})
    going.turn([1], '<https://shop.example/orders?page_info=x>; rel="next"')
    assert going.address == "https://shop.example/orders?page_info=x"
    going.turn([2], '</orders?page_info=w>; rel="previous"')
    assert going.address is None


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a/1>; rel="previous", <https://a/3>; rel="next"', "https://a/3"),
        ("<https://a/3>; title=x; rel=next", "https://a/3"),
        ('<https://a/3>; rel="prev next"', "https://a/3"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_next_link(header, target):
    assert next_link(header) == target


def test_a_link_to_another_host_is_not_followed():
    going = Walk.begin(Style("link"), ADDRESS, {})
    with pytest.raises(PagingError, match="another host"):
        going.turn([1], '<https://evil.example/orders?page=2>; rel="next"')


def test_paging_that_repeats_is_noticed():
    style = Style("page", parameter="page")
    with pytest.raises(PagingError, match="repeats"):
        walk(style, lambda address: ([{"id": 1}], ""))


def test_paging_that_skips_is_noticed_when_the_partner_counts():
    style = Style("page", rows="rows", parameter="page", total="total")
    with pytest.raises(PagingError, match="speaks of 3 rows and gave 2"):
        walk(
            style,
            pages(
                {"rows": [1], "total": 3},
                {"rows": [2], "total": 3},
                {"rows": [], "total": 3},
            ),
        )


@pytest.mark.parametrize("page", [{"error": "x"}, None, "text", {"orders": {}}])
def test_a_page_without_rows(page):
    with pytest.raises(PagingError, match="no list"):
        walk(Style(rows="orders"), pages(page))


def test_a_parameter_takes_the_place_of_the_one_before():
    assert with_query("https://a/b?x=1&y=2", {"x": "3"}) == "https://a/b?x=3&y=2"
