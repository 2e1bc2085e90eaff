# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""The canonical form of a resource, described once.

A resource is a table of :class:`Member`. Its JSON Schema, its example and the
walk over a body are derived from that table, so that the three cannot differ.
Formats: amounts and quantities are decimal strings, moments RFC 3339 in UTC,
countries ISO 3166-1 alpha-2, subdivisions ISO 3166-2, currencies ISO 4217,
languages BCP 47.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from enum import Enum
from typing import Any

from . import money

# No control character but tab and line breaks: PostgreSQL refuses NUL, and the
# others hide text from the person who reads it.
# Halves of surrogate pairs are no JSON text at all: tools/jsonbody refuses them.
TEXT_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f]*$"
IDENTIFIER_PATTERN = (
    r"^[^\u0000-\u001f\u007f\s/?#]"
    r"(?:[^\u0000-\u001f\u007f/?#]*[^\u0000-\u001f\u007f\s/?#])?$"
)
IDENTIFIER_SCHEMA: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 128,
    "pattern": IDENTIFIER_PATTERN,
}
_IDENTIFIER = re.compile(IDENTIFIER_PATTERN.removesuffix("$") + r"\Z")
MAX_ITEMS = 500


class Kind(str, Enum):
    """How a member looks on the wire."""

    IDENTIFIER = "identifier"
    TEXT = "text"
    BOOLEAN = "boolean"
    AMOUNT = "amount"
    QUANTITY = "quantity"
    MOMENT = "moment"
    DAY = "day"
    COUNTRY = "country"
    SUBDIVISION = "subdivision"
    CURRENCY = "currency"
    LANGUAGE = "language"
    CHOICE = "choice"
    LABEL = "label"
    REFERENCE = "reference"
    LIST = "list"


@dataclass(frozen=True)
class Member:
    """One member of a canonical body.

    :ivar path: dotted place in the body (``address.city``)
    :ivar kind: wire form
    :ivar field: Odoo field it is read from and
        written to; empty = the resource computes it
    :ivar required: must be sent at creation and replacement, never null
    :ivar readonly: in answers only
    :ivar writeonly: in bodies only; what the caller says about the call, not a value
    :ivar fixed: is sent at creation; may be repeated afterwards, not changed
    :ivar model: Odoo model that a reference or label names
    :ivar choices: contract words of a choice, each with Odoo's own value
    :ivar items: members of a list's items
    :ivar limit: longest text
    """

    path: str
    kind: Kind = Kind.TEXT
    field: str = ""
    required: bool = False
    readonly: bool = False
    writeonly: bool = False
    fixed: bool = False
    model: str = ""
    choices: tuple[tuple[str, Any], ...] = ()
    items: tuple["Member", ...] = ()
    limit: int = 255
    note: str = ""
    example: Any = None

    @property
    def pointer(self) -> str:
        """JSON pointer (RFC 6901) of the member."""
        return "/" + self.path.replace(".", "/")


REFERENCE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Names another record: by the caller's own id or by the "
    "canonical reference.",
    "properties": {
        "external_id": dict(IDENTIFIER_SCHEMA),
        "ref": {"type": "string", "pattern": "^[a-z]{3}_[0-9a-f]{32}$"},
    },
    "minProperties": 1,
    "additionalProperties": False,
}
REFERENCE_ANSWER_SCHEMA: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {
        "external_id": {"type": ["string", "null"]},
        "ref": {"type": "string"},
    },
    "required": ["external_id", "ref"],
    "additionalProperties": False,
}


def _value_schema(member: Member) -> dict[str, Any]:
    """JSON Schema of a member's non-null value."""
    kind = member.kind
    simple: dict[Kind, dict[str, Any]] = {
        Kind.IDENTIFIER: dict(IDENTIFIER_SCHEMA),
        Kind.BOOLEAN: {"type": "boolean"},
        Kind.AMOUNT: {"type": "string", "pattern": money.PATTERN},
        Kind.QUANTITY: {"type": "string", "pattern": money.PATTERN},
        Kind.MOMENT: {"type": "string", "format": "date-time"},
        Kind.DAY: {"type": "string", "format": "date"},
        Kind.COUNTRY: {"type": "string", "pattern": "^[A-Z]{2}$"},
        Kind.SUBDIVISION: {"type": "string", "pattern": "^[A-Z]{2}-[A-Z0-9]{1,5}$"},
        Kind.CURRENCY: {"type": "string", "pattern": "^[A-Z]{3}$"},
        Kind.LANGUAGE: {"type": "string", "pattern": "^[a-z]{2,3}(-[A-Z]{2})?$"},
    }
    if kind in simple:
        return dict(simple[kind])
    if kind is Kind.CHOICE:
        return {"type": "string", "enum": list(dict(member.choices))}
    text = {"type": "string", "maxLength": member.limit, "pattern": TEXT_PATTERN}
    return {**text, "minLength": 1} if member.required else text


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema, which accepts null too."""
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _member_schema(member: Member, operation: str) -> dict[str, Any]:
    if member.kind is Kind.LIST:
        result: dict[str, Any] = {
            "type": "array",
            "items": schema(member.items, "read" if operation == "read" else "create"),
            "maxItems": MAX_ITEMS,
        }
        if member.required and operation != "read":
            result["minItems"] = 1
    elif member.kind is Kind.REFERENCE:
        base = REFERENCE_ANSWER_SCHEMA if operation == "read" else REFERENCE_SCHEMA
        result = dict(base)
        if operation != "read" and not member.required:
            result = _nullable(result)
    else:
        result = _value_schema(member)
        if operation == "read":
            # What Odoo holds need not obey the form asked of a caller.
            result.pop("pattern", None)
            result.pop("maxLength", None)
            result.pop("minLength", None)
        if not member.required or (
            operation == "read" and member.path == "external_id"
        ):
            result = _nullable(result)
    if member.note:
        result["description"] = member.note
    if member.readonly:
        result["readOnly"] = True
    if member.writeonly:
        result["writeOnly"] = True
    return result


def _belongs(member: Member, operation: str) -> bool:
    """Whether a member may appear in the body of an operation."""
    if operation == "read":
        return not member.writeonly
    return not member.readonly


def _place(tree: dict[str, Any], path: str, value: Any) -> None:
    *parents, leaf = path.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
    tree[leaf] = value


def nest(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """``[("address.city", "Köln")]`` ->
    ``{"address": {"city": "Köln"}}``, in that order.
    """
    tree: dict[str, Any] = {}
    for path, value in values:
        _place(tree, path, value)
    return tree


def flatten(members: Iterable[Member], body: Mapping[str, Any]) -> dict[str, Any]:
    """A body in one level, for a table: dotted names, always the same; lists are left
    out, a reference is its external id."""
    flat: dict[str, Any] = {}
    for member in members:
        if member.kind is Kind.LIST:
            continue
        value: Any = body
        for step in member.path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if member.kind is Kind.REFERENCE:
            flat[f"{member.path}.external_id"] = (value or {}).get("external_id")
        else:
            flat[member.path] = value
    return flat


def schema(members: Iterable[Member], operation: str) -> dict[str, Any]:
    """JSON Schema 2020-12 of a body.

    :param operation: ``create``, ``replace``, ``patch`` (nothing
        required, null empties) or ``read`` (every member is there)
    """
    root: dict[str, Any] = _object(operation)
    for member in members:
        if not _belongs(member, operation):
            continue
        node = root
        *parents, leaf = member.path.split(".")
        for parent in parents:
            node = node["properties"].setdefault(parent, _branch(operation))
        node["properties"][leaf] = _member_schema(member, operation)
        if operation == "read" or (member.required and operation != "patch"):
            _require(root, member.path)
    return root


def _object(operation: str) -> dict[str, Any]:
    return {"type": "object", "properties": {}, "additionalProperties": False}


def _branch(operation: str) -> dict[str, Any]:
    """A nested object; a caller may send null for the whole of it."""
    branch = _object(operation)
    return branch if operation == "read" else {**branch, "type": ["object", "null"]}


def _require(node: dict[str, Any], path: str) -> None:
    """Marks each step of a path as required, so that a parent is required too."""
    for step in path.split("."):
        required = node.setdefault("required", [])
        if step not in required:
            required.append(step)
        node = node["properties"][step]


def example(members: Iterable[Member], operation: str) -> dict[str, Any]:
    """A complete body that is valid for the operation."""
    return nest(
        (member.path, _example_value(member, operation))
        for member in members
        if _belongs(member, operation)
        # An example is to be tried: on a record that has other fixed values.
        and not (operation == "patch" and member.fixed)
        and (
            member.example is not None
            or operation == "read"
            or member.kind is Kind.LIST
        )
    )


def _example_value(member: Member, operation: str) -> Any:
    if member.kind is Kind.LIST:
        inner = "read" if operation == "read" else "create"
        return [example(member.items, inner)]
    if member.kind is Kind.REFERENCE and operation == "read" and member.example:
        return {"external_id": None, "ref": "xxx_" + "0" * 32, **member.example}
    return member.example


def walk(
    members: Iterable[Member], body: Mapping[str, Any]
) -> Iterator[tuple[Member, Any]]:
    """Members that the body speaks of, with their values.

    A null parent (``"address": null``) speaks of each member below it.
    """
    for member in members:
        node: Any = body
        for step in member.path.split("."):
            if node is None:
                break
            if step not in node:
                break
            node = node[step]
        else:
            yield member, node
            continue
        if node is None:
            yield member, None


# What a value is read from, below its field.
_READ_BELOW = {
    Kind.COUNTRY: ("code",),
    Kind.SUBDIVISION: ("code", "country_id.code"),
    Kind.CURRENCY: ("name",),
    Kind.LABEL: ("name",),
}


def reads(members: Iterable[Member], at: str = "") -> Iterator[str]:
    """Dotted paths of all fields that a body is read from."""
    for member in members:
        if member.field and not member.writeonly:
            path = at + member.field
            yield path
            yield from (f"{path}.{one}" for one in _READ_BELOW.get(member.kind, ()))
            yield from reads(member.items, f"{path}.")


def writable(members: Iterable[Member], body: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a record's body that may be sent to create it; no nulls."""
    return nest(
        (member.path, _writable_value(member, value))
        for member, value in walk(members, body)
        if value is not None and not member.readonly
    )


def _writable_value(member: Member, value: Any) -> Any:
    if member.kind is Kind.LIST:
        return [writable(member.items, item) for item in value]
    if member.kind is Kind.REFERENCE:
        return {name: one for name, one in value.items() if one is not None}
    return value


def is_identifier(text: str) -> bool:
    """Whether a text obeys :data:`IDENTIFIER_SCHEMA`."""
    maximum = IDENTIFIER_SCHEMA["maxLength"]
    return len(text) <= maximum and bool(_IDENTIFIER.match(text))


def moment_text(moment: datetime) -> str:
    """Naive UTC (as Odoo stores it) or aware -> RFC 3339 in UTC, to the second."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str) -> datetime:
    """RFC 3339 -> naive UTC, as Odoo stores it.

    :raise ValueError: not a moment with an offset
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError("a moment needs an offset (RFC 3339)")
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("a moment beyond the calendar") from None
    return moment.replace(tzinfo=None, microsecond=0)


def parse_day(text: str) -> date:
    """ISO 8601 calendar date.

    :raise ValueError: not a date
    """
    return date.fromisoformat(text)
