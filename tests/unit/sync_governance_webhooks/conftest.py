"""Real servers on loopback, TLS with an authority made for the occasion."""

import datetime
import ipaddress
import ssl
import threading
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


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


class Authority:
    """A certificate authority; certificates are PEM text with their private key."""

    def __init__(self, name="Test Authority"):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._certificate = self._sign(self._name, self._key.public_key(), is_ca=True)
        self.pem = _pem(self._certificate)

    def certificate(self, name):
        """A certificate of a server at loopback, or of a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        return _pem(self._sign(_name(name), key.public_key(), host=name)) + private

    def server_context(self, folder, name="localhost", wants_client=False):
        """The context of a server that this authority vouches for."""
        path = folder / f"{name}.pem"
        path.write_text(self.certificate(name))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        if wants_client:
            context.load_verify_locations(cadata=self.pem)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _sign(self, name, public_key, is_ca=False, host=None):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        )
        if host:
            names = [x509.DNSName(host)]
            if host == "localhost":
                names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


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
