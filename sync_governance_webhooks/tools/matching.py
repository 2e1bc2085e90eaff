"""Which events a subscription wants: name patterns and a filter on the content."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

PATTERN_RE = re.compile(r"(\*|[a-zA-Z0-9_]+)(\.(\*|[a-zA-Z0-9_]+))*")
EVENT_NAME_RE = re.compile(r"[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*")

_MISSING = object()


class FilterError(ValueError):
    """The content filter is not a list of ``[path, operator, value]``."""


def parse_patterns(text: str) -> tuple[str, ...]:
    """Split ``"order.*, customer.created"`` at commas and blanks.

    :raises ValueError: on a pattern that can match no event name
    """
    patterns = tuple(part for part in re.split(r"[,\s]+", text or "") if part)
    for pattern in patterns:
        if not PATTERN_RE.fullmatch(pattern):
            raise ValueError(pattern)
    return patterns


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether an event name fits one pattern. ``*`` stands for one segment,
    and at the end of a pattern for all that follow; a lone ``*`` fits every name."""
    return any(_fits(name.split("."), pattern.split(".")) for pattern in patterns)


def _fits(name: list[str], pattern: list[str]) -> bool:
    if len(name) < len(pattern):
        return False
    if len(name) > len(pattern) and pattern[-1] != "*":
        return False
    return all(want in ("*", have) for have, want in zip(name, pattern, strict=False))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def operator(have: Any, want: Any) -> bool:
        try:
            return compare(have, want)
        except TypeError:
            # None or text against a number: not comparable is not a match.
            return False

    return operator


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    "in": lambda have, want: have in want,
    "not in": lambda have, want: have not in want,
    "<": _ordered(lambda have, want: have < want),
    "<=": _ordered(lambda have, want: have <= want),
    ">": _ordered(lambda have, want: have > want),
    ">=": _ordered(lambda have, want: have >= want),
    "like": lambda have, want: str(want) in str(have),
    "exists": lambda have, want: (have is not _MISSING) == bool(want),
}

Condition = tuple[tuple[str, ...], str, Any]


def parse_filter(text: str | None) -> tuple[Condition, ...]:
    """Read a JSON list such as ``[["customer.country", "=", "FR"]]``; all must hold.

    :raises FilterError: with a sentence a person can act on
    """
    if not (text or "").strip():
        return ()
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise FilterError(f"Not valid JSON: {error}") from error
    if not isinstance(rows, list):
        raise FilterError("A filter is a list of [path, operator, value]")
    return tuple(_condition(row) for row in rows)


def _condition(row: Any) -> Condition:
    if not (isinstance(row, list) and len(row) == 3 and isinstance(row[0], str)):
        raise FilterError(f"Not a [path, operator, value]: {row!r}")
    path, operator, value = row
    if operator not in OPERATORS:
        raise FilterError(f"Unknown operator: {operator!r}")
    if operator in ("in", "not in") and not isinstance(value, list):
        raise FilterError(f"{operator!r} needs a list")
    return tuple(path.split(".")), operator, value


def passes(payload: Any, conditions: Iterable[Condition]) -> bool:
    """Whether an event's ``data`` meets every condition."""
    return all(
        OPERATORS[operator](_value(payload, path), value)
        for path, operator, value in conditions
    )


def _value(payload: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(payload, dict) or key not in payload:
            return _MISSING
        payload = payload[key]
    return payload
