from odoo import fields, models


class SyncCorrectionRequest(models.TransientModel):
    """Asks for a dead letter's right payload, and why."""

    _name = "sync.correction.request"
    _description = "Correct a Payload"
    _inherit = ["sync.correction.ask"]

    _correction_model = "sync.correction"

    delivery_id = fields.Many2one(
        "sync.delivery", required=True, readonly=True, ondelete="cascade"
    )
