"""Does a message make sense, beyond its form: do amounts add up?

What is to be known of other records (products, units, currencies) is asked of the
database elsewhere; here is the arithmetic alone. Pure: canonical bodies in, faults
out.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from . import money

#: Partners round each line, or once in the end: a cent for each line is no fault.
CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def faults(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """``(JSON pointer, sentence)`` of everything that does not add up.

    Knows lines with ``quantity``, ``unit_price``, ``discount_percent`` and ``net``,
    and ``totals`` with ``net``, ``tax`` and ``total``; what is left out is not judged.
    """
    return [*_lines(body), *_totals(body)]


def _lines(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, line in enumerate(body.get("lines") or ()):
        at = f"/lines/{index}"
        quantity = _amount(line, "quantity")
        if quantity is not None and quantity <= 0:
            yield f"{at}/quantity", "A quantity is more than 0."
        net, due = _amount(line, "net"), _line_net(line)
        if net is not None and due is not None and abs(net - due) > CENT:
            yield f"{at}/net", f"Quantity times price is {due}, not {net}."


def _totals(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    totals = body.get("totals") or {}
    lines = body.get("lines") or ()
    allowed = CENT * max(len(lines), 1)
    net, tax, total = (_amount(totals, name) for name in ("net", "tax", "total"))
    nets = [_line_net(line) for line in lines]
    if net is not None and lines and None not in nets:
        due = sum(nets, Decimal(0))
        if abs(net - due) > allowed:
            yield "/totals/net", f"The lines add up to {due}, not {net}."
    if None not in (net, tax, total) and abs(net + tax - total) > CENT:
        yield "/totals/total", f"Net and tax add up to {net + tax}, not {total}."


def _line_net(line: Mapping[str, Any]) -> Decimal | None:
    quantity, price = _amount(line, "quantity"), _amount(line, "unit_price")
    if quantity is None or price is None:
        return None
    discount = _amount(line, "discount_percent") or Decimal(0)
    return (quantity * price * (1 - discount / HUNDRED)).quantize(CENT)


def _amount(node: Mapping[str, Any], name: str) -> Decimal | None:
    value = node.get(name)
    if not isinstance(value, str):
        return None
    try:
        return money.from_text(value)
    except ValueError:
        return None  # its form is another layer's
