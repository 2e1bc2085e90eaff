"""JSON Schema validation that reports every fault at once, each with a JSON Pointer.

Schemas are JSON Schema 2020-12. Validators are compiled once per schema value and
kept: the gate validates every body, and compiling costs far more than validating.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry  # comes with jsonschema
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from .problem import FieldError

MAX_ERRORS = 50
# Schemas that a contract may apply to one and the same value.
MAX_APPLIED = 1_000
_formats = FormatChecker()
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z", re.ASCII
)
_CODES = {
    "required": "required",
    "additionalProperties": "unknown_field",
    "type": "wrong_type",
    "enum": "not_allowed",
    "const": "not_allowed",
    "pattern": "wrong_format",
    "format": "wrong_format",
    "maxLength": "too_long",
    "minLength": "too_short",
    "maxItems": "too_many",
    "minItems": "too_few",
}


def validate(schema: dict[str, Any], body: Any) -> list[FieldError]:
    """Every fault of ``body`` (at most :data:`MAX_ERRORS`), in document order."""
    return faults(compiled(json.dumps(schema, sort_keys=True)), body)


@lru_cache(maxsize=256)
def compiled(schema_json: str) -> Draft202012Validator:
    """Validator of a schema given as JSON text (the text is the cache key)."""
    schema = json.loads(schema_json)
    Draft202012Validator.check_schema(schema)
    # An empty registry: a reference that leads out is an error, never a download.
    return Draft202012Validator(schema, registry=Registry(), format_checker=_formats)


def faults(validator: Draft202012Validator, body: Any) -> list[FieldError]:
    found: list[FieldError] = []
    for error in validator.iter_errors(body):
        found.extend(_field_errors(error))
        if len(found) >= MAX_ERRORS:
            break
    return found[:MAX_ERRORS]


def check(schema: Any) -> None:
    """Whether every body can be held to a schema, whatever it is.

    :raise ValueError: no: the schema is malformed, a reference leads out of it or to
        what is no schema, or one leads back to itself before it reaches a part of the
        body, so that validation would never end, or not for a long time
    """
    try:
        Draft202012Validator.check_schema(schema)
        if _most_applied(_followed(schema)) > MAX_APPLIED:
            raise ValueError(f"it holds one value to more than {MAX_APPLIED} schemas")
    except SchemaError as error:
        raise ValueError(f"{error.json_path}: {error.message}") from error
    except CycleError as error:
        raise ValueError("a reference leads back to itself") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _most_applied(graph: dict[int, list[int]]) -> int:
    """To how many schemas a value is held at most; references multiply them.

    :raise CycleError: to any number
    """
    counts: dict[int, int] = {}
    for one in TopologicalSorter(graph).static_order():
        counts[one] = 1 + sum(counts[below] for below in graph.get(one, ()))
    return max(counts.values(), default=0)


def _followed(schema: Any) -> dict[int, list[int]]:
    """Which schemas each schema inside applies to the very value it is applied to.

    Schemas are named by their identity: each stands at one place of the text.
    """
    root = DRAFT202012.create_resource(schema)
    waiting = [(root, Registry().resolver_with_root(root))]
    graph, targets = {}, []
    while waiting:
        resource, resolver = waiting.pop()
        if isinstance(resource.contents, bool):
            continue
        target = _target(resource.contents, resolver)
        graph[id(resource.contents)] = [
            id(one) for one in (*_alongside(resource.contents), *target)
        ]
        targets += target
        waiting += [
            (part, resolver.in_subresource(part)) for part in resource.subresources()
        ]
    if any(id(target) not in graph for target in targets):
        raise ValueError("a reference leads to what is no schema")
    return graph


def _target(schema: dict[str, Any], resolver: Any) -> list[dict[str, Any]]:
    """The schema that this one refers to, if it does; ``true`` and ``false`` are none
    to be followed.

    :raise ValueError: it is not inside
    """
    if "$dynamicRef" in schema:
        raise ValueError("$dynamicRef is not supported")
    if "$ref" not in schema:
        return []
    try:
        target = resolver.lookup(schema["$ref"]).contents
    except Unresolvable as error:
        raise ValueError(f"the reference {schema['$ref']} leads nowhere") from error
    return [] if isinstance(target, bool) else [target]


def _alongside(schema: dict[str, Any]) -> Iterator[Any]:
    """Schemas inside that are about the same value."""
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(keyword, ())
    for keyword in ("not", "if", "then", "else"):
        if keyword in schema:
            yield schema[keyword]
    yield from schema.get("dependentSchemas", {}).values()


@_formats.checks("date-time", raises=ValueError)
def _is_rfc3339(value: Any) -> bool:
    """``date-time`` without the optional package jsonschema would need for it."""
    if not isinstance(value, str):
        return True
    if not _RFC3339.match(value):
        return False
    # Python reads at most microseconds; further digits change nothing here.
    datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    return True


def to_pointer(path: Iterable[str | int]) -> str:
    """JSON Pointer (RFC 6901) of a path."""
    return "".join(
        "/" + str(step).replace("~", "~0").replace("/", "~1") for step in path
    )


def find(value: Any, pointer: str) -> Any:
    """What a JSON Pointer leads to; None when it leads nowhere."""
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            place = int(token) if token.isdecimal() else len(value)
            value = value[place] if place < len(value) else None
        else:
            value = value.get(token) if isinstance(value, dict) else None
    return value


def _field_errors(error: ValidationError) -> Iterable[FieldError]:
    """One fault per offending member, so that a form can mark each one."""
    path = list(error.absolute_path)
    if error.validator == "required":
        # jsonschema reports each missing member on its own: its name is quoted first.
        name = error.message.split("'")[1]
        yield FieldError(
            to_pointer([*path, name]), "This field is missing.", "required"
        )
    elif error.validator == "additionalProperties" and error.validator_value is False:
        known = error.schema.get("properties", {})
        for name in error.instance:
            if name not in known:
                yield FieldError(
                    to_pointer([*path, name]),
                    "The contract has no such field.",
                    "unknown_field",
                )
    else:
        code = _CODES.get(str(error.validator), "invalid")
        yield FieldError(to_pointer(path), _say(error), code)


def _say(error: ValidationError) -> str:
    """What is expected, without echoing the (maybe secret, maybe huge) value."""
    expected = error.validator_value
    match error.validator:
        case "type":
            names = expected if isinstance(expected, list) else [expected]
            return f"Expected {' or '.join(names)}."
        case "enum":
            return "Expected one of " + ", ".join(map(str, expected)) + "."
        case "const":
            return f"Expected {expected}."
        case "pattern":
            return f"Does not match {expected}."
        case "format":
            return f"Is not a valid {expected}."
        case "maxLength" | "maxItems" | "maximum":
            return f"Must be at most {expected}."
        case "minLength" | "minItems" | "minimum":
            return f"Must be at least {expected}."
        case _:
            return f"Breaks the rule {error.validator}."
