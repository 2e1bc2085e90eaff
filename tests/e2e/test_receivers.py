"""The receivers of docs/receivers accept our deliveries, and nothing else."""

import os
import shutil
import subprocess
import sys
import time
from datetime import datetime, timezone

import pytest
import requests
from standardwebhooks import Webhook

from devenv.server import free_port

COMMANDS = {
    "python": [sys.executable, "receiver.py", "{port}"],
    "node": ["node", "receiver.mjs", "{port}"],
    "php": ["php", "-S", "127.0.0.1:{port}", "receiver.php"],
}
SUBSCRIBE = """
env["ir.config_parameter"].set_param(
    "sync_governance.allowed_networks", "127.0.0.0/8")
result = {{}}
for name, url in {urls!r}.items():
    subscription = env["sync.subscription"].create(
        {{"name": "Example in " + name, "url": url, "patterns": "sync.ping"}})
    secret = subscription._rotate_secret()
    subscription.action_activate()
    result[name] = [subscription.id, secret]
env.cr.commit()
"""
PING = """
subscriptions = env["sync.subscription"].browse({ids})
{before}
subscriptions.action_test_ping()
env.cr.commit()
import time
deliveries = env["sync.delivery"]
for _second in range(60):
    env.invalidate_all()
    last = [deliveries.search([("subscription_id", "=", one.id)], limit=1)
            for one in subscriptions]
    if all(one.state in ("delivered", "dead") for one in last):
        break
    env.cr.rollback()
    time.sleep(1)
result = [
    [one.ref, one.state, one.last_status, one.body,
     dict(line.split(": ", 1)
          for line in one.attempt_ids[-1].request_headers.splitlines())]
    for one in last]
"""


class Example:
    """One of the receivers, with an inbox of its own."""

    def __init__(self, name, folder, source):
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.inbox = folder / name
        self._source = source
        self._process = None

    def start(self, secret):
        """Start it, or start it anew with another secret."""
        self.stop()
        self._process = subprocess.Popen(
            [part.format(port=self.port) for part in COMMANDS[self.name]],
            cwd=self._source,
            env={
                "PATH": os.environ["PATH"],
                "WEBHOOK_SECRET": secret,
                "INBOX": str(self.inbox),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                return requests.get(self.url, timeout=1)
            except requests.ConnectionError:
                time.sleep(0.05)
        return pytest.fail(f"the receiver in {self.name} did not start")

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=20)

    def kept(self):
        """``{webhook-id: body}`` of what it accepted."""
        return {file.stem: file.read_text() for file in self.inbox.glob("*.json")}

    def post(self, body, headers):
        answer = requests.post(self.url, data=body, headers=headers, timeout=10)
        return answer.status_code


class Sent:
    """What Odoo has sent to an example."""

    def __init__(self, ref, state, status, body, headers):
        self.ref, self.state, self.status = ref, state, status
        self.body, self.headers = body, headers


@pytest.fixture(scope="module")
def story(world, settings, tmp_path_factory):
    """Pings before, during and after a rotation; who had which secret then."""
    folder = tmp_path_factory.mktemp("receivers")
    names = [name for name in COMMANDS if name == "python" or shutil.which(name)]
    examples = [
        Example(name, folder, settings.root / "docs/receivers") for name in names
    ]
    urls = {example.name: example.url for example in examples}
    subscribed = world.shell(SUBSCRIBE.format(urls=urls))
    ids = [subscribed[name][0] for name in names]

    def ping(before=""):
        rows = world.shell(PING.format(ids=ids, before=before))
        return dict(zip(names, (Sent(*row) for row in rows), strict=True))

    try:
        for example in examples:
            example.inbox.mkdir()
            example.secret = subscribed[example.name][1]
            example.start(example.secret)
        yield {
            "examples": {example.name: example for example in examples},
            "first": ping(),
            "rotating": ping("for one in subscriptions: one._rotate_secret()"),
            "after": ping("subscriptions.action_end_overlap()"),
        }
    finally:
        for example in examples:
            example.stop()


@pytest.fixture(params=list(COMMANDS))
def name(request, story):
    if request.param not in story["examples"]:
        pytest.skip(f"no {request.param} on this machine")
    return request.param


def test_it_keeps_our_delivery_as_sent(story, name):
    example, sent = story["examples"][name], story["first"][name]
    assert (sent.state, sent.status) == ("delivered", 204)
    assert example.kept()[sent.ref] == sent.body


def test_once_however_often_it_comes(story, name):
    example, sent = story["examples"][name], story["first"][name]
    kept = example.kept()
    assert example.post(sent.body.encode(), sent.headers) == 204
    assert example.kept() == kept


def test_it_refuses_what_was_tampered_with(story, name):
    example, sent = story["examples"][name], story["first"][name]
    kept = example.kept()
    other_id = sent.headers | {"webhook-id": "evt_another"}
    path = sent.headers | {"webhook-id": "../evil"}
    unsigned = sent.headers | {"webhook-signature": ""}
    cut = sent.headers | {"webhook-signature": sent.headers["webhook-signature"][:-2]}
    assert example.post(sent.body.replace("ping", "pong").encode(), sent.headers) == 401
    for headers in (other_id, path, unsigned, cut, {}):
        assert example.post(sent.body.encode(), headers) == 401
    assert example.kept() == kept


@pytest.mark.parametrize("shift", [-400, 400])
def test_it_refuses_old_and_future_ones(story, name, shift):
    example, sent = story["examples"][name], story["first"][name]
    now = time.time() + shift
    moment = datetime.fromtimestamp(now, timezone.utc)
    signature = Webhook(example.secret).sign("evt_old", moment, sent.body)
    headers = {
        "webhook-id": "evt_old",
        "webhook-timestamp": str(int(now)),
        "webhook-signature": signature,
    }
    assert example.post(sent.body.encode(), headers) == 401
    assert "evt_old" not in example.kept()


def test_a_rotation_is_not_noticed_until_its_end(story, name):
    example, sent = story["examples"][name], story["rotating"][name]
    assert len(sent.headers["webhook-signature"].split()) == 2
    assert (sent.state, sent.status) == ("delivered", 204)
    after = story["after"][name]
    assert len(after.headers["webhook-signature"].split()) == 1
    assert (after.state, after.status) == ("dead", 401), "it knows the old secret alone"
    assert after.ref not in example.kept()
