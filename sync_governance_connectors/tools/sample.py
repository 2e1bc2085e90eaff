"""A message that is valid by a JSON Schema, made without chance.

The same schema gives the same sample. What a schema leaves open is filled with what
reads like data (``preferred`` values, the schema's own examples), so that a person
can see what is meant; every choice is held to the schema it stands for.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import pointer

try:
    from re import _parser as _regex  # Python 3.11
except ImportError:
    import sre_parse as _regex  # type: ignore[no-redef]

MAX_DEPTH = 32
FORMATS = {
    "date-time": "2026-01-31T08:15:00Z",
    "date": "2026-01-31",
    "time": "08:15:00Z",
    "email": "partner@example.com",
    "uri": "https://partner.example/1",
    "hostname": "partner.example",
    "ipv4": "192.0.2.1",
    "uuid": "00000000-0000-4000-8000-000000000001",
}
TEXT = "Sample text "
# Tried in the place of any character, readable ones first.
ALPHABET = "a1Az0-_ .,:/" + "".join(map(chr, range(32, 127)))


class SampleError(ValueError):
    """No sample was found: the schema allows nothing, or asks too much of us."""


def sample(schema: Mapping[str, Any], preferred: Any = None) -> Any:
    """A value that is valid by ``schema`` (JSON Schema 2020-12, self-contained).

    :param preferred: values in the shape of the body, used wherever they are valid
    :raise SampleError: none could be made
    """
    value = _Maker(schema).make(schema, preferred, 0)
    faults = pointer.validate(dict(schema), value)
    if faults:
        raise SampleError(f"{faults[0].pointer}: {faults[0].detail}")
    return value


class _Maker:
    def __init__(self, root: Mapping[str, Any]):
        self.root = root

    def make(self, schema: Any, preferred: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise SampleError("The schema contains itself without end.")
        schema = self._flat(schema, depth)
        made = self._offered(schema, preferred)
        if made is not None:
            return made
        kinds = _kinds(schema)
        faults = []
        for kind in kinds:
            try:
                return getattr(self, f"_make_{kind}")(schema, preferred, depth)
            except SampleError as error:
                faults.append(str(error))
        raise SampleError("; ".join(faults) or "The schema allows nothing.")

    def _flat(self, schema: Any, depth: int) -> dict[str, Any]:
        """References followed, alternatives chosen, parts put together."""
        if schema is True:
            return {}
        if schema is False:
            raise SampleError("The schema allows nothing.")
        flat = {
            key: value
            for key, value in schema.items()
            if key not in ("$ref", "allOf", "anyOf", "oneOf")
        }
        parts = list(schema.get("allOf", ()))
        if "$ref" in schema:
            parts.append(self._referenced(schema["$ref"]))
        for word in ("anyOf", "oneOf"):
            if word in schema:
                parts.append(self._first_possible(schema[word], depth))
        if depth > MAX_DEPTH:
            raise SampleError("The schema contains itself without end.")
        for part in parts:
            flat = _merged(flat, self._flat(part, depth + 1))
        return flat

    def _first_possible(self, choices: Iterable[Any], depth: int) -> Any:
        for choice in choices:
            if choice is False or choice == {"type": "null"}:
                continue
            try:
                self.make(choice, None, depth + 1)
            except SampleError:
                continue
            return choice
        return {"type": "null"}

    def _referenced(self, reference: str) -> Any:
        node: Any = self.root
        if not reference.startswith("#"):
            raise SampleError(f"{reference} is not in the schema.")
        for step in filter(None, reference[1:].split("/")):
            try:
                node = node[step.replace("~1", "/").replace("~0", "~")]
            except (KeyError, TypeError) as error:
                raise SampleError(f"{reference} is not in the schema.") from error
        return node

    def _offered(self, schema: dict[str, Any], preferred: Any) -> Any:
        """A value that somebody thought of, if it is a valid leaf."""
        offers = [schema["const"]] if "const" in schema else []
        if not isinstance(preferred, dict | list):
            offers.append(preferred)
        offers += [*schema.get("examples", ()), schema.get("default")]
        offers += schema.get("enum", ())
        own = {**schema, "$defs": self.root.get("$defs", {})}
        for offer in offers:
            if offer is not None and not pointer.validate(own, offer):
                return offer
        if "const" in schema or "enum" in schema:
            if None in [*schema.get("enum", ()), schema.get("const", 0)]:
                return None
            raise SampleError("None of the values of the choice is allowed.")
        return None

    # -- by type ---------------------------------------------------------------------

    def _make_object(self, schema: dict[str, Any], preferred: Any, depth: int) -> Any:
        wishes = preferred if isinstance(preferred, Mapping) else {}
        required = schema.get("required", [])
        made = {}
        for name, member in schema.get("properties", {}).items():
            if wishes and name not in wishes and name not in required:
                continue  # the wish is a whole body
            try:
                made[name] = self.make(member, wishes.get(name), depth + 1)
            except SampleError:
                if name in required:
                    raise
        for name in required:
            if name not in made:
                extra = schema.get("additionalProperties", True)
                made[name] = self.make(extra, wishes.get(name), depth + 1)
        return self._within_bounds(schema, made, required)

    def _within_bounds(self, schema, made, required):
        spare = [name for name in made if name not in required]
        while len(made) > schema.get("maxProperties", len(made)) and spare:
            del made[spare.pop()]
        number = 0
        while len(made) < schema.get("minProperties", 0):
            if schema.get("additionalProperties", True) is False or number > 99:
                raise SampleError("There are fewer members than are asked for.")
            extra = schema.get("additionalProperties", True)
            made[f"member_{number}"] = self.make(extra, None, 1)
            number += 1
        return made

    def _make_array(self, schema: dict[str, Any], preferred: Any, depth: int) -> Any:
        wishes = list(preferred) if isinstance(preferred, list) else []
        ahead = schema.get("prefixItems", [])
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        count = max(least, len(ahead), 1)
        if most is not None:
            count = min(count, most)
        made: list[Any] = []
        for index in range(count):
            item = ahead[index] if index < len(ahead) else schema.get("items", True)
            wish = wishes[index] if index < len(wishes) else None
            try:
                made.append(self.make(item, wish, depth + 1))
            except SampleError:
                if index < least:
                    raise
                break
        return made

    def _make_string(self, schema: dict[str, Any], preferred: Any, depth: int) -> Any:
        least = schema.get("minLength", 0)
        most = schema.get("maxLength")
        if schema.get("format") in FORMATS:
            text = FORMATS[schema["format"]]
        elif "pattern" in schema:
            text = from_pattern(schema["pattern"], least)
        else:
            text = TEXT.strip()
        while len(text) < least:
            text += TEXT if "pattern" not in schema else text or "a"
        if most is not None:
            text = text[:most]
        return self._held(schema, text)

    def _make_integer(self, schema: dict[str, Any], preferred: Any, depth: int) -> Any:
        return self._held(schema, _number(schema, 1))

    def _make_number(self, schema: dict[str, Any], preferred: Any, depth: int) -> Any:
        for step in (1, 0.5, 0.01):
            value = _number(schema, step)
            if not pointer.validate(schema, value):
                return value
        raise SampleError("No number is allowed.")

    def _make_boolean(self, schema: dict[str, Any], preferred: Any, depth: int) -> Any:
        return True

    def _make_null(self, schema: dict[str, Any], preferred: Any, depth: int) -> Any:
        return None

    def _held(self, schema: dict[str, Any], value: Any) -> Any:
        if pointer.validate(schema, value):
            raise SampleError(f"{json.dumps(value)} is not what {schema} means.")
        return value


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """The types to try, what tells most first."""
    kinds = schema.get("type")
    if kinds is None:
        return (
            ["object"]
            if "properties" in schema or "required" in schema
            else (["array"] if "items" in schema else ["string"])
        )
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    return sorted(kinds, key=lambda kind: kind == "null")


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both schemas at once, as far as samples need it."""
    both = {**one, **other}
    both["properties"] = {**one.get("properties", {}), **other.get("properties", {})}
    both["required"] = [*one.get("required", ()), *other.get("required", ())]
    return {key: value for key, value in both.items() if value not in ({}, [])}


def _number(schema: Mapping[str, Any], step: float) -> Any:
    """The number nearest to 1 that the bounds let through."""
    step = schema.get("multipleOf", step)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value = step
    if low is not None and value < low:
        value = -(-low // step) * step
    if high is not None and value > high:
        value = high // step * step
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        value += step
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        value -= step
    return value


def from_pattern(pattern: str, least: int = 0) -> str:
    """A short text that matches a regular expression.

    :param least: how long repetitions are to make it
    :raise SampleError: none was found
    """
    try:
        tree = _regex.parse(pattern)
    except re.error as error:
        raise SampleError(f"{pattern} is no regular expression.") from error
    for more in (0, least):
        text = _text_of(tree, more)
        if re.search(pattern, text) and len(text) >= least:
            return text
    raise SampleError(f"No text was found for {pattern}.")


def _text_of(tree: Any, more: int) -> str:
    return "".join(_piece(str(kind), argument, more) for kind, argument in tree)


def _piece(kind: str, argument: Any, more: int) -> str:
    if kind == "LITERAL":
        return chr(argument)
    if kind == "ANY":
        return "a"
    if kind == "NOT_LITERAL":
        return next(one for one in ALPHABET if ord(one) != argument)
    if kind == "IN":
        return next((one for one in ALPHABET if _within(argument, one)), "")
    if kind == "BRANCH":
        return _text_of(argument[1][0], more)
    if kind == "SUBPATTERN":
        return _text_of(argument[3], more)
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inner = argument
        return _text_of(inner, more) * min(max(low, more), int(high))
    return ""  # places and what looks around: the whole is checked in the end


_CATEGORIES = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_NOT_DIGIT": lambda one: not one.isdigit(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda one: not one.isspace(),
    "CATEGORY_WORD": lambda one: one.isalnum() or one == "_",
    "CATEGORY_NOT_WORD": lambda one: not (one.isalnum() or one == "_"),
}


def _within(parts: Any, one: str) -> bool:
    """Whether a character is one of a class."""
    negated = any(str(kind) == "NEGATE" for kind, _argument in parts)
    found = any(
        (str(kind) == "LITERAL" and argument == ord(one))
        or (str(kind) == "RANGE" and argument[0] <= ord(one) <= argument[1])
        or (str(kind) == "CATEGORY" and _CATEGORIES[str(argument)](one))
        for kind, argument in parts
    )
    return found != negated
