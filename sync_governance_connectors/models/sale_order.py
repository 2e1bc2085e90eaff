# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def action_sync_status(self):
        """Open what governance knows about this order."""
        return self.env["sync.record.status"]._open(self)
