# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        """Post as a flow of Odoo's own: see ``sync.system._enter_flow``."""
        flow = self.env["sync.system"]._enter_flow(self)
        result = super(AccountMove, flow)._post(soft)
        return self.env["sync.system"]._leave_flow(result, self)

    def action_sync_status(self):
        """Open what governance knows about this invoice."""
        return self.env["sync.record.status"]._open(self)
