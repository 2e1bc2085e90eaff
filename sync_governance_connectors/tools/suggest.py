# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""Which part of a partner's message may fill which member of a canonical body.

Deterministic: names, the form of the values, values that are known already, and rules
that other mappings use. Each suggestion says why it was made; a person accepts it.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from .canonical import Kind, Member

#: below it nothing is suggested
THRESHOLD = 0.55
NAME, FORM, OVERLAP, HISTORY = 0.7, 0.3, 0.35, 0.35
MAX_SAMPLES = 20
MAX_DEPTH = 6

# Words of partners for words of ours.
_WORDS = {
    "qty": "quantity",
    "sku": "product",
    "item": "line",
    "items": "line",
    "lines": "line",
    "positions": "line",
    "amount": "total",
    "sum": "total",
    "created": "ordered",
    "placed": "ordered",
    "postcode": "zip",
    "postal": "zip",
    "mail": "email",
    "telephone": "phone",
    "mobile": "phone",
    "buyer": "customer",
    "client": "customer",
    "unit": "uom",
    "province": "state",
    "region": "state",
    "address1": "street",
    "address2": "street2",
    "po": "reference",
    "ref": "reference",
    "code": "id",
    "external": "",
    "at": "",
    "date": "",
}
_NUMBER = re.compile(r"-?[0-9][0-9.,]*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Place:
    """Where a message holds something.

    :ivar expression: JMESPath, read within ``lists``
    :ivar lists: expressions of the lists around it, outermost first
    :ivar values: of the sample; empty for a list
    """

    expression: str
    lists: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    is_list: bool = False


@dataclass(frozen=True)
class Wanted:
    """A member that no rule fills yet.

    :ivar target: as in a rule (``lines[].quantity``)
    :ivar known: values that are known to belong there, as text
    """

    target: str
    kind: Kind
    known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Suggestion:
    """A rule to accept, with its reasons.

    :ivar score: 0 to 1
    :ivar evidence: ``(reason code, figure or text)``
    """

    target: str
    expression: str
    transform: str
    score: float
    evidence: tuple[tuple[str, str], ...] = field(default=())


def choice_words(member: Member) -> frozenset[str]:
    """Values that a choice knows of itself."""
    return frozenset(word for word, _odoo in member.choices)


def wanted(
    members: Iterable[Member],
    known: Callable[[Member], frozenset[str]] = choice_words,
    within: str = "",
) -> list[Wanted]:
    """Members that a body may hold, those of lists included.

    :param known: values that are known to belong to a member
    """
    found = []
    for member in members:
        if member.readonly or (not within and member.path == "external_id"):
            continue
        target = within + member.path
        if member.kind == Kind.LIST:
            found.append(Wanted(f"{target}[]", member.kind))
            found += wanted(member.items, known, f"{target}[].")
            continue
        if member.kind == Kind.REFERENCE:
            target += ".external_id"
        found.append(Wanted(target, member.kind, known(member)))
    return found


def places(message: Any) -> list[Place]:
    """Every value and list of objects in a message, in its order."""
    return list(_places(message, "", (), 0))


def _places(value: Any, at: str, lists: tuple[str, ...], depth: int) -> Iterable[Place]:
    if depth > MAX_DEPTH or not isinstance(value, dict):
        return
    for name, inner in value.items():
        part = name if _PLAIN.fullmatch(name) else json.dumps(name)
        expression = f"{at}.{part}" if at else part
        if isinstance(inner, dict):
            yield from _places(inner, expression, lists, depth + 1)
        elif isinstance(inner, list):
            items = [item for item in inner[:MAX_SAMPLES] if isinstance(item, dict)]
            if items:
                yield Place(expression, lists, is_list=True)
                yield from _merged(items, (*lists, expression), depth + 1)
        elif inner is not None:
            yield Place(expression, lists, (inner,))


def _merged(items: list[Any], lists: tuple[str, ...], depth: int) -> Iterable[Place]:
    """Places of all items, each once, with the values of all."""
    known: dict[tuple[str, tuple[str, ...]], Place] = {}
    for item in items:
        for place in _places(item, "", lists, depth):
            key = place.expression, place.lists
            values = known[key].values if key in known else ()
            known[key] = Place(
                place.expression, place.lists, values + place.values, place.is_list
            )
    return known.values()


def suggest(
    members: Iterable[Wanted],
    found: Iterable[Place],
    used: Mapping[str, str],
    history: Callable[[str, str], int] = lambda target, expression: 0,
) -> list[Suggestion]:
    """The best place of each member, where one is good enough.

    :param used: ``{target: expression}`` of the rules that are there
    :param history: ``(target, expression) -> mappings that have this rule``
    """
    found = list(found)
    # Members of a list are looked for in the list that fills it.
    filled = dict(used)
    suggestions = []
    for member in sorted(members, key=lambda one: one.target.count("[]")):
        if member.target in used:
            continue
        around = _lists_around(member.target, filled)
        candidates = [
            _scored(member, place, history)
            for place in found
            if place.lists == around and place.is_list == (member.kind == Kind.LIST)
        ]
        best = max(candidates, key=lambda one: one.score, default=None)
        if best and best.score >= THRESHOLD:
            suggestions.append(best)
            filled[member.target] = best.expression
    return suggestions


def _lists_around(target: str, filled: Mapping[str, str]) -> tuple[str, ...] | None:
    """Expressions of the lists around a target; None while one of them is not read."""
    parts = target.removesuffix("[]").split("[]")[:-1]
    lists = ["[]".join(parts[: place + 1]) + "[]" for place in range(len(parts))]
    if not all(one in filled for one in lists):
        return None
    return tuple(filled[one] for one in lists)


def _scored(
    member: Wanted, place: Place, history: Callable[[str, str], int]
) -> Suggestion:
    name = similarity(member.target, place.expression)
    form, transform = _form(member.kind, place)
    overlap = _overlap(member.known, place.values)
    before = history(member.target, place.expression)
    score = NAME * name + FORM * form + OVERLAP * overlap + HISTORY * bool(before)
    evidence = [("name", f"{name:.0%}")]
    if form:
        evidence.append(("form", member.kind.value))
    if overlap:
        evidence.append(("overlap", f"{overlap:.0%}"))
    if before:
        evidence.append(("history", str(before)))
    # Values of the wrong form cannot be right, whatever they are called.
    score = min(score, 1.0) if form else 0.0
    return Suggestion(
        member.target, place.expression, transform, round(score, 2), tuple(evidence)
    )


def similarity(target: str, expression: str) -> float:
    """How alike two paths are called: their last names above all, 0 to 1."""
    ours, theirs = _names(target), _names(expression)
    if not ours or not theirs:
        return 0.0
    shared = len(set(ours) & set(theirs)) / len(set(ours) | set(theirs))
    last = SequenceMatcher(None, ours[-1], theirs[-1]).ratio()
    spelled = SequenceMatcher(None, "".join(ours), "".join(theirs)).ratio()
    return max(shared, 0.6 * last + 0.4 * shared, 0.9 * spelled)


def _names(path: str) -> list[str]:
    """Words of a path's last two names, in our words; ``id`` only where it is all."""
    path = path.removesuffix("[]").rpartition("[].")[2]
    names = path.replace('"', "").split(".")
    names = [*names[-2:]] if len(names) > 1 else names
    split = " ".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name) for name in names)
    words = [word for word in re.split(r"[^A-Za-z0-9]+", split.lower()) if word]
    ours = [one for one in (_WORDS.get(word, word) for word in words) if one]
    return [one for one in ours if one != "id"] or ours


def _overlap(known: frozenset[str], values: tuple[Any, ...]) -> float:
    texts = {str(value) for value in values}
    return len(texts & known) / len(texts) if texts and known else 0.0


def _form(kind: Kind, place: Place) -> tuple[float, str]:
    """``(0 or 1, transform)``: whether the values can be such, and by what."""
    if kind == Kind.LIST:
        return 1.0, ""
    check, transform = _FORMS.get(kind, (_is_text, ""))
    if not place.values or not all(check(value) for value in place.values):
        return 0.0, ""
    if not transform and not all(isinstance(value, str) for value in place.values):
        transform = "text"
    return 1.0, transform


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or bool(_NUMBER.fullmatch(str(value)))


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) and bool(_DATE.match(value))


def _is_text(value: Any) -> bool:
    return not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    words = ("true", "false", "yes", "no", "y", "n")
    return isinstance(value, bool) or str(value).lower() in words


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and 2 <= len(value) <= 6


_FORMS: dict[Kind, tuple[Callable[[Any], bool], str]] = {
    Kind.AMOUNT: (_is_number, "decimal"),
    Kind.QUANTITY: (_is_number, "decimal"),
    Kind.MOMENT: (_is_moment, "moment"),
    Kind.DAY: (_is_moment, "day"),
    Kind.BOOLEAN: (_is_flag, "boolean"),
    Kind.CURRENCY: (_is_code, "upper"),
    Kind.COUNTRY: (_is_code, "upper"),
}
