# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models


class SyncRequestCorrect(models.TransientModel):
    """Asks for a quarantined message's right body, and why."""

    _name = "sync.request.correct"
    _description = "Correct a Request"

    request_id = fields.Many2one(
        "sync.request", required=True, readonly=True, ondelete="cascade"
    )
    quarantine_reason = fields.Char(
        "Quarantined For",
        related="request_id.quarantine_reason",
        related_sudo=False,
    )
    payload = fields.Text(
        compute="_compute_payload",
        # As the user: a body is as open as its message.
        compute_sudo=False,
        store=True,
        readonly=False,
        required=True,
    )
    reason = fields.Char(required=True)

    @api.depends("request_id")
    def _compute_payload(self):
        corrections = self.env["sync.request.correction"]
        corrections._check_role()
        for wizard in self:
            # Only of a message that the user may see, and that may be corrected.
            wizard.request_id.check_access("read")
            wizard.payload = corrections._payload_text(wizard.request_id)

    def action_request(self):
        """Hand the correction to a second person."""
        self.ensure_one()
        correction = self.env["sync.request.correction"]._request(
            self.request_id, self.payload, self.reason
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": correction._name,
            "res_id": correction.id,
            "views": [(False, "form")],
        }
