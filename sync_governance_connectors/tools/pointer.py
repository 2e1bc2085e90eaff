"""JSON Schema validation that reports every fault at once, each with a JSON Pointer.

Schemas are JSON Schema 2020-12. Validators are compiled once per schema value and
kept: the gate validates every body, and compiling costs far more than validating.
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry  # comes with jsonschema

from .problem import FieldError

MAX_ERRORS = 50
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
