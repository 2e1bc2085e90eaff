"""Transactions that really run at the same time."""


def test_events_of_a_record_become_visible_in_order(outbox, driver):
    """The second waits until the first has committed, so nobody sees a gap."""
    outbox.prepare(["/race"], ordered=True)
    race = driver("race_same_record")
    assert race["waited"]
    assert race["rows"] == [['{"n":1}', 1], ['{"n":2}', 2]]


def test_retention_spares_what_is_sent_again_meanwhile(outbox, driver, receiver):
    outbox.prepare(["/again"])
    outbox.emit(keys=1)
    outbox.account()
    [(delivery_id,)] = outbox.query(
        "SELECT id FROM sync_delivery"
        f" WHERE subscription_id = {outbox.subscriptions['/again']}"
    )
    race = driver("race_prune_and_resend", delivery_id=delivery_id)
    assert race["outcome"] == "refused"
    assert race["states"], "the delivery was deleted"
    outbox.arrived(2)
    outbox.account()
    assert list(receiver.ids("/again").values()) == [2], "sent again under its own id"


def test_a_subscription_deleted_while_it_is_sent_to(outbox, driver, receiver):
    """Its results go with it; those of the others, in the same breath, do not."""
    outbox.prepare(["/gone", "/stays"], ordered=True, max_concurrency=2)
    outbox.emit(keys=20, rounds=10)
    outbox.arrived(100)
    gone = outbox.subscriptions.pop("/gone")
    for method in ("action_pause", "unlink"):
        driver("call", model="sync.subscription", ids=[gone], method=method)
    outbox.account()
