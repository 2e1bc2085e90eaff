from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import NO_ACCESS
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

    def test_all_companies_are_for_who_has_them(self):
        other = self.env["res.company"].create({"name": "Other"})
        manager = self.users["integration_manager"]
        mine = self.subscription.with_user(manager)
        self.assertEqual(mine.company_id, self.env.company, "by default")
        with self.assertRaises(ValidationError):
            mine.company_id = False
        with self.assertRaises(AccessError):
            mine.company_id = other
        everybodys = self.subscribe(company_id=False, system_id=False)
        theirs = everybodys.with_user(manager)
        with self.assertRaises(ValidationError):
            theirs.url = "http://127.0.0.1/elsewhere"
        theirs.action_pause()
        manager.company_ids = self.env["res.company"].search([])
        theirs.url = "http://127.0.0.1/elsewhere"
        mine.company_id = False

    def test_the_systems_company_counts(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.subscription.company_id = False
        self.system.company_id = other
        self.partner.company_id = self.env.company
        self.partner.city = "Oslo"
        self.commit()
        self.assertEqual(self.deliveries(self.subscription), self.delivery)
        with self.assertRaises(AccessError):
            self.subscription.with_user(self.users["integration_manager"]).write(
                {"system_id": self.system.id, "company_id": self.env.company.id}
            )

    def test_other_companies_are_out_of_sight(self):
        self.subscription.company_id = False
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

    def test_payloads_of_other_companies_are_corrected_by_nobody(self):
        self.subscription.company_id = False
        other = self.env["res.company"].create({"name": "Other"})
        self.partner.company_id = other
        self.partner.city = "Oslo"
        self.commit()
        foreign = self.deliveries(self.subscription)[-1]
        manager = self.users["integration_manager"]
        wizards = self.env["sync.correction.request"].with_user(manager)
        values = {
            "delivery_id": self.delivery.id,
            "payload": "{}",
            "reason": "Typing error",
        }
        wizard = wizards.create(values)
        with self.assertRaises(AccessError):
            wizards.create({**values, "delivery_id": foreign.id})
        with self.assertRaises(AccessError):
            wizard.delivery_id = foreign
        with self.assertRaises(AccessError):
            _ = wizards.new({"delivery_id": foreign.id}).payload

    def test_payloads_tell_what_the_writer_may_read(self):
        manager = self.users["integration_manager"]
        lines = self.env["sync.event.type.field"]
        values = {"event_type_id": self.partner_updated.id, "key": "more"}
        lines.with_user(manager).create(
            {**values, "key": "ok", "path": "parent_id.vat"}
        )
        groups = {"phone": NO_ACCESS, "email": "base.group_system"}
        for name, group in groups.items():
            self.patch(self.env["res.partner"]._fields[name], "groups", group)
        mine = (
            "email",  # groups
            "child_ids.email",
            "user_ids.log_ids.create_date",  # model
        )
        for path in mine:
            with self.subTest(path), self.assertRaises(AccessError):
                lines.with_user(manager).create({**values, "path": path})
            lines.create({**values, "key": path, "path": path})
        nobodys = ("phone", "image_128", "message_ids.attachment_ids.checksum")
        for path in nobodys:
            with self.subTest(path), self.assertRaises(AccessError):
                lines.create({**values, "path": path})

    def test_a_model_does_not_change_under_its_payload(self):
        with self.assertRaises(ValidationError):
            self.partner_updated.write(
                {
                    "model_id": self.env["ir.model"]._get_id("res.country"),
                    "operation": "create",
                    "watched_field_ids": False,
                }
            )

    def test_filters_look_at_what_the_writer_may_read(self):
        event_type = self.partner_updated.with_user(self.users["integration_manager"])
        event_type.filter_after = "[('email', '=', 'a@b.c')]"
        field = self.env["res.partner"]._fields["email"]
        self.patch(field, "groups", "base.group_system")
        for name in ("filter_before", "filter_after"):
            with self.subTest(name), self.assertRaises(AccessError):
                event_type[name] = "[('email', '=like', 'b%')]"
        self.partner_updated.filter_after = "[('email', '=like', 'b%')]"

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
