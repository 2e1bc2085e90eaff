"""Processes that die, endpoints that hang: captured = delivered + dead, in order."""

import os
import signal
import time


def test_killed_workers_lose_and_reorder_nothing(outbox, receiver):
    outbox.prepare(["/ok", "/flaky"], ordered=True, max_concurrency=16)
    outbox.emit(keys=40, rounds=20)
    for _kill in range(2):
        outbox.arrived(len(receiver.received) + 150)
        os.kill(outbox.sending_process(), signal.SIGKILL)
    outbox.account()


def test_a_killed_job_runner_is_replaced(outbox, server):
    outbox.prepare(["/runner"], ordered=True)
    outbox.emit(keys=10, rounds=5)
    os.kill(server.job_runner(), signal.SIGKILL)
    outbox.emit(keys=10, rounds=5)
    outbox.account()
    outbox.sent_once()


def test_several_dispatchers_at_once_send_once(outbox, receiver, nodes):
    """Two processes more than the server's own, all starting at the same time."""
    helpers = [nodes.driver() for _number in range(2)]
    outbox.prepare([f"/p{number}" for number in range(6)], ordered=True)
    outbox.pause()
    outbox.emit(keys=25, rounds=10)
    for helper in helpers:
        helper.send("dispatch")
    outbox.go_on()
    outbox.account()
    for helper in helpers:
        helper.result()
    outbox.sent_once()


def test_a_hanging_receiver_ends_as_dead_letters(outbox, receiver):
    """Each attempt lasts for the whole timeout; the attempts are counted exactly."""
    outbox.prepare(["/hang"], timeout_s=1, retry_schedule="0,0", max_concurrency=16)
    outbox.emit(keys=12)
    outbox.account(dead=["/hang"])
    assert receiver.requests["/hang"] == 2 * len(outbox.events)
    durations = outbox.query(
        "SELECT min(duration_ms), max(duration_ms) FROM sync_delivery_attempt attempt"
        " JOIN sync_subscription subscription"
        "   ON subscription.id = attempt.subscription_id"
        f" WHERE subscription.id = {outbox.subscriptions['/hang']}"
    )
    [(shortest, longest)] = durations
    assert 900 < shortest <= longest < 3000


def test_a_dead_endpoint_beside_twenty_healthy_ones(outbox):
    healthy = [f"/h{number}" for number in range(20)]
    outbox.prepare([*healthy, "/hang"], timeout_s=5, retry_schedule="0,0")
    outbox.emit(keys=8)

    # While the dead one still hangs, the healthy ones have everything.
    def are_served():
        states = outbox.by_path()
        return all(states[path] == {"delivered": 8} for path in healthy)

    started = time.monotonic()
    assert outbox.wait_until(are_served, seconds=20)
    assert time.monotonic() - started < 5
    assert "dead" not in outbox.by_path()["/hang"]
    outbox.account(dead=["/hang"])
    outbox.sent_once()


def test_idle_to_first_attempt_is_quick(outbox, receiver):
    outbox.prepare(["/idle"])
    waits = []
    for number in range(6):
        # Longer than a dispatcher lingers: each event finds everybody asleep.
        time.sleep(1.5)
        outbox.emit(keys=1)
        emitted = time.time()
        outbox.arrived(number + 1)
        waits.append(receiver.received[-1][4] - emitted)
    assert sorted(waits)[-2] < 2.0, waits
