"""Three-way merge of field values, and when two values are the same.

Systems write the same fact differently: ``""`` or nothing, 10.0 or 9.999999,
a time with or without its zone, HTML with other white space. Such differences
are not conflicts.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from html import unescape
from html.parser import HTMLParser
from typing import Any

TEXT_TYPES = frozenset({"char", "text", "selection", "reference"})
NUMBER_TYPES = frozenset({"float", "monetary", "integer"})
SET_TYPES = frozenset({"many2many", "one2many"})
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What decides equality of a field's values.

    :param type: Odoo's field type
    :param digits: decimal places that count, for floats; None: 9
    """

    type: str
    digits: int | None = None


class Merge(str, Enum):
    """What a three-way comparison found for one field."""

    SAME = "same"
    INCOMING = "incoming"
    CURRENT = "current"
    CONFLICT = "conflict"


class _Html(HTMLParser):
    """Reduces markup to a comparable list of tags and words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tokens: list[Any] = []
        self.has_content = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kept = sorted(
            (key, value or "") for key, value in attrs if not key.startswith("data-oe-")
        )
        self.tokens.append((tag, tuple(kept)))
        self.has_content |= tag in {"img", "iframe", "hr", "video", "table"}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"br", "img", "hr"}:
            self.tokens.append("/" + tag)

    def handle_data(self, data: str) -> None:
        words = data.split()
        self.tokens.extend(words)
        self.has_content |= bool(words)


def _text(value: Any) -> str:
    text = (
        unicodedata.normalize("NFC", str(value))
        .replace("\r\n", "\n")
        .replace("\r", "\n")
    )
    return text.strip()


def _html(value: Any) -> tuple[Any, ...]:
    parser = _Html()
    parser.feed(str(value))
    parser.close()
    return tuple(parser.tokens) if parser.has_content else ()


def _words(value: Any) -> str:
    """The text of markup without any white space: differs only if the markup does."""
    text = unescape(_TAG.sub("", str(value or "")))
    return "".join(text.split())


def _number(value: Any, digits: int) -> Decimal:
    step = Decimal(1).scaleb(-digits)
    return Decimal(repr(value) if isinstance(value, float) else str(value)).quantize(
        step, rounding=ROUND_HALF_UP
    )


def naive_utc(value: Any) -> datetime:
    """A time as Odoo keeps it: UTC without saying so, to the second.

    :param value: a date, a time, or ISO text with or without a zone
    :raise ValueError: if the text is no time
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    elif not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if value.tzinfo is not None:
        value = value.astimezone(timezone.utc).replace(tzinfo=None)
    return value.replace(microsecond=0)


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    return value.date() if isinstance(value, datetime) else value


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _members(value: Any) -> frozenset[Any]:
    return frozenset(value)


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value == "" or value == [] or value == ()


def normalise(kind: FieldKind, value: Any) -> Any:
    """The comparable form of a value; None is the only empty one.

    :raise ValueError: if the value cannot be a value of that kind of field
    """
    if kind.type == "boolean":
        return bool(value)
    if kind.type in NUMBER_TYPES:
        digits = (
            0 if kind.type == "integer" else 9 if kind.digits is None else kind.digits
        )
        try:
            return _number(0 if _is_empty(value) else value, digits)
        except ArithmeticError as error:
            raise ValueError(f"{value!r} is not a number") from error
    if _is_empty(value):
        return None
    if kind.type in TEXT_TYPES:
        return _text(value) or None
    if kind.type == "html":
        return _html(value) or None
    convert: Callable[[Any], Any] | None = {
        "datetime": naive_utc,
        "date": _date,
        "many2one": int,
        "many2many": _members,
        "one2many": _members,
    }.get(kind.type)
    return convert(value) if convert else _json(value)


def equal(kind: FieldKind, left: Any, right: Any) -> bool:
    """Whether two values say the same; what cannot be read is compared as it is."""
    if type(left) is type(right) and left == right:
        return True
    if kind.type == "html" and _words(left) != _words(right):
        return False  # no need to parse
    try:
        return normalise(kind, left) == normalise(kind, right)
    except (ValueError, TypeError, AttributeError):
        return left == right


def merge(
    kind: FieldKind, base: Any, current: Any, incoming: Any, *, known: bool = True
) -> Merge:
    """Three-way comparison of one field.

    :param base: the value last agreed with the incoming system
    :param known: False when nothing was ever agreed: any difference is then the
        incoming system's news, never a conflict
    """
    if equal(kind, current, incoming):
        return Merge.SAME
    if not known or equal(kind, base, current):
        return Merge.INCOMING
    if equal(kind, base, incoming):
        return Merge.CURRENT
    return Merge.CONFLICT


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the values a resolver chooses from.

    :param rank: position of its system among the owners; a large number when it is none
    :param stamp: when the value was written, if known
    """

    value: Any
    rank: int
    stamp: datetime | None = None


UNRESOLVED = object()


def resolve(
    kind: FieldKind,
    resolver: str,
    candidates: Iterable[Candidate],
    *,
    empty_wins: bool = False,
) -> Any:
    """The value a resolver picks, or :data:`UNRESOLVED` when a person must decide.

    An empty value never beats a filled one unless ``empty_wins``.
    """
    pool = list(candidates)
    if not empty_wins:
        pool = [one for one in pool if not _is_empty(one.value)] or pool
    if len({_json(_plain(normalise(kind, one.value))) for one in pool}) == 1:
        return pool[0].value
    pick = _RESOLVERS.get(resolver)
    return pick(kind, pool) if pick else UNRESOLVED


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _by_rank(kind: FieldKind, pool: list[Candidate]) -> Any:
    best = min(one.rank for one in pool)
    winners = [one for one in pool if one.rank == best]
    return winners[0].value if len(winners) == 1 else UNRESOLVED


def _newest(kind: FieldKind, pool: list[Candidate]) -> Any:
    if any(one.stamp is None for one in pool):
        return UNRESOLVED
    return max(pool, key=lambda one: one.stamp).value


def _extreme(
    choose: Callable[..., Candidate],
) -> Callable[[FieldKind, list[Candidate]], Any]:
    def pick(kind: FieldKind, pool: list[Candidate]) -> Any:
        if kind.type not in NUMBER_TYPES | {"date", "datetime"}:
            return UNRESOLVED
        return choose(pool, key=lambda one: normalise(kind, one.value)).value

    return pick


def _union(kind: FieldKind, pool: list[Candidate]) -> Any:
    if kind.type not in SET_TYPES:
        return UNRESOLVED
    return sorted(set().union(*(one.value or () for one in pool)))


_RESOLVERS: Mapping[str, Callable[[FieldKind, list[Candidate]], Any]] = {
    "rank": _by_rank,
    "newest": _newest,
    "max": _extreme(max),
    "min": _extreme(min),
    "union": _union,
}
