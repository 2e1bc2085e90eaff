# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models
from odoo.tools import SQL


class SyncDuplicateKey(models.Model):
    _inherit = "sync.duplicate.key"

    @api.model
    def _column(self, rule, query, name):
        """A product's barcode is a column of its only variant."""
        if (rule.model_name, name) != ("product.template", "barcode"):
            return super()._column(rule, query, name)
        return SQL(
            "(SELECT min(variant.barcode) FROM product_product AS variant"
            " WHERE variant.product_tmpl_id = %s HAVING count(*) = 1)",
            SQL.identifier(query.table, "id"),
        )
