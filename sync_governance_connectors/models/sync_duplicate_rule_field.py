# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class SyncDuplicateRuleField(models.Model):
    _inherit = "sync.duplicate.rule.field"

    @api.model
    def _is_comparable(self, field):
        if (field.model_name, field.name) == ("product.template", "barcode"):
            return True
        return super()._is_comparable(field)
