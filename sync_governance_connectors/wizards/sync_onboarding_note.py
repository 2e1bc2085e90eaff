# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models


class SyncOnboardingNote(models.TransientModel):
    _name = "sync.onboarding.note"
    _description = "A Person's Word on an Onboarding Item"

    item_id = fields.Many2one("sync.onboarding.item", required=True, readonly=True)
    hint = fields.Text(related="item_id.hint")
    state = fields.Selection(
        [("done", "Done"), ("waived", "Not needed")], required=True, readonly=True
    )
    note = fields.Text(required=True)

    def action_confirm(self):
        self.ensure_one()
        self.item_id._declare(self.state, self.note)
        return {"type": "ir.actions.act_window_close"}
