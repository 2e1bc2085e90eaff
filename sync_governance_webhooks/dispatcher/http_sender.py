"""Send one parcel over HTTP: checked and pinned
address, pooled connection, hard deadline.

Runs in the dispatcher's threads, hence knows nothing of Odoo and touches no database.
"""

import base64
import re
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import SSLError as PoolSSLError
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from ..tools import addresses
from ..tools.backoff import parse_retry_after
from ..tools.outcome import Attempt, Failure
from ..tools.parcel import Parcel
from ..tools.signature import SignatureError, SigningKey, signature_headers

RESPONSE_LIMIT = 20_000
# A kept connection that the other side closed
# fails at once; a real outage takes longer.
STALE_WITHIN_S = 1.0
MAX_POOLS = 256
# As many as a dispatcher has requests under way.
MAX_CONNECTIONS = 128
USER_AGENT = "sync-governance/1.0"
SECRET_HEADERS = re.compile(r"(?im)^(authorization|x-api-key|cookie|set-cookie):.*$")


@dataclass(frozen=True)
class HttpTarget:
    """Where and how a subscription wants its messages.

    ``keys`` pairs a signing key with the unix time until which it signs (None: for
    good). ``timeout`` is seconds for the whole exchange.
    """

    url: str
    timeout: float
    keys: tuple[tuple[SigningKey, float | None], ...]
    allowed: tuple[addresses.Network, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    client_certificate: str = field(default="", repr=False)


class _Call(threading.local):
    """The exchange that the present thread is busy with."""

    connection = None


_call = _Call()


class _Tracked:
    """Remembers itself as the connection of the present exchange, for the deadline."""

    def request(self, *args, **kwargs):
        _call.connection.append(self)
        return super().request(*args, **kwargs)


class _PlainConnection(_Tracked, HTTPConnection):
    pass


class _SecureConnection(_Tracked, HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Deadlines:
    """Ends exchanges that outlive their deadline.

    Socket timeouts alone do not: a receiver
    that drips one byte a second never times out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._open: dict[int, tuple[float, list]] = {}

    def begin(self, deadline: float) -> None:
        """The calling thread starts an exchange that may last until ``deadline``."""
        _call.connection = []
        self._open[threading.get_ident()] = (deadline, _call.connection)

    def end(self) -> None:
        """The calling thread is done."""
        self._open.pop(threading.get_ident(), None)

    def enforce(self) -> None:
        """Cut every exchange past its deadline; called by the main loop."""
        now = self._clock()
        for deadline, connections in list(self._open.values()):
            if now > deadline:
                for connection in connections:
                    _shut(connection)


def _shut(connection) -> None:
    with suppress(OSError):  # Closed in the meantime: what we wanted.
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


class Pools:
    """Connection pools of this process, one
    a (scheme, address, port, host, certificate).
    """

    def __init__(self, limit: int = MAX_POOLS):
        self._limit = limit
        self._pools: OrderedDict[tuple, urllib3.HTTPConnectionPool] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, url, address: str, client_certificate: str):
        """The pool that connects to ``address`` and to nothing else, in the name of the
        host of ``url`` (a split result)."""
        port = url.port or (443 if url.scheme == "https" else 80)
        key = (url.scheme, address, port, url.hostname, client_certificate)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._make(url, address, port, client_certificate)
                self._pools[key] = pool
            self._pools.move_to_end(key)
            if len(self._pools) > self._limit:
                self._pools.popitem(last=False)[1].close()
        return pool

    @staticmethod
    def _make(url, address, port, client_certificate):
        if url.scheme == "http":
            return _PlainPool(address, port, maxsize=MAX_CONNECTIONS, retries=False)
        context = ssl.create_default_context()
        if client_certificate:
            context.load_cert_chain(client_certificate)
        return _SecurePool(
            address,
            port,
            maxsize=MAX_CONNECTIONS,
            retries=False,
            ssl_context=context,
            server_hostname=url.hostname,
            assert_hostname=url.hostname,
        )


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, in the resolver's order.

    :raises OSError: the name does not resolve
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(info[4][0] for info in found))


class HttpSender:
    """Callable that makes one attempt and tells what happened; it never raises."""

    def __init__(
        self,
        target: HttpTarget,
        pools: Pools,
        deadlines: Deadlines,
        resolver: Callable[[str, int], Iterable[str]] = resolve,
        clock: Callable[[], float] = time.time,
    ):
        self._target = target
        self._url = urlsplit(target.url)
        self._pools = pools
        self._deadlines = deadlines
        self._resolver = resolver
        self._clock = clock

    def __call__(self, parcel: Parcel) -> Attempt:
        """Make the attempt; a connection that went stale is replaced once, at once."""
        started, began = self._clock(), time.monotonic()
        self._deadlines.begin(began + self._target.timeout)
        body, headers = parcel.body.encode(), {}
        try:
            headers = self._headers(parcel, body, int(started))
            answer = self._exchange(body, headers, began)
        except Exception as error:
            answer = {
                "failure": self._failure(error, began),
                "error": _sentence(error),
            }
        finally:
            self._deadlines.end()
        return Attempt(
            started=started,
            duration=time.monotonic() - began,
            request_headers=_header_text(headers.items()),
            request_size=len(body),
            **answer,
        )

    def _headers(self, parcel, body, timestamp):
        keys = [
            key
            for key, until in self._target.keys
            if until is None or timestamp < until
        ]
        if not keys:
            raise SignatureError("No valid signing secret")
        return {
            "host": self._url.netloc.rpartition("@")[2],
            "user-agent": USER_AGENT,
            **dict(self._target.headers),
            **parcel.headers,
            **signature_headers(keys, parcel.message.id, timestamp, body),
        }

    def _exchange(self, body, headers, began):
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        found = self._resolver(self._url.hostname, port)
        allowed = addresses.check(self._url.hostname, found, self._target.allowed)
        pool = self._pools.get(self._url, allowed[0], self._target.client_certificate)
        try:
            return self._post(pool, body, headers)
        except ProtocolError:
            if time.monotonic() - began > STALE_WITHIN_S:
                raise
            return self._post(pool, body, headers)

    def _post(self, pool, body, headers):
        path = self._url.path or "/"
        response = pool.urlopen(
            "POST",
            f"{path}?{self._url.query}" if self._url.query else path,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            assert_same_host=False,
            preload_content=False,
            timeout=urllib3.Timeout(total=self._target.timeout),
        )
        raw = response.read(RESPONSE_LIMIT + 1, decode_content=False)
        if len(raw) > RESPONSE_LIMIT:
            # The rest is of no use: drop the connection rather than read it all.
            response.close()
        response.release_conn()
        return self._answer(response, raw)

    def _answer(self, response, raw):
        text, is_base64 = _stored(raw[:RESPONSE_LIMIT])
        declared = response.headers.get("content-length", "")
        now = datetime.fromtimestamp(self._clock(), timezone.utc)
        return {
            "status": response.status,
            "response_headers": _header_text(response.headers.items()),
            "response_body": text,
            "response_base64": is_base64,
            "response_size": int(declared) if declared.isdigit() else len(raw),
            "retry_after": parse_retry_after(response.headers.get("retry-after"), now),
            "directive": response.headers.get("webhook-delivery", "").strip().lower(),
        }

    def _failure(self, error, began):
        if time.monotonic() - began >= self._target.timeout:
            return Failure.TIMEOUT
        return next(
            (failure for kind, failure in _FAILURES if isinstance(error, kind)),
            Failure.CONNECTION,
        )


# From special to general: NewConnectionError
# is a TimeoutError of urllib3, gaierror an OSError.
_FAILURES = (
    (addresses.AddressRefused, Failure.REFUSED_ADDRESS),
    (SignatureError, Failure.PAYLOAD),
    (socket.gaierror, Failure.DNS),
    (NewConnectionError, Failure.CONNECTION),
    ((PoolSSLError, ssl.SSLError), Failure.TLS),
    ((PoolTimeoutError, TimeoutError), Failure.TIMEOUT),
    ((HTTPError, OSError), Failure.CONNECTION),
)


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


def _header_text(items) -> str:
    lines = "\n".join(f"{name}: {value}" for name, value in items)
    return SECRET_HEADERS.sub(r"\1: ***", lines).replace("\0", "")[:RESPONSE_LIMIT]


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    # urllib3 prints its own objects' addresses, which would make every message unique.
    return re.sub(r"<[^>]* object at 0x[0-9a-f]+>:? ?", "", text).replace("\0", "")[
        :1000
    ]
