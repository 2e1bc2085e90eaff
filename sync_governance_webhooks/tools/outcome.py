"""What one attempt means: delivered, try again, give up, or stop for good."""

from dataclasses import dataclass
from enum import Enum

RETRIED_4XX = frozenset({408, 409, 425, 429})
THROTTLING = frozenset({429, 502, 504})


class Verdict(str, Enum):
    """DELIVERED and DEAD are final; GONE is dead and disables the subscription."""

    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD = "dead"
    GONE = "gone"


class Failure(str, Enum):
    """Why no answer came.

    REFUSED_ADDRESS: our network list forbids the target. AUTHORIZATION: nobody would
    vouch for us. UNROUTABLE, REJECTED: a broker has no queue for the message, or did
    not take it.
    """

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    DNS = "dns"
    TLS = "tls"
    REFUSED_ADDRESS = "refused_address"
    PAYLOAD = "payload"
    AUTHORIZATION = "authorization"
    UNROUTABLE = "unroutable"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Attempt:
    """One request and what came back.

    ``status`` is 0 when no response was read, then ``failure`` says why.
    ``started`` is unix seconds, ``duration`` seconds; sizes are bytes on the wire
    before the 20 kB cut.
    """

    started: float
    duration: float
    status: int = 0
    failure: Failure | None = None
    error: str = ""
    request_headers: str = ""
    request_size: int = 0
    response_headers: str = ""
    response_body: str = ""
    response_base64: bool = False
    response_size: int = 0
    retry_after: float | None = None
    directive: str = ""


def judge(attempt: Attempt) -> Verdict:
    """The verdict on an attempt. Redirects are not followed and will not heal: dead."""
    if attempt.failure is not None:
        never = (Failure.REFUSED_ADDRESS, Failure.PAYLOAD)
        return Verdict.DEAD if attempt.failure in never else Verdict.RETRY
    # std-webhooks PR 291: a receiver may steer the sender by a response header.
    if attempt.directive == "disable" or attempt.status == 410:
        return Verdict.GONE
    if 200 <= attempt.status < 300:
        return Verdict.DELIVERED
    if attempt.directive == "abort-message":
        return Verdict.DEAD
    if attempt.status in RETRIED_4XX or attempt.status >= 500:
        return Verdict.RETRY
    return Verdict.DEAD


def is_throttled(attempt: Attempt) -> bool:
    """Whether the receiver is short of breath, so that it gets a longer pause."""
    return attempt.failure is Failure.TIMEOUT or attempt.status in THROTTLING


def is_outage(attempt: Attempt) -> bool:
    """Whether the attempt counts against the endpoint's health.

    A 4xx is the message's fault, and so is a routing key without a queue; a 429 is a
    healthy endpoint that says no.
    """
    if attempt.failure is not None:
        return attempt.failure not in (Failure.PAYLOAD, Failure.UNROUTABLE)
    return attempt.status == 408 or attempt.status >= 500


def error_class(attempt: Attempt) -> str:
    """A short, stable name that groups like failures: ``http_503``, ``timeout``."""
    return attempt.failure.value if attempt.failure else f"http_{attempt.status}"
