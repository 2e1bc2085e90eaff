"""What only a real server shows: parallel workers, killed ones, late commits."""

import contextlib
import itertools
import os
import random
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from devenv.processes import Process
from devenv.world import pid_file

ISSUE = """
system = env["sync.system"].create(
    {{"name": {code!r}, "code": {code!r}, "kind": "shop", "state": "live",
      "reach": "company"}})
account = env["sync.service.account"]._create_for(system, "e2e")
plan = env.ref("sync_governance_connectors.sync_plan_bulk")
_credential, key = env["sync.credential"]._issue(account, ["*:*"], plan=plan)
env.cr.commit()
result = key
"""


class Partner:
    """A system's own client: one key, one connection a thread."""

    def __init__(self, world, key):
        self.base = f"{world.url}/sync/v1"
        self.headers = {"Authorization": f"Bearer {key}", "X-Odoo-Database": world.db}
        self.example = requests.get(
            f"{self.base}/openapi.json", headers=self.headers, timeout=60
        ).json()["paths"]["/customers"]["post"]["requestBody"]["content"][
            "application/json"
        ]["example"]

    def customer(self, external_id):
        body = {
            **self.example,
            "external_id": external_id,
            "name": f"Twin {external_id}",
        }
        body.pop("parent", None)
        return body

    def call(self, method, path, **options):
        headers = {**self.headers, **options.pop("headers", {})}
        return requests.request(
            method, self.base + path, headers=headers, timeout=30, **options
        )

    def create(self, external_id, key):
        return self.call(
            "POST",
            "/customers",
            json=self.customer(external_id),
            headers={"Idempotency-Key": key},
        )

    def patch(self, external_id, change, tag):
        headers = {
            "Idempotency-Key": uuid.uuid4().hex,
            "If-Match": tag,
            "Content-Type": "application/merge-patch+json",
        }
        path = f"/customers/{external_id}"
        return self.call("PATCH", path, json=change, headers=headers)


@pytest.fixture(scope="module")
def partner(world):
    return Partner(world, world.shell(ISSUE.format(code="e2e_gate")))


def count(world, external_id):
    code = "result = env['res.partner'].search_count([('name', '=', %r)])"
    return world.shell(code % f"Twin {external_id}")


def test_fifty_twins_have_one_effect(world, partner):
    barrier = threading.Barrier(50)

    def twin(_number):
        barrier.wait()
        return partner.create("T-50", "twins")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(twin, range(50)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}, statuses
    assert statuses[201] >= 1
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert all(
        answer.headers["Retry-After"] for answer in answers if answer.status_code == 409
    )
    assert count(world, "T-50") == 1
    again = partner.create("T-50", "twins")
    assert again.headers["Idempotent-Replayed"] == "true"


def test_twenty_patchers_lose_no_update(partner):
    partner.create("T-20", "patched")
    barrier = threading.Barrier(20)

    def patcher(number):
        tag = partner.call("GET", "/customers/T-20").headers["ETag"]
        barrier.wait()
        answer = partner.patch("T-20", {"name": f"Patched by {number}"}, tag)
        return number, answer.status_code

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(patcher, range(20)))
    winners = [number for number, status in outcomes if status == 200]
    assert len(winners) == 1, outcomes
    assert {status for _number, status in outcomes} <= {200, 412, 503}
    stored = partner.call("GET", "/customers/T-20").json()["name"]
    assert stored == f"Patched by {winners[0]}"


CALLS = """
calls = env["sync.request"].search([("idempotency_key", "like", {keys!r})])
result = calls.grouped("state")
result = {{state: len(group) for state, group in result.items()}}
"""


def test_writers_at_once_are_run_again_by_odoo_with_one_effect_each(world, partner):
    """Each but the first meets a row changed under its snapshot: Odoo rolls back and
    runs the call again, which finds its own claim and goes on.
    """
    partner.create("T-8", "written")
    barrier, log_before = threading.Barrier(8), world.odoo.log.read_text()

    def writer(number):
        barrier.wait()
        return partner.call(
            "PATCH",
            "/customers/T-8",
            json={"name": f"Written by {number}"},
            headers={
                "Idempotency-Key": f"writer-{number}",
                "If-Match": "*",
                "Content-Type": "application/merge-patch+json",
            },
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(writer, range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["ETag"] for answer in answers}) == 8
    assert world.shell(CALLS.format(keys="writer-%")) == {"applied": 8}
    log = world.odoo.log.read_text()[len(log_before) :]
    assert "tries left" in log, "nobody met another: the test proved nothing"


CUSTOMERS = """
groups = env["res.partner"]._read_group(
    [("name", "=like", "Twin K-%")], ["name"], ["__count"])
result = {name.removeprefix("Twin "): count for name, count in groups}
"""


def test_killed_workers_lose_nothing_and_double_nothing(world, partner):
    """Workers die at any instant; a partner who tries again has one effect a call."""
    deadline = time.monotonic() + 40
    numbers, over, broken, done = itertools.count(), threading.Event(), [], {}

    def send_until_over(_thread):
        while not over.is_set():
            one = f"K-{next(numbers)}"
            done[one] = _until_done(partner, one, deadline, broken)

    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(send_until_over, number) for number in range(4)]
        try:
            # At least six deaths, one of them at least in the middle of a call.
            for kills in range(25):
                if kills >= 6 and broken:
                    break
                time.sleep(0.4)
                _kill_one(world)
        finally:
            over.set()
        for sender in senders:
            sender.result()
    assert broken, "no call was hit: the test proved nothing"
    assert {answer.status_code for answer in done.values()} == {201}
    for one, answer in done.items():
        again = partner.create(one, one)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.content == answer.content
    assert world.shell(CUSTOMERS) == dict.fromkeys(done, 1)


def _kill_one(world):
    """Kill -9 a child of the server that we started, whichever it is."""
    parent = Process.load(pid_file(world.folder, "server")).pid
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)],
        capture_output=True,
        text=True,
    )
    rows = [line.split(None, 1) for line in listed.stdout.splitlines()]
    workers = [int(pid) for pid, args in rows if "gevent" not in args]
    if workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(random.choice(workers), signal.SIGKILL)


def _until_done(partner, external_id, deadline, broken):
    """Send the same call until it is answered; note each one that was cut off."""
    while time.monotonic() < deadline:
        try:
            answer = partner.create(external_id, external_id)
        except requests.RequestException:
            broken.append(external_id)
        else:
            if answer.status_code not in (409, 503):
                return answer
        time.sleep(0.2)
    raise AssertionError(f"{external_id} was never answered")


SLOW_EVENT = """
import time
emit = env["sync.event.type"]._emit
record = env["res.partner"].create({{"name": "Feed {name}"}})
env.cr.flush()
time.sleep({seconds})
env.cr.commit()
result = env["sync.event"].search([("res_id", "=", record.id),
    ("res_model", "=", "res.partner")]).mapped("ref")
"""


def test_feed_skips_nothing_that_commits_late(world, partner):
    """An event written first and committed last comes after every cursor given."""
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(world.shell, SLOW_EVENT.format(name="late", seconds=6))
        time.sleep(3)
        early = world.shell(SLOW_EVENT.format(name="early", seconds=0))
        cursor, seen = "", []
        while not late.done():
            cursor = _poll(partner, cursor, seen)
        expected = {*early, *late.result()}
    deadline = time.monotonic() + 60
    while not expected <= set(seen) and time.monotonic() < deadline:
        cursor = _poll(partner, cursor, seen)
    assert expected and expected <= set(seen)
    assert len(seen) == len(set(seen)), "an event came twice"


def _poll(partner, cursor, seen):
    query = f"?limit=100&cursor={cursor}" if cursor else "?limit=100"
    page = partner.call("GET", f"/events{query}").json()
    seen.extend(event["id"] for event in page["data"])
    time.sleep(0.2)
    return page["next_cursor"]
