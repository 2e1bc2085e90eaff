import time
from unittest.mock import patch

import standardwebhooks
from svix.webhooks import Webhook as SvixWebhook

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.sync_governance_webhooks.dispatcher.store import Store

from .common import WebhookCase


@tagged("post_install", "-at_install")
class TestDispatch(WebhookCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create({"name": "Ada", "city": "Paris"})
        self.commit()

    def change(self, city="Rome"):
        self.partner.city = city
        self.commit()

    def test_delivered_signed_and_recorded(self):
        subscription = self.subscribe()
        self.change()
        self.assertIsNone(self.dispatch())
        [delivery] = self.deliveries(subscription)
        self.assertEqual((delivery.state, delivery.last_status), ("delivered", 200))
        self.assertFalse(delivery.last_error)
        [(headers, body)] = self.receiver.messages
        self.assertEqual(headers["webhook-id"], delivery.event_id.ref)
        self.assertNotIn(".", headers["webhook-id"])
        self.assertEqual(headers["content-type"], "application/json")
        message = standardwebhooks.Webhook(self.secret).verify(body, headers)
        SvixWebhook(self.secret).verify(body, headers)
        self.assertEqual(message["type"], "testpartner.updated")
        self.assertEqual(message["data"]["address"], {"city": "Rome"})
        self.assertEqual(delivery.body.encode(), body)
        [attempt] = delivery.attempt_ids
        self.assertEqual((attempt.number, attempt.verdict), (1, "delivered"))
        self.assertEqual(attempt.response_body, "ok")
        self.assertEqual(attempt.request_size, len(body))
        self.assertEqual(subscription.success_rate, 100)

    def test_retried_with_the_same_id_and_bytes_then_dead(self):
        subscription = self.subscribe(breaker_failures=50, breaker_window=50)
        self.receiver.answers.extend([(503, {}, b"busy")] * 3)
        self.change()
        self.dispatch()
        [delivery] = self.deliveries(subscription)
        self.assertEqual((delivery.state, delivery.attempt_count), ("dead", 3))
        self.assertEqual(delivery.last_error, "http_503")
        self.assertEqual(delivery.attempt_ids.mapped("number"), [1, 2, 3])
        self.assertEqual(len(set(self.receiver.ids())), 1)
        self.assertEqual(len({body for _headers, body in self.receiver.messages}), 1)
        self.assertEqual(subscription.dead_count, 1)
        issue = self.env["sync.issue"].search(
            [("fingerprint", "=", f"webhooks.dead.{subscription.id}.http_503")]
        )
        self.assertEqual(len(issue), 1)

    def test_retry_waits_for_its_time(self):
        subscription = self.subscribe(retry_schedule="0,600")
        self.receiver.answers.append((500, {}, b""))
        self.change()
        seconds = self.dispatch()
        self.assertTrue(470 < seconds <= 720, seconds)
        self.assertEqual(self.deliveries(subscription).state, "retrying")
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 1)

    def test_other_4xx_are_dead_at_once_and_redirects_not_followed(self):
        subscription = self.subscribe()
        for status in (400, 302):
            with self.subTest(status):
                self.receiver.answers.append(
                    (status, {"location": self.receiver.url}, b"no")
                )
                self.change(f"City {status}")
                self.dispatch()
                delivery = self.deliveries(subscription)[-1]
                self.assertEqual((delivery.state, delivery.attempt_count), ("dead", 1))

    def test_retry_after_holds_the_whole_subscription(self):
        subscription = self.subscribe()
        self.receiver.answers.append((429, {"retry-after": "120"}, b""))
        self.change()
        seconds = self.dispatch()
        self.assertTrue(115 < seconds <= 121, seconds)
        self.change("Oslo")
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 1)
        self.assertEqual(self.deliveries(subscription)[1].attempt_count, 0)

    def test_410_disables_and_says_so(self):
        subscription = self.subscribe()
        self.receiver.answers.append((410, {}, b""))
        self.change()
        self.dispatch()
        self.assertEqual(subscription.state, "disabled")
        self.assertTrue(subscription.disabled_reason)
        self.change("Oslo")
        self.assertEqual(len(self.deliveries(subscription)), 1)

    def test_breaker_opens_burns_no_attempts_and_raises_one_issue(self):
        subscription = self.subscribe(retry_schedule="0,0,0,0,0,0,0,0,0,0")
        self.receiver.answers.extend([(500, {}, b"")] * 50)
        self.change()
        self.dispatch()
        self.assertEqual(subscription.breaker_status, "open")
        self.assertEqual(len(self.receiver.messages), 5)
        self.change("Oslo")
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 5)
        self.assertEqual(self.deliveries(subscription)[1].attempt_count, 0)
        issues = self.env["sync.issue"].search(
            [("fingerprint", "=", f"webhooks.outage.{subscription.id}")]
        )
        self.assertEqual((len(issues), issues.occurrences), (1, 1))
        # The pause is over, the endpoint well again: one probe closes it.
        self.receiver.answers.clear()
        subscription.breaker_ids.sudo().open_until = time.time() - 1
        self.commit()
        self.dispatch()
        self.assertEqual(subscription.breaker_status, "closed")
        self.assertEqual(issues.state, "resolved")
        self.assertEqual(
            set(self.deliveries(subscription).mapped("state")), {"delivered"}
        )

    def test_isolated_by_hand(self):
        subscription = self.subscribe()
        subscription.action_isolate()
        self.change()
        self.dispatch()
        self.assertFalse(self.receiver.messages)
        subscription.action_reset_breaker()
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 1)

    def test_order_holds_under_retries(self):
        """While the first of a record fails, its later ones wait; others go on."""
        subscription = self.subscribe(
            ordered=True, retry_schedule="0,600,1", max_concurrency=8
        )
        other = self.env["res.partner"].create({"name": "Other", "city": "Paris"})
        self.commit()
        # By its content: which of two records is sent first is nobody's to say.
        self.receiver.refused.append(b'"A"')
        for city in ("A", "B", "C"):
            self.change(city)
        other.city = "X"
        self.dispatch()
        cities = [body["data"]["address"]["city"] for body in self.receiver.bodies()]
        self.assertEqual(sorted(cities), ["A", "X"])
        self.env.cr.execute(
            "UPDATE sync_delivery SET next_at = now() AT TIME ZONE 'UTC'"
            " WHERE subscription_id = %s AND state IN ('pending', 'retrying')",
            [subscription.id],
        )
        self.dispatch()
        cities = [body["data"]["address"]["city"] for body in self.receiver.bodies()]
        self.assertEqual([city for city in cities if city != "X"], ["A", "A", "B", "C"])
        self.assertEqual(
            set(self.deliveries(subscription).mapped("state")), {"delivered"}
        )

    def test_private_networks_are_refused_unless_allowed(self):
        self.env["ir.config_parameter"].set_param(
            "sync_governance.allowed_networks", ""
        )
        subscription = self.subscribe()
        self.change()
        self.dispatch()
        [delivery] = self.deliveries(subscription)
        self.assertEqual(
            (delivery.state, delivery.last_error), ("dead", "refused_address")
        )
        self.assertIn("127.0.0.1", delivery.attempt_ids.error)
        self.assertFalse(self.receiver.messages)

    def test_connection_refused_is_retried(self):
        subscription = self.subscribe(url="http://127.0.0.1:1/", retry_schedule="0,600")
        self.change()
        self.dispatch()
        [delivery] = self.deliveries(subscription)
        self.assertEqual(
            (delivery.state, delivery.last_error), ("retrying", "connection")
        )

    def test_bytes_of_any_kind_are_stored(self):
        subscription = self.subscribe()
        for answer, shown, is_base64 in (
            (b"\xff\xfe\x00", "//4A", True),
            (b"with \x00 zero", "d2l0aCAAIHplcm8=", True),
            (b"x" * 50_000, "x" * 20_000, False),
            ("é".encode() * 20_000, "é" * 10_000, False),
        ):
            self.receiver.answers.append((200, {}, answer))
            self.change(f"City {len(answer)}")
            self.dispatch()
            attempt = self.deliveries(subscription)[-1].attempt_ids
            self.assertEqual(attempt.response_body, shown)
            self.assertEqual(attempt.response_base64, is_base64)
            self.assertEqual(attempt.response_size, len(answer))

    def test_rotation_signs_twice_and_refuses_a_third(self):
        subscription = self.subscribe()
        old = self.secret
        new = subscription._rotate_secret()
        self.assertTrue(subscription.is_rotating)
        with self.assertRaises(UserError):
            subscription._rotate_secret()
        self.change()
        self.dispatch()
        [(headers, body)] = self.receiver.messages
        for secret in (old, new):
            standardwebhooks.Webhook(secret).verify(body, headers)
        subscription.action_end_overlap()
        self.change("Oslo")
        self.dispatch()
        headers, body = self.receiver.messages[-1]
        standardwebhooks.Webhook(new).verify(body, headers)
        with self.assertRaises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(old).verify(body, headers)

    def test_ping_reaches_only_the_one(self):
        one, two = self.subscribe(), self.subscribe(name="Two", patterns="*")
        one.action_test_ping()
        self.dispatch()
        self.assertEqual(
            [body["type"] for body in self.receiver.bodies()], ["sync.ping"]
        )
        self.assertEqual(len(self.deliveries(one)), 1)
        self.assertFalse(self.deliveries(two))

    def test_resend_keeps_the_id_and_a_failed_one_schedules_nothing(self):
        subscription = self.subscribe()
        self.receiver.answers.append((400, {}, b""))
        self.change()
        self.dispatch()
        [delivery] = self.deliveries(subscription)
        self.receiver.answers.append((503, {}, b""))
        delivery.action_retry()
        self.dispatch()
        self.assertEqual((delivery.state, delivery.attempt_count), ("dead", 2))
        delivery.action_retry()
        self.dispatch()
        self.assertEqual(delivery.state, "delivered")
        self.assertEqual(len(set(self.receiver.ids())), 1)

    def test_discard(self):
        subscription = self.subscribe()
        self.change()
        self.deliveries(subscription).action_discard()
        self.dispatch()
        self.assertFalse(self.receiver.messages)

    def test_a_payload_that_cannot_be_made_is_dead_and_stops_nobody(self):
        subscription = self.subscribe()
        self.change("Bad")
        self.change("Good")
        event_type = type(self.env["sync.event.type"])

        def localise(self, payload, system):
            if payload["address"]["city"] == "Bad":
                raise ValueError("no id in that system")
            return {**payload, "system": system.code}

        with (
            patch.object(event_type, "_localise_payload", localise),
            self.assertLogs("odoo.addons.sync_governance_webhooks", "ERROR"),
        ):
            self.dispatch()
        bad, good = self.deliveries(subscription)
        self.assertEqual((bad.state, bad.last_error), ("dead", "payload"))
        self.assertEqual(good.state, "delivered")
        self.assertEqual(self.receiver.bodies()[0]["data"]["system"], "testshop")

    def test_orphans_of_a_killed_dispatcher_are_sent(self):
        subscription = self.subscribe()
        self.change()
        self.env.cr.execute(
            "UPDATE sync_delivery SET state = 'delivering', claim_ref = 'dead'"
            " WHERE subscription_id = %s",
            [subscription.id],
        )
        self.assertEqual(Store(self.env.cr).next_due(), 0)
        self.dispatch()
        self.assertEqual(self.deliveries(subscription).state, "delivered")

    def test_cloudevents_formats(self):
        from cloudevents.http import from_http

        for form in ("cloudevents_structured", "cloudevents_binary"):
            subscription = self.subscribe(name=form, format=form)
            self.change(form)
            self.dispatch()
            headers, body = self.receiver.messages[-1]
            event = from_http(headers, body)
            self.assertEqual(event["type"], "testpartner.updated")
            self.assertEqual(event.data["address"]["city"], form)
            standardwebhooks.Webhook(self.secret).verify(body, headers)
            subscription.action_disable()

    def test_custom_headers(self):
        subscription = self.subscribe(custom_headers="X-Tenant: acme\nTest: 1")
        self.change()
        self.dispatch()
        [(headers, _body)] = self.receiver.messages
        self.assertEqual((headers["x-tenant"], headers["test"]), ("acme", "1"))
        recorded = self.deliveries(subscription).attempt_ids.request_headers
        self.assertIn("x-tenant: acme", recorded)

    def test_bad_subscriptions(self):
        for values in (
            {"url": "ftp://x/"},
            {"url": "http://user:pw@example.com/"},
            {"url": "http://:pw@example.com/"},
            {"url": "http://example.com:99999/"},
            {"url": "http:///path"},
            {"url": False},
            {"patterns": "order."},
            {"patterns": ""},
            {"content_filter": "{"},
            {"retry_schedule": "soon"},
            {"custom_headers": "webhook-id: x"},
            {"custom_headers": "no colon"},
            {"custom_headers": "x-a: b\x0bwebhook-id: evil"},
            {"custom_headers": "x-a: \x01"},
            {"custom_headers": "x-a: caf\u00e9"},
            {"custom_headers": "x a: b"},
            {"custom_headers": "Transfer-Encoding: chunked"},
            {"custom_headers": "Host: evil.example"},
            {"custom_headers": "Authorization: Bearer s3"},
            {"custom_headers": "Cookie: a=1"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.subscribe(**values)

    def test_no_secret_no_activation(self):
        subscription = self.env["sync.subscription"].create(
            {"name": "T", "url": self.receiver.url}
        )
        with self.assertRaises(UserError):
            subscription.action_activate()

    def test_wake_enqueues_one_job(self):
        self.subscribe()
        queue = self.env["queue.job"]
        domain = [("model_name", "=", "sync.dispatcher"), ("state", "=", "pending")]
        before = queue.search_count(domain)
        for _time in range(3):
            self.env["sync.dispatcher"]._enqueue()
            self.env["sync.dispatcher"]._enqueue(90)
        self.assertEqual(queue.search_count(domain) - before, 2)
        job = queue.search(domain, limit=1)
        self.assertEqual(job.channel, "root.sync_dispatch")

    def test_wake_is_asked_for_once_a_transaction(self):
        self.subscribe()
        self.partner.city = "Rome"
        self.env.cr.flush()
        self.partner.name = "Eve"
        self.env.cr.flush()
        callbacks = [
            getattr(callback, "func", None)
            for callback in self.env.cr.postcommit._funcs
        ]
        wakes = [f for f in callbacks if getattr(f, "__name__", "") == "_wake"]
        self.assertEqual(len(wakes), 1)

    def test_sweeper_finds_what_nobody_was_woken_for(self):
        self.subscribe()
        self.change()
        self.env["queue.job"].search([]).unlink()
        self.env["sync.dispatcher"]._cron_sweep()
        job = self.env["queue.job"].search([("model_name", "=", "sync.dispatcher")])
        self.assertEqual(len(job), 1)

    def test_unreadable_secret_holds_only_its_own_subscription(self):
        broken, good = self.subscribe(), self.subscribe(name="Good")
        # The key was lost: what is stored is no longer anybody's.
        broken._secrets("webhook signing").sudo().write({"ciphertext": "garbage"})
        self.change()
        with self.assertLogs("odoo.addons.sync_governance_webhooks", "ERROR"):
            seconds = self.dispatch()
        self.assertEqual(self.deliveries(good).state, "delivered")
        self.assertEqual(self.deliveries(broken).state, "pending")
        self.assertTrue(250 < seconds <= 301, seconds)
        fingerprint = f"webhooks.settings.{broken.id}"
        self.assertTrue(
            self.env["sync.issue"].search([("fingerprint", "=", fingerprint)])
        )
