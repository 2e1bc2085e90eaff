"""Send one parcel over HTTP, and tell what came of it.

Runs in the dispatcher's threads, hence knows nothing of Odoo and touches no database.
"""

import base64
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import SSLError as PoolSSLError
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from ..tools import addresses
from ..tools.backoff import parse_retry_after
from ..tools.outcome import Attempt, Failure
from ..tools.parcel import Parcel
from ..tools.signature import SignatureError, SigningKey, signature_headers
from .authorization import Authorization, AuthorizationError
from .http_client import RESPONSE_LIMIT, Deadlines, HttpClient

USER_AGENT = "sync-governance/1.0"
_SECRET_NAMES = "(?:proxy-)?authorization|x-api-key|api-key|cookie|set-cookie"
_SECRET_LINES = re.compile(rf"(?im)^({_SECRET_NAMES}):.*$")


@dataclass(frozen=True)
class HttpTarget:
    """Where and how a subscription wants its messages.

    ``keys`` pairs a signing key with the unix time until which it signs (None: for
    good). ``timeout`` is seconds for the whole exchange.
    """

    url: str
    timeout: float
    keys: tuple[tuple[SigningKey, float | None], ...]
    headers: tuple[tuple[str, str], ...] = ()
    authorization: Authorization = field(default_factory=Authorization, repr=False)


class HttpSender:
    """Callable that makes one attempt and tells what happened; it never raises."""

    def __init__(
        self,
        target: HttpTarget,
        client: HttpClient,
        deadlines: Deadlines,
        clock: Callable[[], float] = time.time,
    ):
        self._target = target
        self._client = client
        self._deadlines = deadlines
        self._clock = clock

    def __call__(self, parcel: Parcel) -> Attempt:
        """Make the attempt."""
        started, began = self._clock(), time.monotonic()
        deadline = began + self._target.timeout
        self._deadlines.begin(deadline)
        body, headers = parcel.body.encode(), {}
        try:
            headers |= self._headers(parcel, body, int(started))
            answer = self._answer(self._exchange(body, headers, deadline))
        except Exception as error:
            answer = {
                "failure": self._failure(error, began),
                "error": self._target.authorization.redact(sentence(error)),
            }
        finally:
            self._deadlines.end()
        return Attempt(
            started=started,
            duration=time.monotonic() - began,
            request_headers=self._target.authorization.redact(
                header_text(headers.items())
            ),
            request_size=len(body),
            **answer,
        )

    def _headers(self, parcel, body, timestamp):
        keys = valid_keys(self._target.keys, timestamp)
        if not keys:
            raise SignatureError("No valid signing secret")
        return {
            "user-agent": USER_AGENT,
            **dict(self._target.headers),
            **parcel.headers,
            **signature_headers(keys, parcel.message.id, timestamp, body),
        }

    def _exchange(self, body, headers, deadline):
        """Post; once more at once if there may be a better authorization than the
        refused one. ``headers`` gets what was sent.
        """
        authorization = self._target.authorization
        headers |= authorization.headers(self._client, deadline)
        answer = self._client.post(self._target.url, body, headers, deadline)
        if answer.status == 401 and authorization.renew():
            headers |= authorization.headers(self._client, deadline)
            answer = self._client.post(self._target.url, body, headers, deadline)
        return answer

    def _answer(self, answer):
        text, is_base64 = _stored(answer.raw)
        redact = self._target.authorization.redact
        now = datetime.fromtimestamp(self._clock(), timezone.utc)
        return {
            "status": answer.status,
            "response_headers": redact(header_text(answer.headers.items())),
            "response_body": redact(text),
            "response_base64": is_base64,
            "response_size": answer.size,
            "retry_after": parse_retry_after(answer.headers.get("retry-after"), now),
            "directive": answer.headers.get("webhook-delivery", "").strip().lower(),
        }

    def _failure(self, error, began):
        if time.monotonic() - began >= self._target.timeout:
            return Failure.TIMEOUT
        return failure_of(error)


# From special to general: NewConnectionError
# is a TimeoutError of urllib3, gaierror an OSError.
_FAILURES = (
    (addresses.AddressRefused, Failure.REFUSED_ADDRESS),
    (AuthorizationError, Failure.AUTHORIZATION),
    (SignatureError, Failure.PAYLOAD),
    (socket.gaierror, Failure.DNS),
    (NewConnectionError, Failure.CONNECTION),
    ((PoolSSLError, ssl.SSLError), Failure.TLS),
    ((PoolTimeoutError, TimeoutError), Failure.TIMEOUT),
    ((HTTPError, OSError), Failure.CONNECTION),
)


def failure_of(error: Exception) -> Failure:
    """The kind of failure that an exception stands for."""
    return next(
        (failure for kind, failure in _FAILURES if isinstance(error, kind)),
        Failure.CONNECTION,
    )


def valid_keys(keys, timestamp: float) -> list[SigningKey]:
    """The keys of ``(key, unix time until which it signs or None)`` that sign now."""
    return [key for key, until in keys if until is None or timestamp < until]


def is_secret_header(name: str) -> bool:
    """Whether a header of this name is known to hold a secret."""
    return bool(re.fullmatch(_SECRET_NAMES, name, re.IGNORECASE))


def _stored(raw: bytes) -> tuple[str, bool]:
    """Response bytes as text for a text column, and whether it had to be base64."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        # The cut may have split the last character; anything else is not text.
        if len(raw) < RESPONSE_LIMIT or error.start < len(raw) - 3:
            return base64.b64encode(raw).decode(), True
        text = raw[: error.start].decode()
    if "\0" in text:
        return base64.b64encode(raw).decode(), True
    return text, False


def header_text(items) -> str:
    """Headers as lines of text, those that hold secrets masked."""
    lines = "\n".join(f"{name}: {value}" for name, value in items)
    return _SECRET_LINES.sub(r"\1: ***", lines).replace("\0", "")[:RESPONSE_LIMIT]


def sentence(error: Exception) -> str:
    """An error as people read it."""
    text = str(error) or type(error).__name__
    # urllib3 prints its own objects' addresses, which would make every message unique.
    text = re.sub(r"<[^>]* object at 0x[0-9a-f]+>:? ?", "", text)
    return text.replace("\0", "")[:1000]
