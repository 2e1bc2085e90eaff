"""A database that goes away: nothing lost, nothing out of order."""


def test_lost_connections_lose_nothing(outbox, receiver, server):
    # One at a time, so that there is still something to do when the cuts come.
    outbox.prepare(["/db"], ordered=True, max_concurrency=1)
    outbox.emit(keys=20, rounds=40)
    for _cut in range(2):
        outbox.arrived(len(receiver.received) + 100)
        assert outbox.wait_until(outbox.is_dispatching)
        outbox.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        server.ensure()
    outbox.account()


def test_a_crashed_database_server_loses_nothing(fragile, receiver):
    """Crash and recovery, twice, while messages are on their way."""
    outbox, crash = fragile
    outbox.prepare(["/crash", "/flaky"], ordered=True, max_concurrency=2)
    outbox.emit(keys=20, rounds=30)
    for _crash in range(2):
        outbox.arrived(len(receiver.received) + 150)
        crash()
    outbox.account()
