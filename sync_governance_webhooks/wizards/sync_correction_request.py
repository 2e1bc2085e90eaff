from odoo import api, fields, models


class SyncCorrectionRequest(models.TransientModel):
    """Asks for a dead letter's right payload, and why."""

    _name = "sync.correction.request"
    _description = "Correct a Payload"

    delivery_id = fields.Many2one(
        "sync.delivery", required=True, readonly=True, ondelete="cascade"
    )
    payload = fields.Text(
        compute="_compute_payload",
        store=True,
        compute_sudo=False,
        readonly=False,
        required=True,
    )
    reason = fields.Char(required=True)

    @api.depends("delivery_id")
    def _compute_payload(self):
        self._check_delivery()
        for wizard in self:
            wizard.payload = self.env["sync.correction"]._payload_text(
                wizard.delivery_id
            )

    @api.constrains("delivery_id")
    def _check_delivery(self):
        """A payload is shown in full to whoever could correct it."""
        # sudo(False): constraints run with all rights
        wizards = self.sudo(False)
        wizards.env["sync.correction"]._check_role()
        wizards.delivery_id.check_access("read")

    def action_request(self):
        """Hand the correction to a second person."""
        self.ensure_one()
        correction = self.env["sync.correction"]._request(
            self.delivery_id, self.payload, self.reason
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": correction._name,
            "res_id": correction.id,
            "views": [[False, "form"]],
        }
