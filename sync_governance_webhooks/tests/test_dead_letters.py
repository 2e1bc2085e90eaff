import json

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import WebhookCase

BASE = "sync_governance_base.group_sync_"


class DeadLetterCase(WebhookCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            name: new_test_user(
                cls.env, f"dl_{name}", groups=f"base.group_user,{BASE}{group}"
            )
            for name, group in (
                ("viewer", "viewer"),
                ("operator", "operator"),
                ("ada", "integration_manager"),
                ("eve", "integration_manager"),
            )
        }

    def setUp(self):
        super().setUp()
        self.subscription = self.subscribe(
            format="standard", breaker_failures=99, breaker_window=99
        )
        self.partners = self.env["res.partner"].create(
            [{"name": f"P{number}", "city": "Paris"} for number in range(3)]
        )
        self.commit()

    def fail(self, city="Rome", status=400, answer=b"no"):
        self.receiver.answers.extend([(status, {}, answer)] * 99)
        self.partners.write({"city": city})
        self.commit()
        self.dispatch()
        self.receiver.answers.clear()
        return self.deliveries(self.subscription)


@tagged("post_install", "-at_install")
class TestDeadLetters(DeadLetterCase):
    def test_one_line_a_cause(self):
        self.fail("Rome", 400, b"city unknown")
        self.fail("Oslo", 422)
        self.fail("Bern", 422, b"second")
        causes = self.env["sync.dead.letter"].with_user(self.users["viewer"])
        causes = causes.search([("subscription_id", "=", self.subscription.id)])
        found = {cause.last_error: cause for cause in causes}
        self.assertEqual(set(found), {"http_400", "http_422"})
        self.assertEqual((found["http_400"].letters, found["http_422"].letters), (3, 6))
        self.assertEqual(found["http_422"].records, 3)
        self.assertEqual(found["http_422"].answer, "second")
        action = found["http_422"].action_view()
        self.assertEqual(self.env["sync.delivery"].search_count(action["domain"]), 6)
        with self.assertRaises(AccessError):
            causes.action_replay()

    def test_a_cause_is_replayed_after_a_plan(self):
        self.fail("Rome", 400)
        self.fail("Oslo", 422)
        cause = self.env["sync.dead.letter"].search(
            [
                ("subscription_id", "=", self.subscription.id),
                ("last_error", "=", "http_422"),
            ]
        )
        action = cause.with_user(self.users["operator"]).action_replay()
        replay = self.env["sync.replay"].browse(action["res_id"])
        self.assertEqual((replay.state, replay.total), ("planned", 3))
        self.receiver.messages.clear()
        with trap_jobs() as trap:
            replay.with_user(self.users["operator"]).action_start()
            trap.perform_enqueued_jobs()
        self.dispatch()
        self.assertEqual(len(self.receiver.messages), 3)
        self.assertFalse(cause.exists())

    def test_a_selection_is_planned_one_replay_a_subscription(self):
        other = self.subscribe(name="Other", breaker_failures=99, breaker_window=99)
        self.fail()
        letters = self.deliveries(self.subscription)[:2] | self.deliveries(other)[0]
        operator = self.users["operator"]
        action = letters.with_user(operator).action_replay()
        replays = self.env["sync.replay"].search(action["domain"])
        self.assertEqual(
            {(replay.subscription_id, replay.total) for replay in replays},
            {(self.subscription, 2), (other, 1)},
        )
        self.receiver.messages.clear()
        with trap_jobs() as trap:
            replays.with_user(operator).action_start()
            trap.perform_enqueued_jobs()
        self.dispatch()
        self.assertEqual(
            sorted(self.receiver.ids()), sorted(letters.mapped("event_id.ref"))
        )
        self.assertEqual(set(letters.mapped("state")), {"delivered"})
        self.assertEqual(set(replays.mapped("state")), {"done"})

    def test_screens_hear_of_progress(self):
        self.fail()
        replay = self.env["sync.replay"].create(
            {"subscription_id": self.subscription.id, "reason": "x", "rate": 100.0}
        )
        replay.action_plan()
        self.env.cr.precommit.run()
        self.env["bus.bus"].sudo().search([]).unlink()
        with trap_jobs() as trap:
            replay.action_start()
            trap.perform_enqueued_jobs()
        self.env.cr.precommit.run()
        group = self.env.ref("sync_governance_base.group_sync_viewer")
        news = [
            json.loads(row.message)["payload"]
            for row in self.env["bus.bus"].sudo().search([])
            if json.loads(row.message)["type"] == "sync.replay/progress"
            and json.loads(row.channel)[1:] == ["res.groups", group.id]
        ]
        self.assertGreaterEqual(len(news), 2)
        self.assertEqual(news[0], {"ids": replay.ids}, "no more than that")

    def test_what_a_receiver_quotes_is_masked(self):
        self.partner_updated.masked_paths = "address.city"
        [letter, *_rest] = self.fail("Reykjavik", 422, b"unknown city Reykjavik")
        attempt = letter.attempt_ids.with_user(self.users["operator"])
        self.assertEqual(attempt.response_shown, "unknown city ***")
        with self.assertRaises(AccessError):
            _ = attempt.response_body
        issue = self.env["sync.issue"].search(
            [("fingerprint", "=", f"webhooks.dead.{self.subscription.id}.http_422")]
        )
        self.assertIn("unknown city ***", issue.detail)


@tagged("post_install", "-at_install")
class TestCorrections(DeadLetterCase):
    def setUp(self):
        super().setUp()
        self.letter = self.fail()[0]

    def ask(self, payload=None, user="ada", reason="Typing error"):
        payload = payload or {**self.letter.event_id._data(), "name": "Corrected"}
        wizard = (
            self.env["sync.correction.request"]
            .with_user(self.users[user])
            .with_context(default_delivery_id=self.letter.id)
        )
        form = Form(wizard)
        self.assertEqual(json.loads(form.payload), self.letter.event_id._data())
        form.payload = payload if isinstance(payload, str) else json.dumps(payload)
        form.reason = reason
        action = form.save().action_request()
        return self.env["sync.correction"].browse(action["res_id"])

    def test_two_people_send_a_corrected_message(self):
        body_before = self.letter.body
        correction = self.ask()
        self.assertEqual(correction.state, "requested")
        self.assertIn('+  "name": "Corrected"', correction.difference)
        self.receiver.messages.clear()
        self.dispatch()
        self.assertFalse(self.receiver.messages, "not before somebody approved")
        with self.assertRaisesRegex(AccessError, "second person"):
            correction.with_user(self.users["ada"]).action_approve()
        correction.with_user(self.users["eve"]).action_approve()
        self.dispatch()
        [(headers, body)] = self.receiver.messages
        self.assertEqual(json.loads(body)["data"]["name"], "Corrected")
        self.assertNotEqual(headers["webhook-id"], self.letter.ref)
        self.assertEqual(headers["webhook-corrects"], self.letter.ref)
        self.assertEqual(
            (self.letter.state, self.letter.body), ("discarded", body_before)
        )
        event = correction.corrected_event_id
        self.assertEqual(event.corrects_ref, self.letter.ref)
        self.assertEqual(event.ordering_key, self.letter.event_id.ordering_key)
        self.assertEqual(event.sequence, self.letter.event_id.sequence + 1)
        self.assertEqual(event.delivery_ids.subscription_id, self.subscription)
        log = self.env["sync.audit"].search(
            [("action", "like", "delivery.correct")], order="id"
        )
        self.assertEqual(
            log.mapped("action"),
            ["delivery.correction_requested", "delivery.corrected"],
        )
        self.assertEqual(set(log.mapped("reason")), {"Typing error"})
        self.assertNotIn("Corrected", str(log.read()), "digests, no payloads")
        with self.assertRaises(UserError):
            correction.with_user(self.users["eve"]).action_approve()

    def test_cloudevents_say_what_they_correct(self):
        self.subscription.format = "cloudevents_binary"
        self.ask().with_user(self.users["eve"]).action_approve()
        self.receiver.messages.clear()
        self.dispatch()
        [(headers, _body)] = self.receiver.messages
        self.assertEqual(headers["ce-corrects"], self.letter.ref)

    def test_refused_or_withdrawn_changes_nothing(self):
        for user in ("eve", "ada"):
            correction = self.ask()
            with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
                with self.env.cr.savepoint():
                    self.ask()
            correction.with_user(self.users[user]).action_refuse()
            self.assertEqual(correction.state, "refused")
            self.assertEqual(self.letter.state, "dead")

    def test_nonsense_is_refused(self):
        same = self.letter.event_id._data()
        for payload in ("{", "[1]", "NaN", '{"a": NaN}', json.dumps(same)):
            with self.subTest(payload), self.assertRaises(UserError):
                self.ask(payload)
        with self.assertRaises(UserError):
            self.ask(reason=" ")
        self.letter._resend(manual=True)
        with self.assertRaises(UserError):
            self.ask()

    def test_delivered_in_the_meantime(self):
        correction = self.ask()
        self.letter.action_retry()
        self.dispatch()
        self.assertEqual(self.letter.state, "delivered")
        with self.assertRaises(UserError):
            correction.with_user(self.users["eve"]).action_approve()

    def test_a_newer_state_is_warned_of(self):
        correction = self.ask()
        self.assertFalse(correction.is_superseded)
        self.partners.write({"city": "Bern"})
        self.commit()
        self.env.invalidate_all()
        self.assertTrue(correction.is_superseded)

    def test_rights(self):
        correction = self.ask()
        for name in ("viewer", "operator"):
            user = self.users[name]
            with self.subTest(name), self.assertRaises(AccessError):
                correction.with_user(user).read(["payload_after"])
            with self.subTest(name), self.assertRaises(AccessError):
                correction.with_user(user).action_approve()
            with self.subTest(name), self.assertRaises(AccessError):
                self.letter.with_user(user).action_correct()
        manager = correction.with_user(self.users["ada"])
        for values in ({"state": "approved"}, {"requester_id": self.users["eve"].id}):
            with self.assertRaises(AccessError):
                manager.write(values)
        with self.assertRaises(AccessError):
            manager.create({"delivery_id": self.letter.id})
        with self.assertRaises(AccessError):
            manager.unlink()
