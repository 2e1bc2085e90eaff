"""Receivers and bookkeeping for the tests that break things."""

import json
import shutil
import threading
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from devenv.server import Odoo, free_port
from devenv.world import World, sweep

MODULES = ["sync_governance_base", "sync_governance_webhooks"]


@pytest.fixture(scope="session")
def world(settings, databases, server_options):
    """A server with the outbox and nothing else, so that its figures are its own."""
    sweep(settings)
    with databases.temporary(MODULES, "faults") as database:
        odoo = Odoo(
            settings, databases.source, databases.cluster, database, **server_options
        )
        state = settings.state / "worlds" / database
        instance = World(settings, odoo, state / "demo", free_port())
        instance.start()
        try:
            yield instance
        finally:
            instance.stop()
            shutil.rmtree(state, ignore_errors=True)


class Receiver:
    """Accepts messages on any path, after ``delay`` seconds.

    ``received`` lists (path, webhook-id, key, sequence, time) as they were accepted. On
    ``/flaky`` every fifth request is answered by 500 and not accepted; ``/hang`` never
    answers in time.
    """

    def __init__(self, delay=0.005):
        self.received = []
        self.requests = Counter()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["content-length"]))
                with receiver._lock:
                    receiver.requests[self.path] += 1
                    count = receiver.requests[self.path]
                if self.path == "/hang":
                    time.sleep(30)
                    return
                time.sleep(delay)
                if self.path == "/flaky" and count % 5 == 0:
                    self.answer(500)
                    return
                message = json.loads(raw)
                receiver.received.append(
                    (
                        self.path,
                        self.headers["webhook-id"],
                        message["partitionkey"],
                        int(message["sequence"]),
                        time.time(),
                    )
                )
                self.answer(204)

            def answer(self, status):
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def of(self, path):
        """What arrived on one path."""
        return [message for message in self.received if message[0] == path]

    def out_of_order(self, path):
        """Keys whose events, each at its first arrival, were not in sequence."""
        seen, sequences = set(), defaultdict(list)
        for _path, message_id, key, sequence, _time in self.of(path):
            if message_id not in seen:
                seen.add(message_id)
                sequences[key].append(sequence)
        return [key for key, found in sequences.items() if found != sorted(found)]


@pytest.fixture
def receiver():
    instance = Receiver()
    yield instance
    instance.stop()


class Outbox:
    """Sets the scene in the world's database, and takes stock of it."""

    def __init__(self, world, receiver):
        self.world = world
        self.receiver = receiver

    def prepare(self, paths, **values):
        """Subscriptions to paths of the receiver, for the events of ``fault.happened``.

        :return: ``{path: subscription id}``
        """
        return self.world.shell(
            f"""
env["sync.subscription"].search([]).write({{"state": "disabled"}})
env["ir.config_parameter"].set_param(
    "sync_governance.allowed_networks", "127.0.0.0/8")
types = env["sync.event.type"]
if not types.search([("name", "=", "fault.happened")]):
    types.create({{"name": "fault.happened", "operation": "explicit"}})
result = {{}}
for path in {list(paths)!r}:
    subscription = env["sync.subscription"].create({{
        "name": path, "url": {self.receiver.url!r} + path, "patterns": "fault.*",
        "format": "cloudevents_structured", "retry_schedule": "0," * 30 + "0",
        "breaker_failures": 1000, "breaker_window": 1000, **{values!r}}})
    subscription._rotate_secret()
    subscription.action_activate()
    result[path] = subscription.id
env.cr.commit()
"""
        )

    def emit(self, keys, rounds):
        """Events of ``keys`` records, ``rounds`` each, a transaction a round."""
        return self.world.shell(
            f"""
partners = env["res.partner"].create(
    [{{"name": f"Fault {{n}}"}} for n in range({keys})])
env.cr.commit()
for turn in range({rounds}):
    for partner in partners:
        env["sync.event.type"]._emit("fault.happened", partner, {{"turn": turn}})
    env.cr.commit()
result = len(partners) * {rounds}
"""
        )

    def query(self, text):
        """Rows of a query."""
        return self.world.shell(f"env.cr.execute({text!r}); result = env.cr.fetchall()")

    def states(self, subscription_ids):
        """``{state: count}`` of the deliveries."""
        ids = ", ".join(map(str, subscription_ids))
        return dict(
            self.query(
                "SELECT state, count(*) FROM sync_delivery"
                f" WHERE subscription_id IN ({ids}) GROUP BY state"
            )
        )

    def wait_until_arrived(self, path, count, seconds=120):
        """Until so many different messages have arrived on a path."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if len({message[1] for message in self.receiver.of(path)}) >= count:
                return
            time.sleep(0.1)
        arrived = len({message[1] for message in self.receiver.of(path)})
        pytest.fail(f"{arrived} of {count} messages arrived on {path}")


@pytest.fixture
def outbox(world, receiver):
    return Outbox(world, receiver)
