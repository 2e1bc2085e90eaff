from unittest.mock import patch

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ..models.sync_system import SyncSystem
from ..tools.source import Channel, Source
from .common import OwnershipCase


@tagged("post_install", "-at_install")
class TestOverride(OwnershipCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.domain = cls.env["sync.domain"].create(
            {
                "name": "Contacts",
                "code": "t_contacts",
                "model_ids": [Command.link(cls.env["ir.model"]._get_id("res.partner"))],
                "steward_ids": [Command.set(cls.steward.ids)],
            }
        )
        cls.policy = cls._policy(
            {"phone": cls.finance, "city": cls.finance, "ref": cls.odoo},
            enforcement="block",
        )

    def _form(self, user, partner=None):
        status = (partner or self.partner).with_user(user).action_sync_status()
        status = self.env[status["res_model"]].with_user(user).browse(status["res_id"])
        action = status.action_override()
        wizard = self.env[action["res_model"]].with_user(user)
        return Form(wizard.with_context(**action["context"]))

    def _fill(self, form, **texts):
        for number in range(len(form.line_ids)):
            with form.line_ids.edit(number) as line:
                text = texts.get(line.field_name)
                if text is False:
                    line.empties = True
                elif text:
                    line.new_text = text

    def test_an_override_is_written_attributed_and_audited(self):
        form = self._form(self.steward)
        self.assertEqual(
            {line["field_name"] for line in form.line_ids._records}, {"phone", "city"}
        )
        self._fill(form, phone="77", city=False)
        form.reason = "They called: new number"
        form.save().action_apply()
        self.assertEqual((self.partner.phone, self.partner.city), ("77", False))
        entry = self.env["sync.audit"].search(
            [("action", "=", "policy.overridden")], limit=1
        )
        self.assertEqual(
            (entry.res_model, entry.res_id), ("res.partner", self.partner.id)
        )
        self.assertEqual(entry.reason, "They called: new number")
        self.assertEqual(entry.user_id, self.steward)
        self.assertIn('"phone":"77"', entry.after)
        self.assertEqual(
            set(self._hits(self.policy)),
            {("phone", "ui", "allowed"), ("city", "ui", "allowed")},
        )

    def test_a_reason_and_a_value_are_needed(self):
        form = self._form(self.steward)
        self._fill(form, phone="77")
        with self.assertRaises(AssertionError):
            form.save()
        form.reason = "  "
        with self.assertRaisesRegex(UserError, "Say why"):
            form.save().action_apply()
        form = self._form(self.steward)
        form.reason = "x"
        with self.assertRaisesRegex(UserError, "at least one"):
            form.save().action_apply()

    def test_only_stewards_of_the_domain_and_company(self):
        stranger = self._new_user("t_other", "sync_governance_base.group_sync_steward")
        for user in (stranger, self.manager, self.viewer):
            status = self.partner.with_user(user).action_sync_status()
            status = self.env[status["res_model"]].browse(status["res_id"])
            self.assertFalse(status.with_user(user).can_override)
            with self.assertRaises(AccessError):
                self._form(user)
        company = self.env["res.company"].create({"name": "Other"})
        self.partner.company_id = company
        with self.assertRaises(AccessError):
            self.env["sync.policy.override"].with_user(self.steward).with_context(
                default_res_model="res.partner", default_res_id=self.partner.id
            ).default_get(["res_model", "res_id", "line_ids"])

    def test_rights_are_checked_again_when_it_is_applied(self):
        form = self._form(self.steward)
        self._fill(form, phone="77")
        form.reason = "x"
        wizard = form.save()
        self.domain.steward_ids = [Command.clear()]
        with self.assertRaises(AccessError):
            wizard.action_apply()

    def test_wizards_made_over_rpc_reach_governed_fields_only(self):
        wizard = (
            self.env["sync.policy.override"]
            .with_user(self.steward)
            .create(
                {
                    "res_model": "res.partner",
                    "res_id": self.partner.id,
                    "reason": "x",
                    "line_ids": [
                        Command.create({"field_name": "ref", "new_text": "mine"})
                    ],
                }
            )
        )
        with self.assertRaisesRegex(UserError, "needs no override"):
            wizard.action_apply()

    def test_a_value_that_changed_meanwhile_is_not_overwritten(self):
        form = self._form(self.steward)
        self._fill(form, phone="77")
        form.reason = "x"
        wizard = form.save()
        self._as(self.finance).phone = "5"
        with self.assertRaisesRegex(UserError, "it is now “5”"):
            wizard.action_apply()

    def test_a_blocked_change_offers_the_override(self):
        person = patch.object(SyncSystem, "_current_channel", lambda self: Channel.UI)
        with person, self.assertRaises(RedirectWarning) as caught:
            self.partner.with_user(self.steward).write({"phone": "88"})
        message, action_id, _button, context = caught.exception.args
        self.assertIn("owned by Finance", message)
        action = self.env["ir.actions.act_window"].browse(action_id)
        form = Form(
            self.env[action.res_model].with_user(self.steward).with_context(**context)
        )
        form.reason = "They called"
        form.save().action_apply()
        self.assertEqual(self.partner.phone, "88")

    def test_a_blocked_change_of_others_is_refused_plainly(self):
        person = Source(Channel.UI, user_id=self.user.id)
        with self.assertRaises(UserError):
            self.partner.with_user(self.user).with_context(
                sync_source=person
            ).phone = "88"
