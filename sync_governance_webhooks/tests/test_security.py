from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import file_open

from .common import WebhookCase

BASE = "sync_governance_base.group_sync_"


@tagged("post_install", "-at_install")
class TestSecurity(WebhookCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            name: new_test_user(
                cls.env, f"wh_{name}", groups=f"base.group_user,{BASE}{name}"
            )
            for name in ("viewer", "operator", "integration_manager", "auditor")
        }
        cls.plain = new_test_user(
            cls.env, "wh_plain", groups="base.group_user,base.group_partner_manager"
        )

    def setUp(self):
        super().setUp()
        self.subscription = self.subscribe()
        self.partner = self.env["res.partner"].create({"name": "Ada"})
        self.commit()
        self.partner.city = "Rome"
        self.commit()
        self.delivery = self.deliveries(self.subscription)

    def test_an_ordinary_user_writes_events_but_sees_none(self):
        self.partner.with_user(self.plain).city = "Oslo"
        self.commit()
        self.assertEqual(len(self.events(self.partner)), 2)
        for model in ("sync.event", "sync.delivery", "sync.subscription"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(self.plain).search([])

    def test_nobody_writes_the_ledger(self):
        for name, user in self.users.items():
            for record in (self.delivery, self.delivery.event_id):
                record = record.with_user(user)
                with self.subTest(name), self.assertRaises(AccessError):
                    record.write({"company_id": False})
                with self.subTest(name), self.assertRaises(AccessError):
                    record.unlink()

    def test_payload_is_for_managers_and_masked_for_others(self):
        self.partner_updated.masked_paths = "address.city"
        event = self.delivery.event_id.with_user(self.users["viewer"])
        with self.assertRaises(AccessError):
            _ = event.payload
        self.assertIn("***", event.payload_shown)
        self.assertNotIn("Rome", event.payload_shown)
        manager = event.with_user(self.users["integration_manager"])
        self.assertIn("Rome", manager.payload)

    def test_who_may_resend(self):
        for name in ("viewer", "auditor"):
            with self.subTest(name), self.assertRaises(AccessError):
                self.delivery.with_user(self.users[name]).action_retry()
        self.delivery.with_user(self.users["operator"]).action_retry()
        self.assertTrue(self.delivery.manual)

    def test_who_may_configure(self):
        for name in ("viewer", "operator", "auditor"):
            subscription = self.subscription.with_user(self.users[name])
            with self.subTest(name), self.assertRaises(AccessError):
                subscription.url = "http://127.0.0.1/"
            for action in (
                "pause",
                "isolate",
                "rotate_secret",
                "test_ping",
                "end_overlap",
            ):
                with self.subTest(f"{name} {action}"), self.assertRaises(AccessError):
                    getattr(subscription, f"action_{action}")()
        manager = self.subscription.with_user(self.users["integration_manager"])
        action = manager.action_rotate_secret()
        self.assertTrue(action["context"]["default_secret"].startswith("whsec_"))
        manager.action_end_overlap()
        manager.action_test_ping()
        manager.action_pause()

    def test_no_secret_in_reach(self):
        """What was shown once is in no column that a manager could read."""
        manager = self.users["integration_manager"]
        text = str(self.subscription.with_user(manager).read())
        self.assertNotIn(self.secret, text)
        self.assertNotIn(
            self.secret[6:], str(self.subscription.message_ids.mapped("body"))
        )

    def test_other_companies_are_out_of_sight(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.partner.company_id = other
        self.partner.city = "Oslo"
        self.commit()
        event = self.events(self.partner)[-1]
        self.assertEqual(event.company_id, other)
        seen = self.env["sync.event"].with_user(self.users["viewer"]).search([])
        self.assertNotIn(event, seen)
        with self.assertRaises(AccessError):
            event.delivery_ids.with_user(self.users["viewer"]).read(["state"])

    def test_neutralized_copies_are_silent(self):
        self.subscription.write(
            {
                "auth_kind": "bearer",
                "auth_secret": "token-of-production",
                "custom_headers": "X-Tenant: production",
            }
        )
        self.commit()
        with file_open("sync_governance_webhooks/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.dispatch()
        self.assertFalse(self.receiver.messages)
        self.assertEqual(self.delivery.state, "discarded")
        self.assertEqual(self.subscription.state, "disabled")
        self.assertFalse(self.subscription.has_secret)
        self.assertFalse(self.subscription.has_auth_secret)
        self.assertFalse(self.subscription.custom_headers)
        secrets = self.env["sync.secret"].sudo()
        secrets = secrets.search([("res_model", "=", "sync.subscription")])
        self.assertEqual(set(secrets.mapped("state")), {"revoked"})
        self.assertFalse(any(secrets.mapped("ciphertext")))
        # Nobody can switch it on again by mistake, and new events go nowhere.
        with self.assertRaises(UserError):
            self.subscription.action_activate()
        self.partner.city = "Bern"
        self.dispatch()
        self.assertFalse(self.receiver.messages)
        self.assertEqual(len(self.deliveries(self.subscription)), 1)
