import json

from odoo import api, fields, models
from odoo.exceptions import UserError


class SyncCorrection(models.Model):
    """Another payload for a dead letter.

    An approved correction becomes an event of its own, with its own message id, that
    names the one it corrects. The dead letter is discarded and keeps its body.
    """

    _name = "sync.correction"
    _description = "Corrected Message"
    _inherit = ["sync.correction.mixin"]
    _order = "id desc"
    _rec_name = "delivery_id"

    _message_field = "delivery_id"

    delivery_id = fields.Many2one(
        "sync.delivery", required=True, readonly=True, index=True, ondelete="cascade"
    )
    subscription_id = fields.Many2one(related="delivery_id.subscription_id")
    event_id = fields.Many2one(related="delivery_id.event_id", string="Event")
    company_id = fields.Many2one(related="delivery_id.company_id", store=True)
    corrected_event_id = fields.Many2one(
        "sync.event", string="Sent as", readonly=True, ondelete="set null"
    )
    is_superseded = fields.Boolean(compute="_compute_is_superseded")

    _one_open = models.UniqueIndex(
        "(delivery_id) WHERE state = 'requested'",
        "A correction of this message waits for approval already.",
    )

    def _compute_is_superseded(self):
        superseded = self.event_id._superseded_ids()
        for correction in self:
            correction.is_superseded = correction.event_id.id in superseded

    @api.model
    def _check_role(self):
        # Payloads are shown in full here.
        self.env["sync.subscription"]._check_manager()

    @api.model
    def _check_correctable(self, message):
        if message.state != "dead":
            raise UserError(self.env._("Only dead letters can be corrected."))

    @api.model
    def _payload_text(self, message):
        return self._pretty(message.event_id._data())

    @api.model
    def _parse(self, text):
        try:
            payload = json.loads(text or "", parse_constant=_no_constant)
        except ValueError as error:
            raise UserError(
                self.env._("This is no JSON: %(error)s", error=error)
            ) from error
        if not isinstance(payload, dict):
            raise UserError(self.env._("A payload is a JSON object."))
        return payload

    def _apply(self):
        """Send the corrected message as a new one."""
        event = self.event_id._correct(
            json.loads(self.payload_after), self.subscription_id
        )
        # sudo: rows are nobody's to write
        self.sudo().corrected_event_id = event
        self.delivery_id._set_state(("dead",), "discarded")

    def _audit(self, step):
        before, after = self._digests()
        self.env["sync.audit"]._log(
            f"delivery.{step}",
            self.delivery_id.subscription_id,
            before={"event": self.event_id.ref, "sha256": before},
            after={"event": self.corrected_event_id.ref or None, "sha256": after},
            reason=self.reason,
        )

    def action_view_sent(self):
        """Open the corrected message's delivery."""
        return self.corrected_event_id.action_view_deliveries()


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")
