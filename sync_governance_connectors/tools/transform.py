# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""A partner's message becomes a canonical body, rule by rule.

A rule reads with a JMESPath expression (https://jmespath.org: no loops, no I/O),
passes the value through one transform of a closed set, and puts it at its target. A
target ``lines[]`` reads a list; rules below it (``lines[].quantity``) read within each
item. Every rule leaves a step in the trace, also when it fails.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from . import canonical, money

MAX_EXPRESSION = 500
MAX_NODES = 120
#: how many times over an expression may repeat its message
MAX_COPIES = 200
MAX_ITEMS = canonical.MAX_ITEMS
SHOWN = 200
#: what a conditional's last resort is called
OTHERWISE = "*"


class Unmapped(LookupError):
    """A value map does not know a partner's value.

    :ivar kind: which map
    """

    def __init__(self, kind: str, value: str):
        super().__init__(f"{kind} does not know {value!r}")
        self.kind = kind
        self.value = value


@dataclass(frozen=True)
class Lookups:
    """What transforms ask of the database; both raise for what they do not know.

    :ivar value: ``(kind, partner's value) -> canonical value``,
        raises :class:`Unmapped`
    :ivar record: ``(argument of the rule, partner's value) -> the system's id of the
        record``, raises ``ValueError``
    """

    value: Callable[[str, str], str]
    record: Callable[[str, str], str]


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
class Node:
    """A rule ready to be applied, with those that read within its items.

    :ivar parsed: the compiled expression
    :ivar member: target within the object, without ``[]``
    :ivar default: the value, None for none
    """

    rule: Rule
    parsed: Any
    member: str
    default: Any
    is_list: bool
    below: tuple["Node", ...]


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


@lru_cache(maxsize=4096)
def compiled(expression: str) -> Any:
    """A parsed expression within the limits.

    :raise ValueError: too long, too big, too deep, or not JMESPath
    """
    if len(expression) > MAX_EXPRESSION:
        raise ValueError(f"longer than {MAX_EXPRESSION} characters")
    try:
        parsed = jmespath.compile(expression)
        nodes = _count_nodes(parsed.parsed)
    except JMESPathError as error:
        raise ValueError(str(error)) from error
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if nodes > MAX_NODES:
        raise ValueError(f"more than {MAX_NODES} parts")
    if _count_copies(parsed.parsed) > MAX_COPIES:
        raise ValueError(f"repeats its message more than {MAX_COPIES} times")
    return parsed


def _count_nodes(node: Mapping[str, Any]) -> int:
    return 1 + sum(_count_nodes(child) for child in node.get("children", ()))


def _count_copies(node: Mapping[str, Any]) -> int:
    """How often, at most, the result can hold what it was read from.

    ``[@, @]`` holds it twice, and each pipe into another one doubles that again: a
    short expression would fill the memory.
    """
    copies = [_count_copies(child) for child in node.get("children", ())] or [1]
    if node["type"] in (
        "multi_select_list",
        "multi_select_dict",
        "function_expression",
    ):
        return sum(copies)
    if node["type"] in ("or_expression", "and_expression", "comparator"):
        return max(copies)
    return math.prod(copies)


def _search(parsed: Any, document: Any) -> Any:
    try:
        return parsed.search(document)
    except JMESPathError as error:
        raise ValueError(str(error)) from error


def plan(rules: Iterable[Rule]) -> tuple[Node, ...]:
    """Rules made ready once, for as many messages as come.

    :raise ValueError: an expression or a default cannot be used
    """
    rules = list(rules)
    return tuple(_node(rule, rules) for rule in rules if "[]" not in rule.target[:-2])


def _node(rule: Rule, rules: list[Rule]) -> Node:
    is_list = rule.target.endswith("[]")
    inner = f"{rule.target}."
    below = [
        replace(one, target=one.target.removeprefix(inner))
        for one in rules
        if is_list and one.target.startswith(inner)
    ]
    return Node(
        rule,
        compiled(rule.expression),
        rule.target.removesuffix("[]"),
        json.loads(rule.default or "null"),
        is_list,
        plan(below),
    )


# -- transforms ---------------------------------------------------------------------


def _trim(value: Any, argument: str, lookups: Lookups) -> Any:
    return " ".join(str(value).split())


def _upper(value: Any, argument: str, lookups: Lookups) -> Any:
    return str(value).upper()


def _lower(value: Any, argument: str, lookups: Lookups) -> Any:
    return str(value).lower()


def _text(value: Any, argument: str, lookups: Lookups) -> Any:
    """Numbers as ids: ``450789469`` -> ``"450789469"``."""
    return value if isinstance(value, str) else json.dumps(value)


def _split(value: Any, argument: str, lookups: Lookups) -> Any:
    """Argument ``<separator>|<index>``: the part at that place, from 0."""
    separator, _, index = argument.rpartition("|")
    parts = str(value).split(separator)
    place = int(index)
    return parts[place].strip() if -len(parts) <= place < len(parts) else None


def _join(value: Any, argument: str, lookups: Lookups) -> Any:
    if not isinstance(value, list):
        raise ValueError("a list is expected")
    return argument.join(str(part) for part in value if part not in (None, ""))


def _decimal(value: Any, argument: str, lookups: Lookups) -> Any:
    """A number or its text as a decimal string; argument: the decimal separator."""
    text = value if isinstance(value, str) else json.dumps(value)
    if argument == ",":
        text = text.replace(".", "").replace(",", ".")
    else:
        text = text.replace(",", "")
    return money.to_plain_text(money.from_text(text.strip()))


def _minor_units(value: Any, argument: str, lookups: Lookups) -> Any:
    """``1999`` -> ``"19.99"``; argument: digits after the point, 2 if empty."""
    digits = int(argument or 2)
    return money.to_text(money.from_text(str(value)).scaleb(-digits), digits)


def _day(value: Any, argument: str, lookups: Lookups) -> Any:
    """Argument: the partner's format (``%d.%m.%Y``), ISO 8601 if empty."""
    if argument:
        return datetime.strptime(str(value), argument).date().isoformat()
    return date.fromisoformat(str(value)[:10]).isoformat()


def _moment(value: Any, argument: str, lookups: Lookups) -> Any:
    """RFC 3339, unix seconds, or the partner's format in UTC -> RFC 3339 in UTC."""
    if isinstance(value, int | float):
        moment = datetime.fromtimestamp(value, timezone.utc)
    elif argument:
        moment = datetime.strptime(str(value), argument)
    else:
        moment = canonical.parse_moment(str(value))
    return canonical.moment_text(moment)


def _boolean(value: Any, argument: str, lookups: Lookups) -> Any:
    """True for the words of the argument (comma separated), or for usual ones."""
    words = argument or "true,yes,y,1,on"
    return str(value).strip().lower() in [
        word.strip().lower() for word in words.split(",")
    ]


def _value_map(value: Any, argument: str, lookups: Lookups) -> Any:
    """What the system's value map of that kind says."""
    return lookups.value(argument, str(value))


def _lookup(value: Any, argument: str, lookups: Lookups) -> Any:
    """``product:barcode``: the system's id of the record with that key;
    ``product@pim``: of the record that another system calls so."""
    return lookups.record(argument, _text(value, "", lookups))


def _when(value: Any, argument: str, lookups: Lookups) -> Any:
    """``paid=confirm;open=draft;*=draft``: the result beside the value. ``*`` is any
    other value, an empty result is none at all."""
    cases = conditions(argument)
    text = _text(value, "", lookups).strip()
    if text not in cases and OTHERWISE not in cases:
        raise ValueError(f"no case for {text!r}")
    return cases.get(text, cases.get(OTHERWISE)) or None


def conditions(argument: str) -> dict[str, str]:
    """``{value: result}`` of a conditional's argument.

    :raise ValueError: a case has no ``=``, or a value occurs twice
    """
    cases: dict[str, str] = {}
    for case in argument.split(";"):
        value, equals, result = (part.strip() for part in case.partition("="))
        if not equals or value in cases:
            raise ValueError(f"{case.strip()!r} is not one more value=result")
        cases[value] = result
    return cases


def _factor(value: Any, argument: str, lookups: Lookups) -> Any:
    """A number times the argument, such as ``0.001`` for grams as kilograms."""
    number = money.from_text(_decimal(value, "", lookups))
    return money.to_plain_text(number * money.from_text(argument))


TRANSFORMS: dict[str, Callable[[Any, str, Lookups], Any]] = {
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
    "lookup": _lookup,
    "when": _when,
    "factor": _factor,
}


# -- application --------------------------------------------------------------------


class _Run:
    """One application of a plan; collects what happens."""

    def __init__(self, lookups: Lookups):
        self._lookups = lookups
        self.trace: list[Step] = []
        self.faults: list[tuple[str, str, str]] = []
        self.unmapped: list[tuple[str, str]] = []

    def fill(self, nodes: Iterable[Node], document: Any, at: str) -> dict[str, Any]:
        """An object of the rules, read in ``document``."""
        values: list[tuple[str, Any]] = []
        for node in nodes:
            value = self._read(node, document, at)
            if node.is_list:
                values.append((node.member, self._items(node, value, at)))
            elif value is not None:
                values.append((node.member, value))
        return canonical.nest(values)

    def _items(self, node: Node, found: Any, at: str) -> list[Any]:
        pointer = _pointer(at, node.member)
        items = found if isinstance(found, list) else []
        if len(items) > MAX_ITEMS:
            self.faults.append((pointer, f"more than {MAX_ITEMS} items", "too_many"))
            items = []
        return [
            self.fill(node.below, item, f"{pointer}/{index}")
            for index, item in enumerate(items)
        ]

    def _read(self, node: Node, document: Any, at: str) -> Any:
        found = result = None
        error, code = "", "mapping_failed"
        try:
            found = _search(node.parsed, document)
            result = self._transformed(node.rule, found)
        except Unmapped as unmapped:
            error, code = str(unmapped), "unmapped_value"
            self.unmapped.append((unmapped.kind, unmapped.value))
        except (ValueError, TypeError, OverflowError, ArithmeticError) as failure:
            error = str(failure)
        if result is None and not error:
            result = node.default
        if result is None and node.rule.required and not error:
            error, code = "nothing was found", "required"
        pointer = _pointer(at, node.member)
        if error:
            self.faults.append((pointer, error, code))
        self.trace.append(Step(pointer, _shown(found), _shown(result), error))
        return result

    def _transformed(self, rule: Rule, found: Any) -> Any:
        if found is None or not rule.transform:
            return found
        return TRANSFORMS[rule.transform](found, rule.argument, self._lookups)


def _pointer(at: str, target: str) -> str:
    return f"{at}/{target.replace('.', '/')}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def apply(nodes: Iterable[Node], message: Any, lookups: Lookups) -> Mapped:
    """The canonical body of a message, by a :func:`plan`."""
    run = _Run(lookups)
    body = run.fill(nodes, message, "")
    return Mapped(body, tuple(run.trace), tuple(run.faults), tuple(run.unmapped))
