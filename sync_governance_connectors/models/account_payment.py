# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def action_post(self):
        """Confirm as a flow of Odoo's own: see ``sync.system._enter_flow``."""
        flow = self.env["sync.system"]._enter_flow(self)
        result = super(AccountPayment, flow).action_post()
        return self.env["sync.system"]._leave_flow(result, self)
