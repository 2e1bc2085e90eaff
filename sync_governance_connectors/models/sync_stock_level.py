# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models
from odoo.tools import SQL


class SyncStockLevel(models.Model):
    """What lies in a warehouse: a row a product, summed over its bins."""

    _name = "sync.stock.level"
    _description = "Stock Level"
    _auto = False
    _order = "product_id, warehouse_id"
    _rec_name = "product_id"
    _depends = {
        "stock.quant": ["product_id", "location_id", "quantity", "reserved_quantity"],
        "stock.location": ["usage", "warehouse_id"],
    }

    product_id = fields.Many2one("product.product", readonly=True)
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    on_hand = fields.Float(digits="Product Unit", readonly=True)
    reserved = fields.Float(digits="Product Unit", readonly=True)
    available = fields.Float(
        digits="Product Unit",
        readonly=True,
        help="On hand and not promised to an order.",
    )
    write_date = fields.Datetime(readonly=True)

    @property
    def _table_query(self):
        # The oldest bin lends the row its id: unique, and stable while it exists.
        return SQL(
            """
            SELECT min(quant.id) AS id,
                   quant.product_id,
                   location.warehouse_id,
                   quant.company_id,
                   sum(quant.quantity) AS on_hand,
                   sum(quant.reserved_quantity) AS reserved,
                   sum(quant.quantity - quant.reserved_quantity) AS available,
                   max(quant.write_date) AS write_date
              FROM stock_quant quant
              JOIN stock_location location ON location.id = quant.location_id
             WHERE location.usage = 'internal'
               AND location.warehouse_id IS NOT NULL
             GROUP BY quant.product_id, location.warehouse_id, quant.company_id
            """
        )
