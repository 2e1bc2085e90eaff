"""Real servers on loopback, with TLS if a test wants it."""

import threading
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from devenv.certificates import Authority


class Server:
    """Answers POSTs with ``answers`` (status, headers, body), then with ``default``.

    ``requests`` lists (path, headers, body); ``peers`` the ports connected from.
    A header value of None leaves the header out; an answer that is callable gets the
    handler and does as it likes.
    """

    def __init__(self, context=None):
        self.answers, self.default = deque(), (200, {}, b"ok")
        self.requests, self.peers = [], set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {k.lower(): v for k, v in self.headers.items()}
                server.requests.append((self.path, headers, body))
                server.peers.add(self.client_address[1])
                answer = server.answers.popleft() if server.answers else server.default
                if callable(answer):
                    answer(self)
                else:
                    self.reply(*answer)

            def reply(self, status, headers, body):
                self.send_response(status)
                for name, value in {"content-length": len(body), **headers}.items():
                    if value is not None:
                        self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                """Quiet."""

        class Threads(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A cut connection or a failed handshake is what some tests want."""

        self._server = Threads(("127.0.0.1", 0), Handler)
        if context:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme, host = ("https", "localhost") if context else ("http", "127.0.0.1")
        self.port = self._server.server_port
        self.url = f"{scheme}://{host}:{self.port}/hook"
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve():
    """A function: start a server, stopped after the test."""
    servers = []

    def serve(context=None):
        servers.append(Server(context))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def authority():
    return Authority()


@contextmanager
def enforced(deadlines):
    """Deadlines are enforced as the dispatcher's main loop does it."""
    over = threading.Event()

    def loop():
        while not over.wait(0.02):
            deadlines.enforce()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def enforce():
    return enforced
