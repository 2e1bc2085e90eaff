"""The lane is pure though it lives beside the dispatcher: order, limits, health."""

from odoo.addons.sync_governance_webhooks.dispatcher.lane import Lane, LaneConfig
from odoo.addons.sync_governance_webhooks.tools import breaker
from odoo.addons.sync_governance_webhooks.tools.backoff import Schedule
from odoo.addons.sync_governance_webhooks.tools.outcome import Attempt
from odoo.addons.sync_governance_webhooks.tools.parcel import Parcel


def lane(ordered=True, concurrency=4, rate=0.0, schedule="0,10,10"):
    config = LaneConfig(
        id=1,
        revision=1,
        ordered=ordered,
        concurrency=concurrency,
        rate=rate,
        schedule=Schedule.parse(schedule),
        breaker=breaker.Config(),
        sender=None,
    )
    return Lane(config, breaker.State())


def parcel(number, key, manual=False):
    return Parcel(number, 1, key, 1, 1, manual, None, "{}")


def settle(subject, sent, status, **values):
    attempt = Attempt(started=0, duration=0.1, status=status, **values)
    return subject.settle(sent, attempt, 100.0, lambda low, high: 1.0)


def test_of_a_key_only_one_is_under_way():
    subject = lane()
    for number, key in ((1, "a"), (2, "a"), (3, "b")):
        subject.add(parcel(number, key))
    first, second = subject.next(0, 0), subject.next(0, 0)
    assert (first.delivery_id, second.delivery_id) == (1, 3)
    assert subject.next(0, 0) is None
    settle(subject, first, 200)
    assert subject.next(0, 0).delivery_id == 2


def test_those_behind_a_failure_are_given_back_with_its_delay():
    subject = lane()
    for number, key in ((1, "a"), (2, "a"), (3, "b")):
        subject.add(parcel(number, key))
    result, _transition = settle(subject, subject.next(0, 0), 503)
    assert (result.state, result.delay) == ("retrying", 10)
    assert subject.released == {2: 10}
    assert subject.next(0, 0).delivery_id == 3


def test_those_behind_a_dead_one_go_on():
    subject = lane()
    subject.add(parcel(1, "a"))
    subject.add(parcel(2, "a"))
    result, _transition = settle(subject, subject.next(0, 0), 400)
    assert result.state == "dead"
    assert subject.next(0, 0).delivery_id == 2


def test_concurrency():
    subject = lane(concurrency=2)
    for number in range(5):
        subject.add(parcel(number, number))
    sent = [subject.next(0, 0) for _ in range(3)]
    assert sent[2] is None
    settle(subject, sent[0], 200)
    assert subject.next(0, 0) is not None


def test_rate():
    subject = lane(rate=2.0)
    for number in range(5):
        subject.add(parcel(number, number))
    sent = [subject.next(0, moment) for moment in (0, 0.1, 0.4, 0.55, 0.6, 1.06)]
    assert [item is not None for item in sent] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]


def test_opening_gives_everything_back_and_claims_a_single_probe_later():
    subject = lane(schedule="0," * 9 + "0")
    for number in range(20):
        subject.add(parcel(number, number))
    opened = []
    while sent := subject.next(100, 0):
        opened.append(settle(subject, sent, 500)[1])
    assert opened[-1] is breaker.Transition.OPENED
    assert len(opened) == 5
    assert set(subject.released) == set(range(5, 20))
    assert subject.is_idle
    assert subject.wanted(130) == 0
    assert subject.wanted(161) == 1
    subject.add(parcel(99, 99))
    assert subject.wanted(161) == 0


def test_retry_after_holds_the_lane():
    subject = lane()
    subject.add(parcel(1, "a"))
    subject.add(parcel(2, "b"))
    result, transition = settle(subject, subject.next(100, 0), 429, retry_after=50)
    assert (result.delay, transition) == (50, None)
    assert subject.released == {2: 0.0}
    assert subject.permits(149) == 0
    assert subject.permits(150) == 4


def test_manual_attempts_schedule_nothing():
    subject = lane()
    subject.add(parcel(1, "a", manual=True))
    result, _transition = settle(subject, subject.next(0, 0), 503)
    assert result.state == "dead"


def test_releasing_leaves_what_is_under_way():
    subject = lane()
    for number, key in ((1, "a"), (2, "a"), (3, "b")):
        subject.add(parcel(number, key))
    sent = subject.next(0, 0)
    subject.release_waiting(7.0)
    assert subject.released == {2: 7.0, 3: 7.0}
    assert subject.next(0, 0) is None
    settle(subject, sent, 200)
    assert subject.is_idle


def test_settings_that_do_not_work_suspend_it_and_are_tried_once():
    subject = lane()
    for number, key in ((1, "a"), (2, "a"), (3, "b")):
        subject.add(parcel(number, key))
    sent = subject.next(0, 0)
    subject.suspend(until=300.0, revision=2)
    assert subject.config.revision == 2
    assert subject.is_dirty
    assert subject.released == {2: 0.0, 3: 0.0}
    assert (subject.permits(299), subject.permits(300)) == (0, 4)
    settle(subject, sent, 200)
    assert subject.is_idle
