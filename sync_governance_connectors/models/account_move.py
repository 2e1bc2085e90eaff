# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def action_sync_status(self):
        """Open what governance knows about this invoice."""
        return self.env["sync.record.status"]._open(self)
