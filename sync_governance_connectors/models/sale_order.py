# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def action_confirm(self):
        """Confirm as a flow of Odoo's own: see ``sync.system._enter_flow``."""
        flow = self.env["sync.system"]._enter_flow(self)
        result = super(SaleOrder, flow).action_confirm()
        return self.env["sync.system"]._leave_flow(result, self)

    def action_sync_status(self):
        """Open what governance knows about this order."""
        return self.env["sync.record.status"]._open(self)
