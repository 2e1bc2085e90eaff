"""Hash chain of an append-only log: digests, links and a streaming verifier.

The log works in two steps, because a chain
needs one order and concurrent writers have none:

1. a writer stores a row with the digest of its own content (:func:`content_hash`);
2. a single sealer later gives rows an index, in the order in which they
   became visible, and links each to the one before (:func:`link_hash`).

A row's link commits to its index, to its content and, through the previous link,
to everything before it. Changing, removing, inserting or swapping sealed rows
therefore breaks the chain at the first row touched. What a chain alone cannot show
is a missing tail: :func:`verify` takes *anchors*, heads noted down earlier, and demands
to meet them again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

GENESIS = "0" * 64


class BreakKind(str, Enum):
    """Why the chain does not hold at a row."""

    CONTENT = "content"  # the row's own digest does not match its content
    LINK = "link"  # the row does not continue the row before it
    GAP = "gap"  # an index is missing or repeated
    ANCHOR = "anchor"  # a head seen earlier is not there any more


@dataclass(frozen=True, slots=True)
class Head:
    """The last link known to be good: ``index``
    0 with :data:`GENESIS` before the first row.
    """

    index: int = 0
    link: str = GENESIS


#: where every chain begins
START = Head()


@dataclass(frozen=True, slots=True)
class SealedRow:
    """One sealed row as it is stored; ``content``
    in the order used by :func:`content_hash`.
    """

    row_id: int
    index: int
    link: str
    digest: str
    content: Sequence[str | int | None]


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold.
    ``row_id`` is None where a row is missing.
    """

    kind: BreakKind
    index: int
    row_id: int | None
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Report:
    """What :func:`verify` found: ``checked`` rows hold and end at ``head``;
    ``first_break`` is None for a whole chain.
    """

    checked: int
    head: Head
    first_break: Break | None

    @property
    def valid(self) -> bool:
        return self.first_break is None


def canonical(value: object) -> str:
    """One spelling of a JSON value: sorted keys, no spaces, ASCII, so that equal values
    have equal digests.

    :raises TypeError: the value is not JSON
    :raises ValueError: a float is not finite
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def content_hash(content: Sequence[str | int | None]) -> str:
    """Hex SHA-256 of a row's content. JSON framing keeps ``("ab", "c")`` and ``("a",
    "bc")`` apart.
    """
    return _sha256(canonical(list(content)))


def link_hash(previous: str, index: int, digest: str) -> str:
    """Hex SHA-256 that ties the row ``index``
    with content ``digest`` to the link before it.
    """
    return _sha256(f"{previous}:{index}:{digest}")


def seal(head: Head, digests: Iterable[str]) -> list[Head]:
    """Links for the next rows, in order; the last one is the new head."""
    links = []
    for digest in digests:
        index = head.index + 1
        head = Head(index, link_hash(head.link, index, digest))
        links.append(head)
    return links


def verify(
    rows: Iterable[SealedRow],
    anchors: Mapping[int, str] | None = None,
    start: Head = START,
) -> Report:
    """Check sealed rows, given in index order, and stop at the first break. Memory does
    not grow with their number.

    :param rows: every sealed row after ``start``
    :param anchors: index -> link noted down earlier, each of which must be met again
    :param start: a head already trusted, to continue from
    """
    pending = dict(anchors or {})
    head, checked = start, 0
    for row in rows:
        if found := _check(head, row, pending.pop(row.index, None)):
            return Report(checked, head, found)
        head, checked = Head(row.index, row.link), checked + 1
    beyond = min((index for index in pending if index > head.index), default=None)
    if beyond is None:
        return Report(checked, head, None)
    return Report(
        checked, head, Break(BreakKind.ANCHOR, beyond, None, pending[beyond], "")
    )


def _check(head: Head, row: SealedRow, anchor: str | None) -> Break | None:
    expected_index = head.index + 1
    if row.index != expected_index:
        return Break(
            BreakKind.GAP, expected_index, None, str(expected_index), str(row.index)
        )
    digest = content_hash(row.content)
    if digest != row.digest:
        return Break(BreakKind.CONTENT, row.index, row.row_id, row.digest, digest)
    link = link_hash(head.link, row.index, digest)
    if link != row.link:
        return Break(BreakKind.LINK, row.index, row.row_id, link, row.link)
    if anchor is not None and anchor != link:
        return Break(BreakKind.ANCHOR, row.index, row.row_id, anchor, link)
    return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
