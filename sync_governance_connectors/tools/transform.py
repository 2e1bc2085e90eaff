# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""A partner's message becomes a canonical body, rule by rule.

A rule reads with a JMESPath expression (https://jmespath.org: no loops, no I/O),
passes the value through one transform of a closed set, and puts it at its target. A
target ``lines[]`` reads a list; rules below it (``lines[].quantity``) read within each
item. Every rule leaves a step in the trace, also when it fails.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from . import canonical, money

MAX_EXPRESSION = 500
MAX_NODES = 120
MAX_ITEMS = canonical.MAX_ITEMS
SHOWN = 200

Lookup = Callable[[str, str], str]


class Unmapped(LookupError):
    """A value map does not know a partner's value.

    :ivar kind: which map
    """

    def __init__(self, kind: str, value: str):
        super().__init__(f"{kind} does not know {value!r}")
        self.kind = kind
        self.value = value


@dataclass(frozen=True)
class Rule:
    """How one member of the canonical body is read.

    :ivar target: dotted member; ``[]`` after a list
    :ivar expression: JMESPath
    :ivar transform: name in :data:`TRANSFORMS`, empty for none
    :ivar argument: of the transform
    :ivar default: JSON text, used where nothing was found
    """

    target: str
    expression: str
    transform: str = ""
    argument: str = ""
    required: bool = False
    default: str = ""


@dataclass(frozen=True)
class Step:
    """What one rule did; values are shortened for screens."""

    target: str
    found: str
    result: str
    error: str = ""


@dataclass(frozen=True)
class Mapped:
    """The outcome of a mapping.

    :ivar faults: ``(JSON pointer, message, code)``
    :ivar unmapped: ``(kind, value)`` that value maps do not know
    """

    body: dict[str, Any]
    trace: tuple[Step, ...]
    faults: tuple[tuple[str, str, str], ...]
    unmapped: tuple[tuple[str, str], ...]


def compiled(expression: str) -> Any:
    """A parsed expression within the limits.

    :raise ValueError: too long, too big, or not JMESPath
    """
    if len(expression) > MAX_EXPRESSION:
        raise ValueError(f"longer than {MAX_EXPRESSION} characters")
    try:
        parsed = jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(str(error)) from error
    if _count_nodes(parsed.parsed) > MAX_NODES:
        raise ValueError(f"more than {MAX_NODES} parts")
    return parsed


def _count_nodes(node: Mapping[str, Any]) -> int:
    return 1 + sum(_count_nodes(child) for child in node.get("children", ()))


def _search(expression: str, document: Any) -> Any:
    try:
        return compiled(expression).search(document)
    except JMESPathError as error:
        raise ValueError(str(error)) from error


# -- transforms ---------------------------------------------------------------------


def _trim(value: Any, argument: str, lookup: Lookup) -> Any:
    return " ".join(str(value).split())


def _upper(value: Any, argument: str, lookup: Lookup) -> Any:
    return str(value).upper()


def _lower(value: Any, argument: str, lookup: Lookup) -> Any:
    return str(value).lower()


def _text(value: Any, argument: str, lookup: Lookup) -> Any:
    """Numbers as ids: ``450789469`` -> ``"450789469"``."""
    return value if isinstance(value, str) else json.dumps(value)


def _split(value: Any, argument: str, lookup: Lookup) -> Any:
    """Argument ``<separator>|<index>``: the part at that place, from 0."""
    separator, _, index = argument.rpartition("|")
    parts = str(value).split(separator)
    place = int(index)
    return parts[place].strip() if -len(parts) <= place < len(parts) else None


def _join(value: Any, argument: str, lookup: Lookup) -> Any:
    if not isinstance(value, list):
        raise ValueError("a list is expected")
    return argument.join(str(part) for part in value if part not in (None, ""))


def _decimal(value: Any, argument: str, lookup: Lookup) -> Any:
    """A number or its text as a decimal string; argument: the decimal separator."""
    text = value if isinstance(value, str) else json.dumps(value)
    if argument == ",":
        text = text.replace(".", "").replace(",", ".")
    else:
        text = text.replace(",", "")
    return money.to_plain_text(money.from_text(text.strip()))


def _minor_units(value: Any, argument: str, lookup: Lookup) -> Any:
    """``1999`` -> ``"19.99"``; argument: digits after the point, 2 if empty."""
    digits = int(argument or 2)
    return money.to_text(money.from_text(str(value)).scaleb(-digits), digits)


def _day(value: Any, argument: str, lookup: Lookup) -> Any:
    """Argument: the partner's format (``%d.%m.%Y``), ISO 8601 if empty."""
    if argument:
        return datetime.strptime(str(value), argument).date().isoformat()
    return date.fromisoformat(str(value)[:10]).isoformat()


def _moment(value: Any, argument: str, lookup: Lookup) -> Any:
    """RFC 3339, unix seconds, or the partner's format in UTC -> RFC 3339 in UTC."""
    if isinstance(value, int | float):
        moment = datetime.fromtimestamp(value, timezone.utc)
    elif argument:
        moment = datetime.strptime(str(value), argument)
    else:
        moment = canonical.parse_moment(str(value))
    return canonical.moment_text(moment)


def _boolean(value: Any, argument: str, lookup: Lookup) -> Any:
    """True for the words of the argument (comma separated), or for usual ones."""
    words = argument or "true,yes,y,1,on"
    return str(value).strip().lower() in [
        word.strip().lower() for word in words.split(",")
    ]


def _value_map(value: Any, argument: str, lookup: Lookup) -> Any:
    """What the system's value map of that kind says."""
    return lookup(argument, str(value))


TRANSFORMS: dict[str, Callable[[Any, str, Lookup], Any]] = {
    "trim": _trim,
    "upper": _upper,
    "lower": _lower,
    "text": _text,
    "split": _split,
    "join": _join,
    "decimal": _decimal,
    "minor_units": _minor_units,
    "day": _day,
    "moment": _moment,
    "boolean": _boolean,
    "value_map": _value_map,
}


# -- application --------------------------------------------------------------------


class _Run:
    """One application of the rules; collects what happens."""

    def __init__(self, lookup: Lookup):
        self._lookup = lookup
        self.trace: list[Step] = []
        self.faults: list[tuple[str, str, str]] = []
        self.unmapped: list[tuple[str, str]] = []

    def fill(self, rules: list[Rule], document: Any, at: str) -> dict[str, Any]:
        """An object of the rules, read in ``document``."""
        values: list[tuple[str, Any]] = []
        for rule in rules:
            if "[]" in rule.target[:-2]:
                continue
            value = self._read(rule, document, at)
            if rule.target.endswith("[]"):
                values.append((rule.target[:-2], self._items(rule, rules, value, at)))
            elif value is not None:
                values.append((rule.target, value))
        return canonical.nest(values)

    def _items(self, rule: Rule, rules: list[Rule], found: Any, at: str) -> list[Any]:
        below = [
            Rule(**{**vars(one), "target": one.target.removeprefix(rule.target + ".")})
            for one in rules
            if one.target.startswith(rule.target + ".")
        ]
        pointer = _pointer(at, rule.target[:-2])
        items = found if isinstance(found, list) else []
        if len(items) > MAX_ITEMS:
            self.faults.append((pointer, f"more than {MAX_ITEMS} items", "too_many"))
            items = []
        return [
            self.fill(below, item, f"{pointer}/{index}")
            for index, item in enumerate(items)
        ]

    def _read(self, rule: Rule, document: Any, at: str) -> Any:
        found = result = None
        error, code = "", "mapping_failed"
        try:
            found = _search(rule.expression, document)
            result = self._transformed(rule, found)
        except Unmapped as unmapped:
            error, code = str(unmapped), "unmapped_value"
            self.unmapped.append((unmapped.kind, unmapped.value))
        except (ValueError, TypeError, OverflowError, ArithmeticError) as failure:
            error = str(failure)
        if result is None and rule.default and not error:
            result = json.loads(rule.default)
        if result is None and rule.required and not error:
            error, code = "nothing was found", "required"
        pointer = _pointer(at, rule.target.removesuffix("[]"))
        if error:
            self.faults.append((pointer, error, code))
        self.trace.append(Step(pointer, _shown(found), _shown(result), error))
        return result

    def _transformed(self, rule: Rule, found: Any) -> Any:
        if found is None or not rule.transform:
            return found
        return TRANSFORMS[rule.transform](found, rule.argument, self._lookup)


def _pointer(at: str, target: str) -> str:
    return f"{at}/{target.replace('.', '/')}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def apply(rules: Iterable[Rule], message: Any, lookup: Lookup) -> Mapped:
    """The canonical body of a message.

    :param lookup:
        ``(kind, partner's value) -> canonical value``, raises :class:`Unmapped`
    """
    run = _Run(lookup)
    body = run.fill(list(rules), message, "")
    return Mapped(body, tuple(run.trace), tuple(run.faults), tuple(run.unmapped))
