"""Strict reading of a JSON body: what PostgreSQL, JavaScript or a human would read
differently is refused instead of guessed (duplicate names, NaN, lone surrogates, NUL,
endless digits, deep nesting)."""

import json
import re
from typing import Any

from .problem import Problem

MAX_DEPTH = 24
MAX_DIGITS = 30
_ESCAPED_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def parse(raw: bytes) -> Any:
    """The value of a JSON text. :raise Problem: 400 for anything doubtful"""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique_names,
            parse_constant=_no_constant,
            parse_int=_bounded_int,
            parse_float=_bounded_float,
        )
    except RecursionError:
        raise _invalid("The body is nested too deeply.") from None
    except UnicodeDecodeError:
        raise _invalid("The body is not valid UTF-8.") from None
    except ValueError as error:
        raise _invalid(f"The body is not valid JSON: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    if _ESCAPED_SUSPECT.search(raw):
        _check_text(value)
    return value


def dump(value: Any) -> bytes:
    """A body as it is sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def merge_patch(target: Any, patch: Any) -> Any:
    """The target as a merge patch makes it (RFC 7396); neither is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _bounded_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return int(digits)


def _bounded_float(digits: str) -> float:
    value = float(digits)
    if len(digits) > MAX_DIGITS + 10 or value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise _invalid("The body is nested too deeply.")


def _check_text(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, str):
            if "\0" in item or any("\ud800" <= char <= "\udfff" for char in item):
                raise _invalid("Text holds NUL or half of a surrogate pair.")


def _invalid(detail: str) -> Problem:
    return Problem(400, "json_invalid", detail)
