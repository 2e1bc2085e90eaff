# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models


class SyncReconciliationDecide(models.TransientModel):
    """Asks why differences are right as they are."""

    _name = "sync.reconciliation.decide"
    _description = "Accept or Ignore Differences"

    difference_ids = fields.Many2many("sync.reconciliation.difference", required=True)
    decision = fields.Selection(
        [
            ("accept", "Accept them while both sides stay as they are"),
            ("ignore", "Ignore them, and these ids in later runs"),
        ],
        required=True,
        default="accept",
    )
    reason = fields.Char(required=True)

    def action_confirm(self):
        self.ensure_one()
        if self.decision == "accept":
            self.difference_ids._accept(self.reason)
        else:
            self.difference_ids._ignore(self.reason)
        return {"type": "ir.actions.act_window_close"}
