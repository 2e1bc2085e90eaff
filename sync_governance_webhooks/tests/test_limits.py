import threading
import time

from odoo.tests import Form, tagged

from .common import WebhookCase


class Watcher:
    """Counts what arrives, and how much of it at the same time, at the receiver."""

    def __init__(self, receiver, pause):
        self.times, self.most = [], 0
        self._now, self._lock = 0, threading.Lock()
        self._pause = pause
        receiver.on_post = self

    def __call__(self):
        with self._lock:
            self.times.append(time.monotonic())
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self._pause)
        with self._lock:
            self._now -= 1


@tagged("post_install", "-at_install")
class TestLimits(WebhookCase):
    """What a subscription promises its receiver, as the receiver sees it."""

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

    def watch(self, count, pause=0.02, **values):
        subscription = self.subscribe(**values)
        self.emit(count)
        watcher = Watcher(self.receiver, pause)
        self.dispatch()
        self.assertEqual(len(watcher.times), count)
        self.assertEqual(
            set(self.deliveries(subscription).mapped("state")), {"delivered"}
        )
        return watcher

    def test_no_more_at_once_than_agreed(self):
        self.assertEqual(self.watch(30, max_concurrency=3).most, 3)

    def test_one_at_a_time(self):
        self.assertEqual(self.watch(8, max_concurrency=1).most, 1)

    def test_no_faster_than_agreed(self):
        rate, count = 20.0, 30
        times = self.watch(count, pause=0.0, rate=rate).times
        spread = times[-1] - times[0]
        self.assertGreaterEqual(spread, (count - 1) / rate * 0.95)
        # the limit is no brake beyond what it says, on a machine with other work
        self.assertLess(spread, (count - 1) / rate * 2)
        for first, last in zip(times, times[int(rate) + 3 :], strict=False):
            self.assertGreater(last - first, 0.95, "in no second more than agreed")

    def test_each_subscription_has_limits_of_its_own(self):
        slow = self.subscribe(name="Slow", rate=1.0)
        fast = self.subscribe(name="Fast")
        self.emit(10)
        with self.enter_registry_test_mode():
            self.env["sync.dispatcher"]._dispatch(linger=0.0, duration=2.5)
        self.env.invalidate_all()
        states = self.deliveries(fast).mapped("state")
        self.assertEqual(states.count("delivered"), 10)
        states = self.deliveries(slow).mapped("state")
        self.assertTrue(1 <= states.count("delivered") <= 4, states)

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
