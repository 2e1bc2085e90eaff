# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    sync_line_id = fields.Char(
        string="External Line",
        copy=False,
        help="The ordering system's own id of this line; shipments and invoices"
        " repeat it.",
    )
