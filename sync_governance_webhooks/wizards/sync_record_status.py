from odoo import api, fields, models


class SyncRecordStatus(models.TransientModel):
    """Shows what was told of the record."""

    _inherit = "sync.record.status"

    event_ids = fields.Many2many("sync.event", compute="_compute_event_ids")

    @api.depends("res_model", "res_id")
    def _compute_event_ids(self):
        for status in self:
            status.event_ids = status._latest("sync.event")
