"""HTTP requests to addresses that were checked: pinned, pooled, with a hard deadline.

Runs in the dispatcher's threads, hence knows nothing of Odoo and touches no database.
"""

import re
import socket
import ssl
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProtocolError

from ..tools import addresses

RESPONSE_LIMIT = 20_000
# A kept connection that the other side closed
# fails at once; a real outage takes longer.
STALE_WITHIN_S = 1.0
MAX_POOLS = 256
# As many as a dispatcher has requests under way.
MAX_CONNECTIONS = 128
# What a receiver claims goes into an integer column.
MAX_SIZE = 2**31 - 1


@dataclass(frozen=True)
class TlsSettings:
    """Who we are and whom we trust, as PEM text.

    ``certificate`` holds the client's certificate, what it was signed with and the
    private key; ``authorities``, if given, are trusted instead of the system's.
    """

    certificate: str = field(default="", repr=False)
    authorities: str = ""

    def context(self) -> ssl.SSLContext:
        """A context that verifies the other side's certificate and name.

        :raises ssl.SSLError: the PEM text is none, or the key is another one's
        """
        context = ssl.create_default_context(cadata=self.authorities or None)
        if self.certificate:
            # OpenSSL reads a chain from files alone; this one is ours and short-lived.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(self.certificate)
                file.flush()
                context.load_cert_chain(file.name, password=_no_passphrase)
        return context


def _no_passphrase() -> str:
    # Without it OpenSSL would ask for one at the terminal of the server.
    return ""


@dataclass(frozen=True)
class Answer:
    """A response; ``raw`` is its beginning, as far as was asked for, ``size`` its
    length in bytes."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    size: int


class _Call(threading.local):
    """The exchange that the present thread is busy with."""

    connections: list | None = None


_call = _Call()


class _Tracked:
    """Remembers itself as a connection of the present exchange, for the deadline."""

    def request(self, *args, **kwargs):
        if _call.connections is not None:
            _call.connections.append(self)
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
        _call.connections = []
        self._open[threading.get_ident()] = (deadline, _call.connections)

    def end(self) -> None:
        """The calling thread is done."""
        self._open.pop(threading.get_ident(), None)
        _call.connections = None

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
    a (scheme, address, port, host, TLS settings).
    """

    def __init__(self, limit: int = MAX_POOLS):
        self._limit = limit
        self._pools: OrderedDict[tuple, urllib3.HTTPConnectionPool] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, url: SplitResult, address: str, tls: TlsSettings):
        """The pool that connects to ``address`` and to nothing else, in the name of the
        host of ``url``."""
        port = port_of(url)
        key = (url.scheme, address, port, url.hostname, tls)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._make(url, address, port, tls)
                self._pools[key] = pool
            self._pools.move_to_end(key)
            if len(self._pools) > self._limit:
                self._pools.popitem(last=False)[1].close()
        return pool

    @staticmethod
    def _make(url, address, port, tls):
        if url.scheme == "http":
            return _PlainPool(address, port, maxsize=MAX_CONNECTIONS, retries=False)
        return _SecurePool(
            address,
            port,
            maxsize=MAX_CONNECTIONS,
            retries=False,
            ssl_context=tls.context(),
            server_hostname=url.hostname,
            assert_hostname=url.hostname,
        )


def port_of(url: SplitResult) -> int:
    """The port of an http or https address."""
    return url.port or (443 if url.scheme == "https" else 80)


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, in the resolver's order.

    :raises OSError: the name does not resolve
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(info[4][0] for info in found))


class HttpClient:
    """Asks hosts all of whose addresses are allowed, and connects to the address that
    was checked.

    Redirects are not followed, proxies of the environment not asked, bodies not
    unpacked: an answer costs no more memory than its reader allows.
    """

    def __init__(
        self,
        pools: Pools,
        allowed: Iterable[addresses.Network] = (),
        tls: TlsSettings | None = None,
        resolver: Callable[[str, int], Iterable[str]] = resolve,
    ):
        self._pools = pools
        self._allowed = tuple(allowed)
        self._tls = tls or TlsSettings()
        self._resolver = resolver

    def post(
        self, address: str, body: bytes, headers: Mapping[str, str], deadline: float
    ) -> Answer:
        """Send a request, of whose answer the first 20 kB are read.

        :param address: an http or https URL
        :param deadline: on the monotonic clock
        :raises AddressRefused: the host is, also, at a forbidden address
        :raises OSError, urllib3.exceptions.HTTPError: no answer
        """
        return self._ask("POST", address, body, headers, deadline, RESPONSE_LIMIT)

    def get(
        self, address: str, headers: Mapping[str, str], deadline: float, limit: int
    ) -> Answer:
        """Ask for a document.

        :param limit: bytes of it that are read; a longer one has a ``size`` above it
        :raises AddressRefused, OSError, urllib3.exceptions.HTTPError: as :meth:`post`
        """
        return self._ask("GET", address, None, headers, deadline, limit)

    def _ask(self, method, address, body, headers, deadline, limit):
        """One exchange; a connection that went stale is replaced once, at once."""
        began, url = time.monotonic(), urlsplit(address)
        found = self._resolver(url.hostname, port_of(url))
        checked = addresses.check(url.hostname, found, self._allowed)
        pool = self._pools.get(url, checked[0], self._tls)
        headers = {"host": url.netloc.rpartition("@")[2], **headers}
        try:
            return _exchange(pool, method, url, body, headers, deadline, limit)
        except ProtocolError:
            if time.monotonic() - began > STALE_WITHIN_S:
                raise
            return _exchange(pool, method, url, body, headers, deadline, limit)


def _exchange(pool, method, url, body, headers, deadline, limit):
    path = url.path or "/"
    response = pool.urlopen(
        method,
        f"{path}?{url.query}" if url.query else path,
        body=body,
        headers=headers,
        redirect=False,
        retries=False,
        assert_same_host=False,
        preload_content=False,
        # A moment at least: zero would mean none to urllib3.
        timeout=urllib3.Timeout(total=max(0.001, deadline - time.monotonic())),
    )
    raw = response.read(limit + 1, decode_content=False)
    if time.monotonic() > deadline:
        # Cut in the middle, which to a reader looks like the end of the body.
        response.close()
        raise TimeoutError("The answer was not complete in time")
    if len(raw) > limit:
        # The rest is of no use: drop the connection rather than read it all.
        response.close()
    response.release_conn()
    return Answer(
        status=response.status,
        headers=response.headers,
        raw=raw[:limit],
        size=_size(response.headers.get("content-length", ""), raw),
    )


def _size(declared, raw):
    if not re.fullmatch("[0-9]{1,10}", declared):
        return len(raw)
    return min(int(declared), MAX_SIZE)
