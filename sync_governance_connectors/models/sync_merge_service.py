# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, models


class SyncMergeService(models.AbstractModel):
    _inherit = "sync.merge.service"

    @api.model
    def _named_for_others(self, records):
        """With the canonical reference, which every system knows a record by."""
        named = super()._named_for_others(records)
        resource = self.env["sync.resource.table"]._of_model(records._name)
        if resource is None:
            return named
        refs = self.env["sync.crosswalk"]._canonical_refs(records, resource._ref_prefix)
        return [
            {"ref": refs[record_id], **names}
            for record_id, names in zip(records.ids, named, strict=True)
        ]
