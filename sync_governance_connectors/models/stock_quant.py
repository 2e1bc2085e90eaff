# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import models


class StockQuant(models.Model):
    _inherit = "stock.quant"

    def _sync_payload(self, event_type):
        """A bin changed; what partners want to know is the level of its warehouse."""
        self.ensure_one()
        level = (
            self.env["sync.stock.level"]
            .sudo()
            .search(
                [
                    ("product_id", "=", self.product_id.id),
                    ("warehouse_id", "=", self.warehouse_id.id),
                    ("company_id", "=", self.company_id.id),
                ],
                limit=1,
            )
        )
        return self.env["sync.resource.stock"]._to_canonical(level, None)[0]

    def _sync_payload_schema(self, event_type):
        return self.env["sync.resource.stock"]._schema("read")

    def _sync_payload_example(self, event_type):
        return self.env["sync.resource.stock"]._example("read")
