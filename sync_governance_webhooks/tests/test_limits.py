import itertools
import threading
from unittest.mock import patch

from odoo.tests import Form, tagged

from ..dispatcher.lane import Lane
from .common import WebhookCase

# How far the clock goes on each time that somebody looks at it.
STEP_S = 0.002
# Until a test gives up what it waits for.
GIVE_UP_S = 60


class Clock:
    """Seconds that pass by looking at them: tests do not depend on the machine."""

    def __init__(self):
        self._now, self._changed = 0.0, threading.Condition()

    def __call__(self):
        with self._changed:
            self._now += STEP_S
            self._changed.notify_all()
            return self._now

    def pass_by(self, seconds):
        """Wait until others have let so many seconds go by."""
        with self._changed:
            until = self._now + seconds
            self._changed.wait_for(lambda: self._now >= until, GIVE_UP_S)


class Crowd:
    """Keeps requests at the receiver until as many are there as may be, and until the
    dispatcher could have sent one too many."""

    def __init__(self, receiver, clock, expected):
        self.most, self._expected = 0, expected
        self._clock, self._inside, self._changed = clock, 0, threading.Condition()
        receiver.on_post = self

    def __call__(self):
        with self._changed:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self._expected, GIVE_UP_S)
        self._clock.pass_by(0.1)
        with self._changed:
            self._inside -= 1


@tagged("post_install", "-at_install")
class TestLimits(WebhookCase):
    """What a subscription promises its receiver."""

    def setUp(self):
        super().setUp()
        self.clock = Clock()

    def tearDown(self):
        self.receiver.on_post = None
        super().tearDown()

    def emit(self, count):
        partners = self.env["res.partner"].create(
            [{"name": f"L{number}"} for number in range(count)]
        )
        self.commit()
        partners.write({"city": "Rome"})
        self.commit()

    def most_at_once(self, count, limit):
        subscription = self.subscribe(max_concurrency=limit)
        self.emit(count)
        crowd = Crowd(self.receiver, self.clock, limit)
        self.dispatch(monotonic=self.clock)
        self.assert_delivered(subscription, count)
        return crowd.most

    def assert_delivered(self, subscription, count):
        states = self.deliveries(subscription).mapped("state")
        self.assertEqual(states, ["delivered"] * count)

    def test_no_more_at_once_than_agreed(self):
        self.assertEqual(self.most_at_once(30, 3), 3)

    def test_one_at_a_time(self):
        self.assertEqual(self.most_at_once(8, 1), 1)

    def test_no_faster_than_agreed(self):
        rate, count, times = 20.0, 30, []
        subscription = self.subscribe(rate=rate)
        self.emit(count)
        take = Lane.next

        def note(lane, now, monotonic):
            parcel = take(lane, now, monotonic)
            if parcel:
                times.append(monotonic)
            return parcel

        with patch.object(Lane, "next", note):
            self.dispatch(monotonic=self.clock)
        self.assert_delivered(subscription, count)
        burst = rate / 10
        for first, last in itertools.combinations(range(count), 2):
            passed = times[last] - times[first]
            self.assertLess(last - first + 1, burst + rate * passed + 1e-6)
        # the limit is no brake beyond what it says
        self.assertLess(times[-1] - times[0], count / rate)

    def test_each_subscription_has_limits_of_its_own(self):
        slow = self.subscribe(name="Slow", rate=1.0)
        fast = self.subscribe(name="Fast")
        self.emit(10)
        with self.enter_registry_test_mode():
            self.env["sync.dispatcher"]._dispatch(
                linger=0.0, duration=2.5, monotonic=self.clock
            )
        self.env.invalidate_all()
        self.assert_delivered(fast, 10)
        states = self.deliveries(slow).mapped("state")
        self.assertEqual(states.count("delivered"), 3, "at 0, 1 and 2 seconds")

    def test_a_test_subscription_says_so_and_alarms_nobody(self):
        subscription = self.subscribe(environment="test")
        self.receiver.answers.append((400, {}, b"no"))
        self.emit(2)
        self.dispatch()
        for headers, _body in self.receiver.messages:
            self.assertEqual(headers["webhook-environment"], "test")
        self.assertEqual(subscription.dead_count, 1)
        issues = self.env["sync.issue"].search(
            [("fingerprint", "like", f"webhooks.%.{subscription.id}%")]
        )
        self.assertFalse(issues)
        live = self.subscribe(name="Live")
        self.receiver.messages.clear()
        self.partner = self.env["res.partner"].create({"name": "x"})
        self.commit()
        self.partner.city = "Oslo"
        self.dispatch()
        marked = [
            headers.get("webhook-environment") for headers, _ in self.receiver.messages
        ]
        self.assertEqual(sorted(map(str, marked)), ["None", "test"])
        self.assertEqual(self.deliveries(live).state, "delivered")

    def test_figures_of_nothing_are_no_zeros(self):
        subscription = self.subscribe()
        self.assertEqual(subscription.sent_24h, 0)
        self.emit(1)
        self.dispatch()
        subscription.invalidate_recordset()
        self.assertEqual((subscription.sent_24h, subscription.success_rate), (1, 100))


@tagged("post_install", "-at_install")
class TestTryOut(WebhookCase):
    """A type is tried on a real record while it is being written."""

    def test_nothing_is_saved(self):
        partner = self.env["res.partner"].create({"name": "Ada", "city": "Paris"})
        self.commit()
        form = Form(self.env["sync.event.type"])
        form.name = "tried.updated"
        form.model_id = self.env["ir.model"]._get("res.partner")
        form.filter_after = "[('city', '=', 'Rome')]"
        form.masked_paths = "town"
        with form.payload_line_ids.new() as line:
            line.key, line.path = "who.name", "name"
        with form.payload_line_ids.new() as line:
            line.key, line.path = "town", "city"
        form.sample_res_id = partner.id
        self.assertIn('"name": "Ada"', form.sample_payload)
        self.assertIn('"town": "***"', form.sample_payload)
        self.assertTrue(form.sample_verdict.startswith("No"))
        form.filter_after = "[('city', '=', 'Paris')]"
        self.assertTrue(form.sample_verdict.startswith("Yes"))
        self.assertFalse(self.events(partner))
        types = self.env["sync.event.type"].search([("name", "=", "tried.updated")])
        self.assertFalse(types)
