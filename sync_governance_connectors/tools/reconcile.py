# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""When two systems say the same: tolerances, and what differs between two bodies.

Nothing, an empty text and null are the same to a reconciliation: partners write
"no value" in all three ways. A member that a partner does not send at all is not
compared.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from . import canonical, money
from .canonical import Kind, Member

_NUMERIC_KINDS = frozenset({Kind.AMOUNT, Kind.QUANTITY})
_MISSING = object()


@dataclass(frozen=True)
class Comparison:
    """One member that is compared.

    :ivar path: dotted, in the canonical body
    :ivar tolerance: name in :data:`TOLERANCES`
    :ivar margin: numeric: largest difference that is none; days: likewise, in days
    """

    path: str
    tolerance: str = "exact"
    margin: Decimal = Decimal(0)


@dataclass(frozen=True)
class Difference:
    """One member in which two bodies differ."""

    path: str
    theirs: Any
    ours: Any


def usual_tolerance(member: Member) -> str:
    """What fits a member unless somebody decides otherwise."""
    return "numeric" if member.kind in _NUMERIC_KINDS else "exact"


def comparable(member: Member) -> bool:
    """Whether a member holds one plain value that both sides can know."""
    return member.kind not in (Kind.LIST, Kind.REFERENCE) and member.path not in (
        "external_id",
        "ref",
        "updated_at",
    )


def differences(
    comparisons: Iterable[Comparison],
    theirs: Mapping[str, Any],
    ours: Mapping[str, Any],
) -> Iterator[Difference]:
    """The members in which two canonical bodies differ beyond their tolerance."""
    for comparison in comparisons:
        their_value = value_at(theirs, comparison.path, _MISSING)
        if their_value is _MISSING:
            continue
        our_value = value_at(ours, comparison.path)
        if not _agree(comparison, their_value, our_value):
            yield Difference(comparison.path, their_value, our_value)


def value_at(body: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """The value at a dotted path; below a null everything is null."""
    node: Any = body
    for step in path.split("."):
        if node is None:
            return None
        if not isinstance(node, Mapping) or step not in node:
            return default
        node = node[step]
    return node


def _agree(comparison: Comparison, theirs: Any, ours: Any) -> bool:
    if theirs in (None, "") or ours in (None, ""):
        return theirs in (None, "") and ours in (None, "")
    if theirs == ours:
        return True
    return TOLERANCES[comparison.tolerance](theirs, ours, comparison.margin)


def _never(theirs: Any, ours: Any, margin: Decimal) -> bool:
    return False


def _numbers(theirs: Any, ours: Any, margin: Decimal) -> bool:
    try:
        distance = money.from_text(str(theirs)) - money.from_text(str(ours))
    except ValueError:
        return False
    return abs(distance) <= margin


def _texts(theirs: Any, ours: Any, margin: Decimal) -> bool:
    return _folded(theirs) == _folded(ours)


def _folded(value: Any) -> str:
    """Without case, width, kinds of blanks, and punctuation at the ends."""
    text = unicodedata.normalize("NFKC", str(value)).casefold()
    return " ".join(text.split()).strip(".,;: ")


def _moments(theirs: Any, ours: Any, margin: Decimal) -> bool:
    try:
        distance = abs(_moment(str(theirs)) - _moment(str(ours)))
    except ValueError:
        return False
    return distance <= timedelta(days=float(margin))


def _moment(text: str) -> datetime:
    if len(text) > len("2026-01-31"):
        return canonical.parse_moment(text).replace(tzinfo=timezone.utc)
    day = date.fromisoformat(text)
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc)


#: How two values that are not the same may still agree.
TOLERANCES = {
    "exact": _never,
    "numeric": _numbers,
    "text": _texts,
    "days": _moments,
}
