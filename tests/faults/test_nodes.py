"""Several nodes of one database: one takes over from another, clocks may disagree."""

from pathlib import Path

CLOCK = Path(__file__).parent / "clock"
THREADED = {"workers": 0, "channels": "root:2", "cron_threads": 1}


def test_a_threaded_node_takes_over_from_a_killed_one(outbox, receiver, server, nodes):
    """Two servers; the one that sends is killed whole; the other runs on threads."""
    nodes("threaded", **THREADED)
    outbox.prepare(["/one", "/flaky"], ordered=True, max_concurrency=4)
    outbox.emit(keys=30, rounds=20)
    outbox.arrived(200)
    server.kill()
    outbox.emit(keys=5, rounds=2)
    outbox.account()
    nodes_seen = outbox.query(
        "SELECT DISTINCT attempt.node FROM sync_delivery_attempt attempt"
        " JOIN sync_subscription subscription"
        "   ON subscription.id = attempt.subscription_id"
        f" WHERE subscription.id = {outbox.subscriptions['/one']}"
    )
    assert len(nodes_seen) >= 2


def test_a_node_whose_clock_jumps(outbox, receiver, server, nodes, tmp_path):
    """Two hours ahead, then back behind where it was, while it sends."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    server.kill()
    nodes(
        "jumping",
        **THREADED,
        variables={"PYTHONPATH": str(CLOCK), "FAULTS_CLOCK": str(clock)},
    )
    outbox.prepare(["/one", "/flaky"], ordered=True, max_concurrency=2)
    outbox.emit(keys=20, rounds=20)
    for hours in (2, -1):
        outbox.arrived(len(receiver.received) + 150)
        clock.write_text(str(hours * 3600))
        outbox.emit(keys=5)
    outbox.account()


def test_the_clock_of_the_database_goes_back(outbox):
    """What waited from before the jump need not wait for it to be made up."""
    outbox.prepare(["/back"], ordered=True)
    outbox.pause()
    outbox.emit(keys=10)
    # A clock that is set back by an hour: all times noted are an hour ahead.
    for table, column in (("sync_event", "occurred_at"), ("sync_delivery", "next_at")):
        outbox.query(f"UPDATE {table} SET {column} = {column} + INTERVAL '1 hour'")
    outbox.go_on()
    outbox.account(seconds=30)
    outbox.sent_once()
    for table, column in (("sync_event", "occurred_at"), ("sync_delivery", "next_at")):
        outbox.query(f"UPDATE {table} SET {column} = {column} - INTERVAL '1 hour'")


def test_the_clock_of_the_database_goes_forward(outbox):
    outbox.prepare(["/forward"], retry_schedule="0,600", breaker_failures=1)
    outbox.pause()
    outbox.emit(keys=10)
    outbox.query("UPDATE sync_delivery SET next_at = next_at - INTERVAL '1 hour'")
    outbox.go_on()
    outbox.account(seconds=30)
    outbox.sent_once()
