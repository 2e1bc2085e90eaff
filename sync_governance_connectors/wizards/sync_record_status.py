from odoo import api, fields, models


class SyncRecordStatus(models.TransientModel):
    """Shows the calls that were about the record."""

    _inherit = "sync.record.status"

    call_ids = fields.Many2many("sync.request", compute="_compute_call_ids")

    @api.depends("res_model", "res_id")
    def _compute_call_ids(self):
        for status in self:
            status.call_ids = status._latest("sync.request")
