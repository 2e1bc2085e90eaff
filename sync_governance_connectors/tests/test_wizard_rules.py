# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestWizardRules(TransactionCase):
    """What somebody puts into a wizard is nobody else's business."""

    def test_every_wizard_has_an_owner(self):
        names = sorted(
            name
            for name, model in self.env.registry.items()
            if name.startswith("sync.") and model._transient
        )
        self.assertIn("sync.record.status", names)
        owned = (
            self.env["ir.rule"]
            .search([("model_id.model", "in", names), ("global", "=", True)])
            .filtered(
                lambda rule: rule.domain_force == "[('create_uid', '=', user.id)]"
                and rule.perm_read
                and rule.perm_write
                and rule.perm_create
                and rule.perm_unlink
            )
            .mapped("model_id.model")
        )
        self.assertEqual(sorted(owned), names)

    def test_another_ones_row_is_closed(self):
        ada, eve = (
            new_test_user(
                self.env,
                f"wizard_{name}",
                groups="base.group_user,sync_governance_base.group_sync_viewer",
            )
            for name in ("ada", "eve")
        )
        status = (
            self.env["sync.record.status"]
            .with_user(ada)
            .create(
                {
                    "res_model": "res.partner",
                    "res_id": ada.partner_id.id,
                    "record_name": "Ada's",
                    "line_ids": [Command.create({"field_label": "Name"})],
                }
            )
        )
        self.assertEqual(status.read(["record_name"])[0]["record_name"], "Ada's")
        for row in (status, status.line_ids):
            with self.assertRaises(AccessError):
                row.with_user(eve).read(["create_date"])
            with self.assertRaises(AccessError):
                row.with_user(eve).write({})
