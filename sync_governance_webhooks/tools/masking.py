"""Private values of a payload: hidden on screens, and in what a receiver says of them.

A path is dotted keys, ``customer.email``; lists on the way are looked into.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

MASK = "***"
# Shorter values would make holes into words that have nothing to do with them.
MIN_LENGTH = 3


def parse_paths(text: str | None) -> tuple[tuple[str, ...], ...]:
    """Read ``"customer.email, lines.note"``."""
    parts = (part.strip() for part in (text or "").split(","))
    return tuple(tuple(part.split(".")) for part in parts if part)


def mask(payload: Any, paths: tuple[tuple[str, ...], ...]) -> Any:
    """A copy of the payload with the values at ``paths`` hidden."""
    masked = deepcopy(payload)
    for path in paths:
        for node in _parents(masked, path):
            node[path[-1]] = MASK
    return masked


def mask_text(text: str, payload: Any, paths: tuple[tuple[str, ...], ...]) -> str:
    """A text without the payload's private values, should it quote them."""
    values = {
        value
        for path in paths
        for node in _parents(payload, path)
        for value in _texts(node[path[-1]])
        if len(value) >= MIN_LENGTH
    }
    # The longest first: one value may hold another.
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def _parents(node: Any, path: tuple[str, ...]) -> Iterator[dict]:
    """The objects that hold the last key of a path."""
    if isinstance(node, list):
        for item in node:
            yield from _parents(item, path)
    elif isinstance(node, dict) and path[0] in node:
        if len(path) == 1:
            yield node
        else:
            yield from _parents(node[path[0]], path[1:])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)
