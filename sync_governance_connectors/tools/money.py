# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""Amounts as decimal strings: a binary float never crosses the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

PATTERN = r"^-?[0-9]{1,13}(\.[0-9]{1,6})?$"


def to_text(value: float | Decimal, digits: int) -> str:
    """``1234.5`` with 2 digits -> ``"1234.50"``; rounds half up, never ``-0.00``."""
    number = Decimal(repr(value) if isinstance(value, float) else value)
    rounded = number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return str(abs(rounded) if rounded.is_zero() else rounded)


def to_plain_text(value: float | Decimal, digits: int = 6) -> str:
    """A quantity without superfluous zeros: ``2.0`` -> ``"2"``."""
    text = to_text(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def from_text(text: str) -> Decimal:
    """The number that a decimal string writes.

    :raise ValueError: not a finite decimal number
    """
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"not a decimal number: {text!r}") from error
    if not number.is_finite():
        raise ValueError(f"not a finite number: {text!r}")
    return number


@dataclass(frozen=True)
class Mismatch:
    """A declared total that differs from the computed one (both as decimal strings)."""

    name: str
    declared: str
    computed: str


def compare_totals(
    declared: Mapping[str, str], computed: Mapping[str, str], tolerance: Decimal
) -> tuple[Mismatch, ...]:
    """Declared totals that differ from the computed by more than ``tolerance``."""
    return tuple(
        Mismatch(name, text, computed[name])
        for name, text in declared.items()
        if abs(from_text(text) - from_text(computed[name])) > tolerance
    )
