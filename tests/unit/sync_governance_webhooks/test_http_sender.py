"""One request over HTTP, against real servers: what a receiver, or an attacker who
poses as one, can and cannot do.
"""

import gzip
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from itertools import repeat

import pytest

from odoo.addons.sync_governance_webhooks.dispatcher.authorization import (
    Authorization,
    ClientCredentials,
    OAuth2,
    Tokens,
)
from odoo.addons.sync_governance_webhooks.dispatcher.http_client import (
    MAX_SIZE,
    RESPONSE_LIMIT,
    Deadlines,
    HttpClient,
    Pools,
    TlsSettings,
    resolve,
)
from odoo.addons.sync_governance_webhooks.dispatcher.http_sender import (
    HttpSender,
    HttpTarget,
    header_text,
)
from odoo.addons.sync_governance_webhooks.tools.envelope import Message, standard
from odoo.addons.sync_governance_webhooks.tools.outcome import Failure
from odoo.addons.sync_governance_webhooks.tools.parcel import Parcel
from odoo.addons.sync_governance_webhooks.tools.signature import SigningKey

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
KEY = (SigningKey("v1", b"0" * 32), None)
# Until a test gives up what it waits for.
GIVE_UP_S = 30


def make_parcel(name="order.confirmed"):
    message = Message(
        id="evt_1",
        type=name,
        time="2026-11-24T05:30:00Z",
        data='{"a":1}',
        source="urn:x",
        subject="a,1",
        key="a,1",
        sequence=1,
    )
    body, headers = standard(message)
    return Parcel(1, 1, 1, 1, 1, False, message, body, headers)


def make_sender(url, timeout=5.0, allowed=LOOPBACK, tls=None, **options):
    deadlines = options.pop("deadlines", Deadlines())
    resolver = options.pop("resolver", resolve)
    target = HttpTarget(url=url, timeout=timeout, keys=(KEY,), **options)
    client = HttpClient(Pools(), allowed, tls, resolver)
    return HttpSender(target, client, deadlines)


def send(url, **options):
    return make_sender(url, **options)(make_parcel())


# -- authentication ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("authorization", "header", "sent"),
    [
        (
            Authorization.basic("ada", "pä:ss"),
            "authorization",
            "Basic YWRhOnDDpDpzcw==",
        ),
        (Authorization.bearer("t0ken.abc"), "authorization", "Bearer t0ken.abc"),
        (Authorization.key("x-shop-key", "k3y-abc"), "x-shop-key", "k3y-abc"),
    ],
    ids=["basic", "bearer", "key"],
)
def test_secrets_are_sent_and_never_stored(serve, authorization, header, sent):
    server = serve()
    # a receiver that echoes what it got, in headers and body
    server.answers.append(
        lambda handler: handler.reply(
            403,
            {"x-echo": handler.headers[header], "set-cookie": "session=1"},
            f"You sent {handler.headers[header]}".encode(),
        )
    )
    attempt = send(server.url, authorization=authorization)
    [(_path, headers, _body)] = server.requests
    assert headers[header] == sent
    secret = sent.rpartition(" ")[2]
    stored = attempt.request_headers + attempt.response_headers + attempt.response_body
    assert secret not in stored and "session=1" not in stored
    assert f"{header}: ***" in attempt.request_headers
    assert attempt.response_body.startswith("You sent ") and "***" in stored


class TokenEndpoint:
    """Gives tokens ``t1``, ``t2``, … and counts."""

    def __init__(self, server, lifetime=3600):
        self.server = server
        self.lifetime = lifetime
        self.server.default = self.answer

    @property
    def given(self):
        return len(self.server.requests)

    def answer(self, handler):
        content = {
            "access_token": f"token-{self.given}",
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }
        handler.reply(200, {}, json.dumps(content).encode())


def oauth(endpoint, tokens=None, **options):
    url = endpoint if isinstance(endpoint, str) else endpoint.server.url
    credentials = ClientCredentials(url, "shop id", "s3cr3t+/", **options)
    return OAuth2(credentials, tokens or Tokens())


def test_a_token_is_asked_for_once_and_kept_over_slices(serve):
    endpoint, receiver = TokenEndpoint(serve()), serve()
    tokens = Tokens()
    for _slice in range(2):
        authorization = oauth(endpoint, tokens, scope="orders", audience="erp")
        sender = make_sender(receiver.url, authorization=authorization)
        with ThreadPoolExecutor(8) as pool:
            attempts = list(pool.map(sender, [make_parcel()] * 8))
        assert {attempt.status for attempt in attempts} == {200}
        assert "token-1" not in "".join(a.request_headers for a in attempts)
    assert endpoint.given == 1
    [(_path, headers, body)] = endpoint.server.requests
    assert headers["authorization"] == "Basic c2hvcCtpZDpzM2NyM3QlMkIlMkY="
    assert body == b"grant_type=client_credentials&scope=orders&audience=erp"
    sent = {headers["authorization"] for _path, headers, _body in receiver.requests}
    assert sent == {"Bearer token-1"}


def test_credentials_in_the_form(serve):
    endpoint, receiver = TokenEndpoint(serve()), serve()
    send(receiver.url, authorization=oauth(endpoint, in_body=True))
    [(_path, headers, body)] = endpoint.server.requests
    assert "authorization" not in headers
    assert b"client_id=shop+id&client_secret=s3cr3t%2B%2F" in body


def test_a_token_is_replaced_before_it_expires(serve):
    endpoint = TokenEndpoint(serve(), lifetime=100)
    now = time.monotonic()
    clock = [now]
    tokens = Tokens(lambda: clock[0])
    # a deadline on the same clock, far enough for the jump
    authorization = oauth(endpoint, tokens)
    for moment, given in ((0, 1), (69, 1), (71, 2)):
        clock[0] = now + moment
        client = HttpClient(Pools(), LOOPBACK)
        authorization.headers(client, now + 1000)
        assert endpoint.given == given, moment


def test_a_refused_token_is_renewed_once(serve):
    endpoint, receiver = TokenEndpoint(serve()), serve()
    sender = make_sender(receiver.url, authorization=oauth(endpoint))
    receiver.answers.append((401, {}, b"expired"))
    assert sender(make_parcel()).status == 200
    sent = [headers["authorization"] for _path, headers, _body in receiver.requests]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    receiver.answers.extend([(401, {}, b"no"), (401, {}, b"no")])
    assert sender(make_parcel()).status == 401
    assert endpoint.given == 3 and len(receiver.requests) == 4


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}, b'{"error": "invalid_client"}'), "answered 401: invalid_client"),
        ((200, {}, b"<html>"), "answered 200"),
        ((200, {}, b'["access_token"]'), "answered 200"),
        ((302, {"location": "/elsewhere"}, b""), "answered 302"),
        ((200, {}, b'{"access_token": "a\\r\\nx-evil: 1"}'), "malformed token"),
    ],
)
def test_without_a_token_nothing_is_sent(serve, answer, words):
    server, receiver = serve(), serve()
    server.default = answer
    attempt = send(receiver.url, authorization=oauth(server.url))
    assert (attempt.failure, attempt.status) == (Failure.AUTHORIZATION, 0)
    assert words in attempt.error and "s3cr3t" not in attempt.error
    assert receiver.requests == []


def test_the_token_endpoint_is_under_the_same_rules(serve):
    endpoint, receiver = TokenEndpoint(serve()), serve()
    url = receiver.url.replace("127.0.0.1", "127.0.0.2")
    allowed = (ip_network("127.0.0.2/32"),)
    attempt = send(url, allowed=allowed, authorization=oauth(endpoint))
    assert attempt.failure is Failure.REFUSED_ADDRESS
    assert endpoint.given == 0 and receiver.requests == []


def test_a_hanging_token_endpoint_costs_one_timeout(serve, enforce):
    server, receiver, over = serve(), serve(), threading.Event()
    server.default = lambda handler: over.wait(GIVE_UP_S)
    deadlines = Deadlines()
    sender = make_sender(
        receiver.url,
        timeout=0.5,
        deadlines=deadlines,
        authorization=oauth(server.url),
    )
    with enforce(deadlines), ThreadPoolExecutor(6) as pool:
        attempts = list(pool.map(sender, [make_parcel()] * 6))
    assert {attempt.failure for attempt in attempts} == {Failure.TIMEOUT}
    assert all(attempt.duration < GIVE_UP_S for attempt in attempts)
    over.set()


# -- TLS -----------------------------------------------------------------------------


def test_mutual_tls(serve, authority, tmp_path):
    server = serve(authority.server_context(tmp_path, wants_client=True))
    ours = TlsSettings(authority.certificate("erp"), authority.pem)
    assert send(server.url, tls=ours).status == 200
    stranger = TlsSettings(authorities=authority.pem)
    attempt = send(server.url, tls=stranger)
    assert attempt.status == 0 and attempt.failure is not None
    assert len(server.requests) == 1
    assert "PRIVATE KEY" not in repr(ours)


def test_a_server_must_prove_its_name(serve, authority, tmp_path):
    trusted = TlsSettings(authorities=authority.pem)
    unknown = serve(authority.server_context(tmp_path))
    assert send(unknown.url).failure is Failure.TLS
    impostor = serve(authority.server_context(tmp_path, name="bank.example"))
    assert send(impostor.url, tls=trusted).failure is Failure.TLS
    assert send(unknown.url, tls=trusted).status == 200
    assert impostor.requests == []


# -- addresses -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1%25lo]",
        "169.254.169.254",
        "user@127.0.0.1",
    ],
)
def test_our_own_network_is_out_of_reach(serve, host):
    server = serve()
    attempt = send(f"http://{host}:{server.port}/", allowed=(), timeout=2)
    assert attempt.failure in (Failure.REFUSED_ADDRESS, Failure.DNS)
    assert server.requests == []


def test_one_bad_address_condemns_the_name(serve):
    server = serve()
    answers = ["93.184.216.34", "127.0.0.1"]
    attempt = send(
        f"http://shop.example:{server.port}/",
        allowed=(),
        resolver=lambda host, port: answers,
    )
    assert attempt.failure is Failure.REFUSED_ADDRESS


def test_the_checked_address_is_the_one_connected_to(serve):
    """A name that changes between check and use is resolved once a request."""
    server = serve()
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.9"]

    url = f"http://shop.example:{server.port}/"
    sender = make_sender(url, allowed=(ip_network("127.0.0.1/32"),), resolver=rebinding)
    assert sender(make_parcel()).status == 200
    assert server.requests[0][1]["host"] == f"shop.example:{server.port}"
    # the connection is kept, but its host is checked anew
    assert sender(make_parcel()).failure is Failure.REFUSED_ADDRESS
    assert asked == ["shop.example"] * 2 and len(server.requests) == 1


def test_redirects_are_answers_like_others(serve):
    inner, server = serve(), serve()
    server.answers.append((307, {"location": inner.url}, b""))
    assert send(server.url).status == 307
    assert inner.requests == []


def test_proxies_of_the_environment_are_not_asked(serve, monkeypatch):
    proxy, server = serve(), serve()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    assert send(server.url).status == 200
    assert proxy.requests == []


# -- answers that are too slow, too long, or lie ---------------------------------------


def drip(handler):
    """One byte at a time: no single read ever times out."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
    yield from repeat(b".", 1000)


def drip_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    yield from repeat(b"x-a: 1\r\n", 1000)


def continue_for_ever(handler):
    yield from repeat(b"HTTP/1.1 100 Continue\r\n\r\n", 1000)


@pytest.mark.parametrize("answer", [drip, drip_headers, continue_for_ever])
def test_a_deadline_for_the_whole_exchange(serve, enforce, answer):
    server, cut = serve(), threading.Event()

    def answer_slowly(handler):
        try:
            for piece in answer(handler):
                handler.wfile.write(piece)
                time.sleep(0.02)
        except OSError:
            cut.set()
            raise

    server.answers.append(answer_slowly)
    deadlines = Deadlines()
    with enforce(deadlines):
        attempt = send(server.url, timeout=0.6, deadlines=deadlines)
    assert (attempt.failure, attempt.status) == (Failure.TIMEOUT, 0)
    assert cut.wait(GIVE_UP_S), "it was not heard to the end"


def test_an_endless_answer_is_cut(serve):
    server, sent, cut = serve(), [], threading.Event()

    def flood(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        try:
            while len(sent) < 10_000:
                sent.append(handler.wfile.write(b"x" * 65536))
        except OSError:
            cut.set()
            raise

    server.answers.append(flood)
    attempt = send(server.url)
    assert attempt.status == 200 and len(attempt.response_body) == RESPONSE_LIMIT
    assert cut.wait(GIVE_UP_S), "it was not heard to the end"


def test_packed_answers_stay_packed(serve):
    server = serve()
    bomb = gzip.compress(b"0" * 10_000_000)
    assert len(bomb) < RESPONSE_LIMIT
    server.answers.append((200, {"content-encoding": "gzip"}, bomb))
    attempt = send(server.url)
    assert attempt.status == 200 and attempt.response_base64
    assert len(attempt.response_body) < 2 * RESPONSE_LIMIT


def test_what_a_receiver_claims_fits_the_columns(serve):
    server = serve()

    def boast(handler):
        handler.reply(
            503,
            {
                "content-length": "9" * 10,
                "retry-after": "9" * 400,
                "x-nul": "a\0b",
                "x-long": "y" * 60_000,
            },
            b"\0" + b"z" * RESPONSE_LIMIT,
        )
        handler.close_connection = True

    server.answers.append(boast)
    attempt = send(server.url)
    assert attempt.response_size == MAX_SIZE
    assert "\0" not in attempt.response_headers + attempt.response_body
    assert len(attempt.response_headers) <= RESPONSE_LIMIT
    server.answers.append((200, {"content-length": None, "x": "\u0660"}, b""))
    server.default = (200, {}, b"")
    assert send(serve().url).status == 200


def test_a_stale_connection_is_replaced_at_once(serve):
    server = serve()
    sender = make_sender(server.url)
    assert sender(make_parcel()).status == 200

    def hang_up(handler):
        handler.close_connection = True

    server.answers.append(hang_up)
    assert sender(make_parcel()).status == 200
    assert len(server.requests) == 3 and len(server.peers) == 2


def test_known_secret_headers_are_masked_whatever_their_case():
    text = header_text([("Set-Cookie", "a=1"), ("X-API-Key", "k"), ("date", "now")])
    assert text == "Set-Cookie: ***\nX-API-Key: ***\ndate: now"
