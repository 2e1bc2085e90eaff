"""From method and path to what is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from .canonical import is_identifier
from .problem import FieldError, Problem

READ, WRITE, TRANSITION = "read", "write", "transition"
_COLLECTION = {"GET": "list", "POST": "create"}
_RECORD = {"GET": "read", "PUT": "replace", "PATCH": "patch"}
# Operations whose repetition must be recognised; PUT is idempotent by itself.
KEY_REQUIRED = frozenset({"create", "patch", "transition", "bulk"})
NO_BODY = frozenset({"list", "read"})
CONTENT_TYPES = {"patch": "application/merge-patch+json"}


@dataclass(frozen=True)
class Route:
    """What a call asks for: an operation of a resource, maybe on one record."""

    resource: str
    operation: str  # list create read replace patch transition bulk
    external_id: str | None = None
    transition: str | None = None

    @property
    def access(self) -> str:
        """The scope operation this needs."""
        if self.operation in ("list", "read"):
            return READ
        return TRANSITION if self.operation == "transition" else WRITE

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it; groups calls in figures and keys."""
        parts = ["", self.resource]
        if self.operation == "bulk":
            parts.append("bulk")
        if self.external_id is not None:
            parts.append("{external_id}")
        if self.transition is not None:
            parts.append(self.transition)
        return "/".join(parts)

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES.get(self.operation, "application/json")


def allowed_methods(segments: list[str], operations: frozenset, transitions) -> list:
    """Methods a path answers to; [] when there is nothing at this path."""
    match segments:
        case [_resource]:
            found = [
                m for m, operation in _COLLECTION.items() if operation in operations
            ]
        case [_resource, "bulk"] if "bulk" in operations:
            found = ["POST"]
        case [_resource, _external_id]:
            found = [m for m, operation in _RECORD.items() if operation in operations]
        case [_resource, _external_id, name] if name in transitions:
            found = ["POST"]
        case _:
            found = []
    return ["GET", "HEAD", *found[1:]] if found[:1] == ["GET"] else found


def method_not_allowed(allowed: Iterable[str]) -> Problem:
    """405 that says which methods an address has."""
    names = ", ".join(allowed)
    detail = f"This address answers to {names}."
    return Problem(405, "method_not_allowed", detail, headers={"Allow": names})


def resolve(
    method: str, segments: list[str], operations: frozenset, transitions
) -> Route:
    """The route of a call. :raise Problem: 400, 404, or 405 with ``Allow``"""
    allowed = allowed_methods(segments, operations, transitions)
    if not allowed:
        raise Problem(404, "no_such_path", "There is nothing at this address.")
    if method not in allowed:
        raise method_not_allowed(allowed)
    if len(segments) > 1 and not is_identifier(segments[1]):
        raise Problem(
            400,
            "parameter_invalid",
            "The address holds no id of a record.",
            errors=[FieldError("external_id", "Is not a valid id.", "wrong_format")],
        )
    method = "GET" if method == "HEAD" else method
    match segments:
        case [resource]:
            return Route(resource, _COLLECTION[method])
        case [resource, _bulk] if method == "POST":
            return Route(resource, "bulk")
        case [resource, external_id]:
            return Route(resource, _RECORD[method], external_id)
        case [resource, external_id, name]:
            return Route(resource, "transition", external_id, name)
    raise AssertionError("allowed_methods() let an unknown path through")
