"""Values that pass between the gate and the resources, and around the gate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .problem import Problem

# A version that no record has.
OUTDATED = ""


@dataclass(frozen=True)
class Incoming:
    """One HTTP request, freed from the server that received it.

    ``read`` returns the body and raises :class:`Problem` 413 beyond the given number
    of bytes, while the bytes are still coming in. Header names are lower case.
    """

    method: str
    path: str
    query_string: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    remote_addr: str
    read: Callable[[int], bytes]
    secure: bool = True

    def header(self, name: str) -> str | None:
        return self.headers.get(name)


@dataclass(frozen=True)
class Answer:
    """One HTTP response, not yet given to a server."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_problem(cls, problem: Problem, instance: str) -> "Answer":
        headers = {"Content-Type": "application/problem+json", **problem.headers}
        return cls(problem.status, problem.as_bytes(instance), headers)


@dataclass(frozen=True)
class Call:
    """What a resource may know about the call it serves.

    ``system`` and ``credential`` are records, ``source`` is the base module's
    ``Source``, ``now`` an aware UTC time, ``scopes`` what this very call may do
    (an access token can have fewer than its credential), ``version`` the version of
    the record that the body is based on where that is not the present one.
    """

    system: Any
    credential: Any
    source: Any
    request_ref: str
    now: datetime
    scopes: frozenset[str] = frozenset()
    version: str | None = None


@dataclass(frozen=True)
class ResourceResult:
    """What a resource did.

    ``applied`` and ``refused`` are keyed by contract member (``address.city``);
    a refused member says ``{"owner", "reason", "conflict"}``.
    """

    record: Any
    status: str  # created, updated, unchanged, transitioned
    applied: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    conflicts: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def decisions(self) -> dict[str, Any]:
        """What became of each field that was sent, for the requests screen."""
        return {"applied": sorted(self.applied), "held": dict(self.refused)}
