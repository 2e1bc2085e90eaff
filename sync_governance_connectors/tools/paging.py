# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""How a partner's API gives long lists: pages, and what may go wrong between them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import jmespath

MAX_PAGES = 100_000
# RFC 8288: <https://api.example/orders?page=2>; rel="next"
_LINK = re.compile(r'<([^<>]*)>([^<>]*?);\s*rel="?([^";,]*)"?')


class PagingError(ValueError):
    """The partner's pages do not hang together; the text says how."""


@dataclass(frozen=True)
class Style:
    """The partner's way of paging.

    :ivar kind: ``none`` (one page), ``page`` (numbers), ``offset``, ``cursor`` (each
        page names the next one's) or ``link`` (header Link, RFC 8288)
    :ivar rows: JMESPath of the rows in a page; empty: the page is the list
    :ivar size: rows asked for; 0: not asked for
    :ivar parameter: name of the query parameter of page, offset or cursor
    :ivar size_parameter: of the size
    :ivar first: number of the first page
    :ivar cursor: JMESPath of the next cursor, null at the end
    :ivar total: JMESPath of the number of all rows, empty if the partner tells none
    """

    kind: str = "none"
    rows: str = ""
    size: int = 0
    parameter: str = ""
    size_parameter: str = ""
    first: int = 1
    cursor: str = ""
    total: str = ""


@dataclass
class Walk:
    """A walk over the pages of one list.

    Ask :attr:`address`, give the answer to :meth:`turn`, until :attr:`address` is None.
    """

    style: Style
    address: str | None
    count: int = 0
    pages: int = 0
    total: int | None = None
    _seen: set[bytes] = field(default_factory=set)
    _origin: str = ""

    @classmethod
    def begin(cls, style: Style, address: str, query: Mapping[str, str]) -> "Walk":
        """The first page: the address, its own query, ours and the size."""
        parameters = dict(query)
        if style.size and style.size_parameter:
            parameters[style.size_parameter] = str(style.size)
        if style.kind == "page":
            parameters[style.parameter] = str(style.first)
        if style.kind == "offset":
            parameters[style.parameter] = "0"
        return cls(style, with_query(address, parameters), _origin=origin(address))

    def turn(self, page: Any, link: str = "") -> list[Any]:
        """The rows of the page that was asked for; sets the next address.

        :param page: the page's JSON value
        :param link: its header Link
        :raise PagingError: the page is no list, came before, or leads elsewhere
        """
        rows = jmespath.search(self.style.rows, page) if self.style.rows else page
        if not isinstance(rows, list):
            raise PagingError(f"Page {self.pages + 1} holds no list of rows.")
        self._refuse_repetition(rows)
        self.count += len(rows)
        self.pages += 1
        if self.pages > MAX_PAGES:
            raise PagingError(f"More than {MAX_PAGES} pages: does it ever end?")
        if self.style.total:
            total = jmespath.search(self.style.total, page)
            self.total = total if isinstance(total, int) else None
        self.address = self._next(page, rows, link)
        return rows

    def check_complete(self) -> None:
        """:raise PagingError: fewer rows came than the partner says it has"""
        if self.total is not None and self.count < self.total:
            raise PagingError(
                f"The partner speaks of {self.total} rows and gave {self.count}:"
                " its pages skip some."
            )

    def _refuse_repetition(self, rows: list[Any]) -> None:
        if not rows:
            return
        seen = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).digest()
        if seen in self._seen:
            raise PagingError(f"Page {self.pages + 1} came before: its paging repeats.")
        self._seen.add(seen)

    def _next(self, page: Any, rows: list[Any], link: str) -> str | None:
        style = self.style
        if style.kind == "cursor":
            cursor = jmespath.search(style.cursor, page)
            if cursor in (None, "", False):
                return None
            return self._with(style.parameter, str(cursor))
        if style.kind == "link":
            return self._followed(next_link(link))
        if style.kind == "none" or not rows or (style.size and len(rows) < style.size):
            return None
        number = self.count if style.kind == "offset" else style.first + self.pages
        return self._with(style.parameter, str(number))

    def _with(self, parameter: str, value: str) -> str:
        return with_query(self.address or "", {parameter: value})

    def _followed(self, target: str) -> str | None:
        """A link within the same origin: our credentials go nowhere else."""
        if not target:
            return None
        address = urljoin(self.address or "", target)
        if origin(address) != self._origin:
            raise PagingError(f"Its next page is at another host: {address[:200]}")
        return address


def next_link(header: str) -> str:
    """The target of ``rel="next"`` in a Link header, empty if there is none."""
    for target, _parameters, relation in _LINK.findall(header):
        if "next" in relation.lower().split():
            return target
    return ""


def with_query(address: str, parameters: Mapping[str, str]) -> str:
    """An address with those query parameters, in place of its own of that name."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | dict(parameters)
    return parts._replace(query=urlencode(query)).geturl()


def origin(address: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()
