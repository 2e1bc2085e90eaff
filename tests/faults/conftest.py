"""Receivers, nodes and bookkeeping for the tests that break things."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from devenv import postgres
from devenv.processes import Process
from devenv.server import Odoo, free_port
from devenv.world import World, pid_file, sweep

MODULES = ["sync_governance_base", "sync_governance_webhooks"]
DRIVER = Path(__file__).parent / "driver.py"
# "SYNC": the locks of the dispatchers
DISPATCHING = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND pid IN (
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1398361667)
"""


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


class Driver:
    """A node without HTTP, for the tests' own calls; see ``driver.py``."""

    def __init__(self, odoo):
        command = [odoo.settings.venv_python, DRIVER, odoo.config, odoo.database]
        self._log = odoo.log.open("ab")
        self._process = subprocess.Popen(
            [str(part) for part in command],
            env=odoo.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __call__(self, call, /, **arguments):
        """Make a call and wait for its result."""
        self.send(call, **arguments)
        return self.result()

    def send(self, call, /, **arguments):
        """Make a call without waiting."""
        line = json.dumps({"call": call, "arguments": arguments})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def result(self):
        """The result of the call that was sent."""
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            pytest.fail(f"The driver failed:\n{answer['error']}")
        return answer["result"]

    def stop(self):
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
        self._log.close()


@contextmanager
def driving(odoo):
    """A driver for as long as the context lasts."""
    driver = Driver(odoo)
    try:
        yield driver
    finally:
        driver.stop()


@pytest.fixture(scope="session")
def driver(world):
    with driving(world.odoo) as instance:
        yield instance


@pytest.fixture
def fragile(settings, databases, world, server_options, receiver):
    """A copy of the world's outbox in a database server of its own, and ``crash()``."""
    name = f"{world.db}_fragile"
    folder = settings.state / "worlds" / name
    with postgres.running(replace(settings, state=folder)) as cluster:
        # Others share a server that need not be durable; this one is to recover.
        cluster.sql("ALTER SYSTEM SET synchronous_commit = on", user="postgres")
        cluster.sql("SELECT pg_reload_conf()", user="postgres")
        _copy(world.db, databases.cluster, cluster)
        odoo = Odoo(
            settings,
            databases.source,
            cluster,
            world.db,
            name=name,
            **server_options,
        )
        copy = World(settings, odoo, folder / "demo", free_port())
        copy.folder.mkdir(parents=True, exist_ok=True)
        service = Service(copy)

        def crash():
            postgres.crash(cluster)
            service.ensure()

        try:
            service.ensure()
            with driving(odoo) as driver:
                outbox = Outbox(copy, driver, receiver)
                with outbox.busy():
                    yield outbox, crash
        finally:
            copy.stop()
    postgres.remove(replace(settings, state=folder))
    shutil.rmtree(folder, ignore_errors=True)


class Service:
    """Keeps an Odoo server running, as a service manager does.

    Odoo's main process ends itself when it finds no database at the wrong moment.
    """

    def __init__(self, world):
        self._odoo = world.odoo
        self._file = pid_file(world.folder, "server")

    def job_runner(self):
        """The process of a prefork server's job runner, by the server's own log."""
        log = self._odoo.log.read_text()
        return int(re.findall(r"WorkerJobRunner \((\d+)\) alive", log)[-1])

    def kill(self):
        """End all its processes, with no time for a last word."""
        process = Process.load(self._file)
        if process:
            process.kill()

    def ensure(self, seconds=2):
        """Start it unless it is there, and stays for some time."""
        deadline = time.monotonic() + seconds
        while Process.load(self._file):
            if time.monotonic() > deadline:
                return
            time.sleep(0.1)
        self._end_children()
        process = self._odoo.start()
        process.save(self._file)
        self._odoo.wait_until_it_answers(process)

    def _end_children(self):
        """Those of a main process that failed go on with what they are doing."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.killpg(json.loads(self._file.read_text())["pid"], signal.SIGKILL)


def _copy(database, source, target):
    """Copy a database from one cluster to another."""
    target.command("createdb", database)
    dump = subprocess.Popen(
        [source.programs / "pg_dump", "--no-owner", database],
        env={**os.environ, **source.environment},
        stdout=subprocess.PIPE,
    )
    subprocess.run(
        [target.programs / "psql", "-Xqo", os.devnull, "-v", "ON_ERROR_STOP=1"],
        env={**os.environ, **target.environment, "PGDATABASE": database},
        stdin=dump.stdout,
        check=True,
    )
    assert dump.wait() == 0


@pytest.fixture
def nodes(settings, databases, world):
    """Starts further nodes of the world's database: ``nodes(name, **options)``.

    ``nodes.driver()`` starts one without HTTP.
    """
    nodes = Nodes(settings, databases, world)
    yield nodes
    nodes.stop()


class Nodes:
    def __init__(self, settings, databases, world):
        self._settings, self._databases, self._world = settings, databases, world
        self._running = []

    def __call__(self, name, **options):
        """Start an Odoo server; returns its process."""
        database = self._world.db
        odoo = Odoo(
            self._settings,
            self._databases.source,
            self._databases.cluster,
            database,
            name=f"{database}_{name}",
            **options,
        )
        process = odoo.start()
        self._running.append(process)
        odoo.wait_until_it_answers(process)
        return process

    def driver(self):
        driver = Driver(self._world.odoo)
        self._running.append(driver)
        return driver

    def stop(self):
        for node in self._running:
            node.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # As many as a dispatcher sends at once; Python's five would refuse some.
    request_queue_size = 128


class Receiver:
    """Accepts messages on any path, after ``delay`` seconds.

    ``received`` lists (path, webhook-id, key, sequence, time) as they were accepted. On
    ``/flaky`` every fifth request is answered by 500 and not accepted; ``/hang`` never
    answers.
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

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def of(self, path):
        """What arrived on one path."""
        return [message for message in self.received if message[0] == path]

    def ids(self, path):
        """How often each message arrived on one path."""
        return Counter(message[1] for message in self.of(path))

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
    """Sets the scene in a world's database, and takes stock of it."""

    def __init__(self, world, driver, receiver):
        self.world = world
        self._driver = driver
        self._receiver = receiver
        self.subscriptions = {}
        self.events = set()

    def prepare(self, paths, **values):
        """Subscriptions to paths of the receiver; nobody else listens.

        :return: ``{path: subscription id}``
        """
        self.subscriptions = self._driver(
            "prepare", url=self._receiver.url, paths=paths, values=values
        )
        return self.subscriptions

    def pause(self):
        self._call("action_pause")

    def go_on(self):
        self._call("action_activate")

    def _call(self, method):
        ids = list(self.subscriptions.values())
        self._driver("call", model="sync.subscription", ids=ids, method=method)

    def emit(self, keys, rounds=1):
        """Events of ``keys`` records, ``rounds`` each, a transaction a round.

        :return: their number
        """
        emitted = self._driver("emit", keys=keys, rounds=rounds)
        self.events.update(emitted)
        return len(emitted)

    def query(self, text):
        """Rows of a query."""
        return self._driver("query", text=text)

    def wait_until(self, condition, seconds=90):
        """Until a condition holds; False if it does not come to that."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def arrived(self, count):
        """Wait until so many requests were accepted, on whatever path."""
        enough = self.wait_until(lambda: len(self._receiver.received) >= count)
        assert enough, f"{len(self._receiver.received)} of {count} arrived"

    def states(self, subscription_ids):
        """``{state: count}`` of the deliveries."""
        total = Counter()
        for counts in self._counts(subscription_ids).values():
            total += counts
        return dict(total)

    def by_path(self):
        """``{path: {state: count}}`` of the deliveries."""
        counts = self._counts(self.subscriptions.values())
        return {
            path: dict(counts[subscription_id])
            for path, subscription_id in self.subscriptions.items()
        }

    def _counts(self, subscription_ids):
        ids = ", ".join(map(str, subscription_ids))
        counts = defaultdict(Counter)
        for subscription_id, state, count in self.query(
            "SELECT subscription_id, state, count(*) FROM sync_delivery"
            f" WHERE subscription_id IN ({ids}) GROUP BY 1, 2"
        ):
            counts[subscription_id][state] = count
        return counts

    def account(self, dead=(), seconds=90):
        """The exact account: captured = delivered + dead, on every path.

        What is delivered has arrived, under ids of events that were captured and in the
        order of each key; ``dead`` are the paths where nothing does.
        """
        want = {
            path: {"dead" if path in dead else "delivered": len(self.events)}
            for path in self.subscriptions
        }
        self.wait_until(lambda: self.by_path() == want, seconds)
        assert self.by_path() == want
        known = {
            ref
            for (ref,) in self.query(
                "SELECT ref FROM sync_event WHERE name = 'fault.happened'"
            )
        }
        assert self.events <= known
        for path in self.subscriptions:
            arrived = set() if path in dead else self.events
            assert set(self._receiver.ids(path)) == arrived
            assert self._receiver.out_of_order(path) == []

    def sent_once(self):
        """Assert that no message arrived twice."""
        for path in self.subscriptions:
            assert set(self._receiver.ids(path).values()) <= {1}, path

    def sending_process(self):
        """The process that made the last attempt."""
        [(node,)] = self.query(
            "SELECT node FROM sync_delivery_attempt ORDER BY id DESC LIMIT 1"
        )
        return int(node.rpartition(":")[2])

    def is_dispatching(self):
        return bool(self.query(DISPATCHING))

    @contextmanager
    def busy(self):
        """As in a database where other jobs come and go.

        The job runner looks for dead jobs whenever the queue changes, at the latest
        after a minute; nobody waits for that minute here.
        """
        done = threading.Event()

        def stir():
            while not done.wait(1):
                # Its own connection: the database may be away.
                subprocess.run(
                    ["psql", "-X", "-q", "-c", "NOTIFY queue_job, 'other'"],
                    env={**self.world.odoo.environment, "PGDATABASE": self.world.db},
                    capture_output=True,
                )

        thread = threading.Thread(target=stir)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@pytest.fixture
def outbox(world, driver, receiver):
    outbox = Outbox(world, driver, receiver)
    with outbox.busy():
        yield outbox


@pytest.fixture
def server(world):
    """The world's server, to be hurt: ``kill()``, ``ensure()``."""
    service = Service(world)
    yield service
    service.ensure(seconds=0)
