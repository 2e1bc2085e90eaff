"""Errors a partner's engineer can act on (RFC 9457, ``application/problem+json``).

:class:`Problem` is the only exception that reaches a caller. Everything else is turned
into one at the edge, so that no traceback and no table name ever leaves Odoo.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
# Registered by the RateLimit draft; everything else is ours and documented in OpenAPI.
IANA_TYPES = {
    "quota_exceeded": "https://iana.org/assignments/http-problem-types#quota-exceeded",
    "temporary_reduced_capacity": (
        "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    ),
    "abnormal_usage_detected": (
        "https://iana.org/assignments/http-problem-types#abnormal-usage-detected"
    ),
}


@dataclass(frozen=True)
class FieldError:
    """One fault in a body: where (JSON Pointer, RFC 6901), what, and its code."""

    pointer: str
    detail: str
    code: str = "invalid"

    def as_dict(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail, "code": self.code}


class Problem(Exception):
    """A refusal, with the HTTP status it is answered with.

    :param status: HTTP status code, 400..599
    :param code: stable snake_case word a program can branch on
    :param detail: one sentence for the engineer who reads it
    :param errors: the faults of the body, all at once
    :param headers: response headers this refusal needs (``Retry-After`` ...)
    :param aftermath: called once the refused effects are undone, to keep what is
        to be known of the refusal
    :param members: further members of the problem document
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        title: str | None = None,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        aftermath: Callable[[], None] = lambda: None,
        **members: Any,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.aftermath = aftermath
        self.members = members

    @classmethod
    def invalid(cls, errors: Iterable[tuple[str, str, str] | FieldError]) -> "Problem":
        """422 with every fault of the body: ``(pointer, message, code)`` each."""
        faults = tuple(
            error if isinstance(error, FieldError) else FieldError(*error)
            for error in errors
        )
        count = len(faults)
        detail = faults[0].detail if count == 1 else f"The body has {count} faults."
        return cls(
            422,
            "validation_failed",
            detail,
            title="The body does not match the contract",
            errors=faults,
        )

    def summary(self) -> str:
        """Every fault and its place, in one line for a person."""
        faults = [f"{error.pointer}: {error.detail}" for error in self.errors]
        return "; ".join(faults) or self.detail or self.title

    def as_dict(self, instance: str = "") -> dict[str, Any]:
        """The problem document; ``instance`` names this occurrence (request ref)."""
        document: dict[str, Any] = {
            "type": IANA_TYPES.get(
                self.code, f"urn:sync-governance:problem:{self.code}"
            ),
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "instance": instance,
            "code": self.code,
            "errors": [error.as_dict() for error in self.errors],
        }
        document.update(self.members)
        return document

    def as_bytes(self, instance: str = "") -> bytes:
        return json.dumps(self.as_dict(instance), ensure_ascii=False).encode()
