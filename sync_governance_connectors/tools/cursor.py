"""Opaque page cursors.

A cursor names the last row a caller has seen, so paging is stable while rows are
added: no offset, no total. It is decoded strictly; whatever a caller makes up is a
400 and never reaches a query.
"""

import base64
import binascii
import json
from datetime import datetime

from .problem import Problem

MAX_LENGTH = 256


def encode_position(when: datetime, record_id: int) -> str:
    """Cursor after the row changed at ``when`` (naive UTC) with this id."""
    return _encode([when.isoformat(), record_id])


def decode_position(text: str) -> tuple[datetime, int]:
    """``(when, id)`` of a list cursor. :raise Problem: 400"""
    when, record_id = _decode(text, 2)
    if not isinstance(when, str) or not _is_id(record_id):
        raise _invalid()
    try:
        value = datetime.fromisoformat(when)
    except ValueError:
        raise _invalid() from None
    if value.tzinfo is not None:
        raise _invalid()
    return value, record_id


def encode_pair(first: int, second: int) -> str:
    """Cursor of a feed that is ordered by two numbers."""
    return _encode([first, second])


def decode_pair(text: str) -> tuple[int, int]:
    """The two numbers of a feed's cursor. :raise Problem: 400"""
    first, second = _decode(text, 2)
    if not _is_id(first) or not _is_id(second):
        raise _invalid()
    return first, second


def _is_id(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _encode(value: list) -> str:
    packed = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _decode(text: str, length: int) -> list:
    if len(text) > MAX_LENGTH:
        raise _invalid()
    try:
        packed = base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4),
            altchars=b"-_",
            validate=True,
        )
        value = json.loads(packed)
    except (ValueError, UnicodeError, binascii.Error, RecursionError):
        raise _invalid() from None
    if not isinstance(value, list) or len(value) != length:
        raise _invalid()
    return value


def _invalid() -> Problem:
    return Problem(
        400, "cursor_invalid", "Use next_cursor of the page before, unchanged."
    )
