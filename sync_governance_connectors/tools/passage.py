"""One call on its way through the gate."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .call import Answer, Call, Incoming, ResourceResult
from .caller import Caller
from .problem import Problem
from .route import Route

PREFIX = "/sync/v1"


@dataclass
class Passage:
    """What each step of the gate learned, for the next ones and for the record.

    ``trace`` holds ``{"step", "ms"}`` of each step, also of the one that refused.
    """

    incoming: Incoming
    ref: str
    now: datetime  # aware, UTC
    clock: Callable[[], float]  # seconds, never backwards
    trace: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    caller: Caller | None = None
    system_id: int | None = None  # of a known prefix, also when the secret is wrong
    guessed: str = ""  # prefix of a key whose secret was wrong
    guessed_before: bool = False  # wrong secrets for it came from here already
    route: Route | None = None
    resource: Any = None
    call: Call | None = None
    raw: bytes = b""
    body: Any = None
    key: str | None = None
    fingerprint: str | None = None
    version: str | None = None  # of the contract; "" when there is none
    answer: Answer | None = None
    problem: Problem | None = None
    result: ResourceResult | None = None
    child_values: list = field(default_factory=list)  # requests of a bulk call's items
    replay_of: str | None = None
    later: bool = False
    late: bool = False  # accepted before, done now: nobody waits for the answer
    hide_answer: bool = False  # it holds a secret: not to be kept
    keep: bool = True

    def __post_init__(self) -> None:
        self.started = self.clock()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step."""
        begun = self.clock()
        try:
            yield
        finally:
            spent = round((self.clock() - begun) * 1000, 3)
            self.trace.append({"step": name, "ms": spent})

    @property
    def unix_now(self) -> float:
        return self.now.timestamp()

    @property
    def spent_ms(self) -> float:
        return round((self.clock() - self.started) * 1000, 3)

    @property
    def needed_scope(self) -> str | None:
        """``domain:operation`` that the call needs; None for a caller's own data."""
        domain = self.resource._domain_code
        return f"{domain}:{self.route.access}" if domain else None

    @property
    def state(self) -> str:
        """State of the request that tells of this call."""
        if self.replay_of:
            return "duplicate"
        if self.problem:
            return "refused"
        if self.later:
            return "validated"
        if self.result and self.result.refused and not self.result.applied:
            return "quarantined"
        return "applied"

    @property
    def replayable(self) -> bool:
        """Stored for its key: what had effects, and what failed after it began."""
        if self.key is None or self.replay_of:
            return False
        return self.problem is None or self.problem.status >= 500
