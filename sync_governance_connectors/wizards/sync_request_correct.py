# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models


class SyncRequestCorrect(models.TransientModel):
    """Asks for a quarantined message's right body, and why."""

    _name = "sync.request.correct"
    _description = "Correct a Request"
    _inherit = ["sync.correction.ask"]

    _correction_model = "sync.request.correction"

    request_id = fields.Many2one(
        "sync.request", required=True, readonly=True, ondelete="cascade"
    )
    quarantine_reason = fields.Char(
        "Quarantined For",
        related="request_id.quarantine_reason",
        related_sudo=False,
    )
