"""Whatever dies: captured = delivered + dead, nothing lost, nothing out of order."""

import os
import signal
import subprocess
import time
from collections import Counter
from itertools import chain

DISPATCHING = """
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND pid IN (
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1398361667)
"""


def psql(world, query):
    """One value a line, by PostgreSQL's own client: quicker than an Odoo shell."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-d", world.db, "-c", query],
        env=world.odoo.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def account(outbox, subscriptions, events, seconds=30):
    """Nothing lost: as many deliveries as events, all of them settled."""
    deadline = time.monotonic() + seconds
    ids = list(subscriptions.values())
    while True:
        states = outbox.states(ids)
        settled = states.get("delivered", 0) + states.get("dead", 0)
        if settled == events * len(ids) or time.monotonic() > deadline:
            break
    assert settled == events * len(ids) == sum(states.values()), states
    return states


def test_killed_workers_lose_and_reorder_nothing(world, outbox, receiver):
    subscriptions = outbox.prepare(["/ok", "/flaky"], ordered=True, max_concurrency=16)
    events = outbox.emit(keys=40, rounds=25)
    kills = 0
    while kills < 3 and len(receiver.received) < 2 * events:
        before = len(receiver.received)
        deadline = time.monotonic() + 90
        while len(receiver.received) < before + 100 and time.monotonic() < deadline:
            time.sleep(0.05)
        nodes = psql(
            world, "SELECT node FROM sync_delivery_attempt ORDER BY id DESC LIMIT 1"
        )
        pid = int(nodes[0].rpartition(":")[2])
        try:
            os.kill(pid, signal.SIGKILL)
            kills += 1
        except ProcessLookupError:
            continue
    assert kills == 3
    for path in subscriptions:
        outbox.wait_until_arrived(path, events)
    states = account(outbox, subscriptions, events)
    assert states == {"delivered": 2 * events}
    for path in subscriptions:
        assert receiver.out_of_order(path) == []
        ids = Counter(message[1] for message in receiver.of(path))
        assert len(ids) == events
    known = set(
        chain(*outbox.query("SELECT ref FROM sync_event WHERE name = 'fault.happened'"))
    )
    assert {message[1] for message in receiver.received} <= known


def test_lost_database_connections_lose_nothing(world, outbox, receiver):
    # One at a time, so that there is still something to do when the cuts come.
    subscriptions = outbox.prepare(["/db"], ordered=True, max_concurrency=1)
    events = outbox.emit(keys=20, rounds=60)
    cuts = 0
    while cuts < 2 and len(receiver.of("/db")) < events:
        time.sleep(0.05)
        if psql(world, DISPATCHING):
            psql(
                world,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            cuts += 1
    assert cuts
    outbox.wait_until_arrived("/db", events, seconds=150)
    assert account(outbox, subscriptions, events) == {"delivered": events}
    assert receiver.out_of_order("/db") == []


def test_several_dispatchers_at_once_send_once(world, outbox, receiver):
    paths = [f"/p{number}" for number in range(6)]
    subscriptions = outbox.prepare(paths, ordered=True)
    # Paused while the backlog grows, so that all start at the same time.
    outbox.world.shell(
        f'env["sync.subscription"].browse({list(subscriptions.values())})'
        ".action_pause(); env.cr.commit()"
    )
    events = outbox.emit(keys=25, rounds=10)
    code = "\n".join(
        [
            "env['sync.dispatcher']._dispatch(duration=20.0, linger=3.0)",
            "result = None",
        ]
    )
    psql(world, "UPDATE sync_subscription SET state = 'active' WHERE name LIKE '/p%'")
    command = world.odoo.command("shell", "--config", world.config, "--no-http")
    shells = [
        subprocess.Popen(
            [str(part) for part in command],
            env=world.odoo.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _number in range(3)
    ]
    for shell in shells:
        shell.stdin.write(code + "\n")
        shell.stdin.close()
    for path in paths:
        outbox.wait_until_arrived(path, events)
    for shell in shells:
        shell.wait(timeout=60)
    assert account(outbox, subscriptions, events) == {"delivered": len(paths) * events}
    for path in paths:
        counts = Counter(message[1] for message in receiver.of(path))
        assert set(counts.values()) == {1}, "no message was sent twice"
        assert receiver.out_of_order(path) == []


def test_idle_to_first_attempt_is_quick(world, outbox, receiver):
    outbox.prepare(["/idle"])
    waits = []
    for number in range(5):
        time.sleep(2)
        before = time.time()
        outbox.world.shell(
            'env["sync.event.type"]._emit("fault.happened", env.user.partner_id, {});'
            "import time; result = time.time(); env.cr.commit()"
        )
        outbox.wait_until_arrived("/idle", number + 1, seconds=20)
        emitted = float(
            psql(
                world,
                "SELECT extract(epoch FROM max(occurred_at) AT TIME ZONE 'UTC')"
                " FROM sync_event",
            )[0]
        )
        waits.append(receiver.received[-1][4] - max(before, emitted))
    assert sorted(waits)[-2] < 2.0, waits
