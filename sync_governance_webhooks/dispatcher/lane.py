"""One subscription as a running dispatcher sees it: queue, order, limits, health.

No database and no Odoo: the dispatcher feeds
it claimed parcels and stores what it says.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ..tools import breaker
from ..tools.backoff import Schedule
from ..tools.outcome import (
    Attempt,
    Failure,
    Verdict,
    error_class,
    is_outage,
    is_throttled,
    judge,
)
from ..tools.parcel import Parcel
from ..tools.throttle import Bucket

# Claimed ahead of what is in flight, so that threads do not wait for the database.
PREFETCH = 100
HOLD_CAP_S = 6 * 3600.0


@dataclass(frozen=True)
class LaneConfig:
    """A subscription's settings. ``revision`` changes with them."""

    id: int
    revision: Any
    ordered: bool
    concurrency: int
    rate: float
    schedule: Schedule
    breaker: breaker.Config
    sender: Callable[[Parcel], Attempt]


@dataclass(frozen=True)
class Result:
    """What became of one attempt. ``delay`` is seconds to the next one, if any."""

    parcel: Parcel
    attempt: Attempt
    verdict: Verdict
    state: str
    delay: float = 0.0

    @property
    def started_at(self) -> datetime:
        """Naive UTC, as Odoo stores it."""
        moment = datetime.fromtimestamp(self.attempt.started, timezone.utc)
        return moment.replace(tzinfo=None)

    @property
    def error_class(self) -> str:
        """Groups like failures; empty for a success."""
        if self.verdict is Verdict.DELIVERED:
            return ""
        return error_class(self.attempt)

    def row(self, claim_ref: str, node: str) -> tuple:
        """The values of the acknowledging statement."""
        attempt, parcel = self.attempt, self.parcel
        return (
            parcel.delivery_id,
            parcel.subscription_id,
            parcel.number,
            self.started_at,
            round(attempt.duration * 1000),
            attempt.status,
            self.verdict.value,
            self.error_class,
            attempt.error,
            attempt.request_headers,
            attempt.request_size,
            attempt.response_headers,
            attempt.response_body,
            attempt.response_base64,
            attempt.response_size,
            node,
            claim_ref,
            self.state,
            self.delay,
            parcel.body,
        )


@dataclass
class Lane:
    """The parcels of one subscription that this dispatcher has claimed.

    ``released`` collects parcels to give
    back untried: ``{delivery id: seconds until due}``, None to hold them.
    """

    config: LaneConfig
    health: breaker.State
    breaker_revision: Any = None
    hold_until: float = 0.0
    in_flight: int = 0
    chains: dict[int, deque[Parcel]] = field(default_factory=dict)
    ready: deque[int] = field(default_factory=deque)
    released: dict[int, float | None] = field(default_factory=dict)
    is_dirty: bool = False
    bucket: Bucket = field(init=False)

    def __post_init__(self):
        self.configure(self.config)

    def configure(self, config: LaneConfig) -> None:
        """Take over changed settings."""
        self.config = config
        # A burst of a tenth of a second, so that a rate is smooth and still exact.
        burst = max(1.0, config.rate / 10)
        self.bucket = Bucket(rate=config.rate, burst=burst, tokens=1.0)

    def suspend(self, until: float, revision: Any) -> None:
        """Send nothing until then (unix seconds): its new settings do not work.

        ``revision`` is that of those settings, which are tried again only if changed.
        """
        self.config = replace(self.config, revision=revision)
        self.hold_until = until
        self.is_dirty = True
        self.release_waiting(0.0)

    @property
    def waiting(self) -> int:
        """Parcels claimed and not yet under way."""
        return sum(map(len, self.chains.values())) - self.in_flight

    @property
    def is_idle(self) -> bool:
        """Nothing claimed, nothing under way."""
        return not self.chains

    def permits(self, now: float) -> int:
        """How many requests may be in flight now (unix seconds)."""
        if now < self.hold_until:
            return 0
        permitted = breaker.permits(self.health, now)
        if permitted is None:
            return self.config.concurrency
        return permitted

    def wanted(self, now: float) -> int:
        """How many parcels to claim: enough to keep the line busy, one for a probe."""
        permitted = self.permits(now)
        if permitted == 0:
            return 0
        if self.health.status is not breaker.Status.CLOSED:
            return 0 if self.chains else permitted
        return max(0, PREFETCH - self.waiting) if self.waiting <= PREFETCH // 2 else 0

    def add(self, parcel: Parcel) -> None:
        """Queue a claimed parcel behind those of its key."""
        chain = self.chains.setdefault(parcel.key, deque())
        chain.append(parcel)
        if len(chain) == 1:
            self.ready.append(parcel.key)

    def next(self, now: float, monotonic: float) -> Parcel | None:
        """The parcel to send now, if limits allow one; it counts as in flight."""
        if not self.ready or self.in_flight >= self.permits(now):
            return None
        if not self.bucket.take(monotonic):
            return None
        self.in_flight += 1
        return self.chains[self.ready.popleft()][0]

    def settle(
        self,
        parcel: Parcel,
        attempt: Attempt,
        now: float,
        uniform: Callable[[float, float], float],
    ) -> tuple[Result, breaker.Transition | None]:
        """Judge an attempt, and draw the conclusions for the parcels behind it."""
        result = self._judge(parcel, attempt, uniform)
        self.in_flight -= 1
        chain = self.chains[parcel.key]
        chain.popleft()
        if result.state == "retrying":
            # Order: those behind wait for this one.
            self._release(chain, result.delay)
        if chain:
            self.ready.append(parcel.key)
        else:
            del self.chains[parcel.key]
        return result, self._observe(attempt, now)

    def _judge(self, parcel, attempt, uniform):
        verdict = judge(attempt)
        if verdict is Verdict.DELIVERED:
            return Result(parcel, attempt, verdict, "delivered")
        delay = None
        if verdict is Verdict.RETRY and not parcel.manual:
            delay = self.config.schedule.next_delay(
                parcel.tries, uniform, is_throttled(attempt), attempt.retry_after
            )
        if delay is None:
            return Result(parcel, attempt, verdict, "dead")
        return Result(parcel, attempt, verdict, "retrying", delay)

    def _observe(self, attempt, now):
        """Keep the books of the endpoint's health."""
        if attempt.retry_after and attempt.status in (429, 503):
            self.hold_until = now + min(attempt.retry_after, HOLD_CAP_S)
            self.is_dirty = True
        if attempt.failure is Failure.PAYLOAD:
            return None
        before = self.health
        self.health, transition = breaker.record(
            before, not is_outage(attempt), now, self.config.breaker
        )
        self.is_dirty = self.is_dirty or self.health != before
        if self.permits(now) == 0:
            # Nothing more will go out for a while:
            # give the queue back, no attempt burnt.
            self.release_waiting(0.0)
        return transition

    def release_waiting(self, delay: float) -> None:
        """Give back everything that is not under way."""
        ready, self.ready = set(self.ready), deque()
        for key in list(self.chains):
            chain = self.chains[key]
            if key in ready:
                self._release(chain, delay)
                del self.chains[key]
            else:
                head = chain.popleft()
                self._release(chain, delay)
                chain.append(head)

    def _release(self, chain, delay):
        self.released.update(dict.fromkeys((p.delivery_id for p in chain), delay))
        chain.clear()
