# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    def _reconcile_payments(self, to_process, edit_mode=False):
        """Reconcile as a flow of Odoo's own: see ``sync.system._enter_flow``."""
        systems = self.env["sync.system"]
        in_flow = [
            {
                name: systems._enter_flow(value)
                if isinstance(value, models.BaseModel)
                else value
                for name, value in values.items()
            }
            for values in to_process
        ]
        return super()._reconcile_payments(in_flow, edit_mode=edit_mode)
