# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class ProductProduct(models.Model):
    _inherit = "product.product"

    def action_sync_status(self):
        """Open what governance knows about this product."""
        return self.env["sync.record.status"]._open(self)
