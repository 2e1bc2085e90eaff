import difflib
import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.envelope import canonical_json


class SyncCorrection(models.Model):
    """Another payload for a dead letter: asked for by one person, with a reason, and
    approved by a second one.

    An approved correction becomes an event of its own, with its own message id, that
    names the one it corrects. The dead letter is discarded and keeps its body. Nobody
    writes these rows but the actions below.
    """

    _name = "sync.correction"
    _description = "Corrected Message"
    _order = "id desc"
    _rec_name = "delivery_id"

    delivery_id = fields.Many2one(
        "sync.delivery", required=True, readonly=True, index=True, ondelete="cascade"
    )
    subscription_id = fields.Many2one(related="delivery_id.subscription_id")
    event_id = fields.Many2one(related="delivery_id.event_id", string="Event")
    company_id = fields.Many2one(related="delivery_id.company_id", store=True)
    payload_before = fields.Text(readonly=True, required=True)
    payload_after = fields.Text(readonly=True, required=True)
    difference = fields.Text(compute="_compute_difference")
    reason = fields.Char(readonly=True, required=True)
    state = fields.Selection(
        [
            ("requested", "To approve"),
            ("approved", "Approved"),
            ("refused", "Refused"),
        ],
        default="requested",
        readonly=True,
        required=True,
    )
    requester_id = fields.Many2one(
        "res.users", readonly=True, required=True, ondelete="restrict"
    )
    decided_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    decided_at = fields.Datetime(readonly=True)
    corrected_event_id = fields.Many2one(
        "sync.event", string="Sent as", readonly=True, ondelete="set null"
    )
    is_superseded = fields.Boolean(compute="_compute_is_superseded")

    _one_open = models.UniqueIndex(
        "(delivery_id) WHERE state = 'requested'",
        "A correction of this message waits for approval already.",
    )

    def _compute_difference(self):
        for correction in self:
            lines = difflib.unified_diff(
                correction.payload_before.splitlines(),
                correction.payload_after.splitlines(),
                lineterm="",
                n=2,
            )
            # without the two lines that name files
            correction.difference = "\n".join(list(lines)[2:])

    def _compute_is_superseded(self):
        superseded = self.event_id._superseded_ids()
        for correction in self:
            correction.is_superseded = correction.event_id.id in superseded

    @api.model
    def _check_manager(self):
        # Payloads are shown in full here.
        self.env["sync.subscription"]._check_manager()

    @api.model
    def _request(self, delivery, payload_text, reason):
        """Ask for a correction.

        :param str payload_text: JSON, an object
        :raises UserError: not a dead letter, no JSON object, or no change
        """
        self._check_manager()
        delivery.check_access("read")
        if delivery.state != "dead":
            raise UserError(self.env._("Only dead letters can be corrected."))
        if not (reason or "").strip():
            raise UserError(self.env._("Say why."))
        before = delivery.event_id._data()
        after = self._parse(payload_text)
        if canonical_json(before) == canonical_json(after):
            raise UserError(self.env._("Nothing was changed."))
        # sudo: rows are nobody's to write; rights were checked above
        correction = self.sudo().create(
            {
                "delivery_id": delivery.id,
                "payload_before": _pretty(before),
                "payload_after": _pretty(after),
                "reason": reason,
                "requester_id": self.env.uid,
            }
        )
        correction._audit("delivery.correction_requested")
        return correction.sudo(False)

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

    def action_approve(self):
        """Send the corrected message. Not for whoever asked for it."""
        for correction in self:
            correction._decide("approved")
            event = correction.event_id._correct(
                json.loads(correction.payload_after), correction.subscription_id
            )
            # sudo: rows are nobody's to write
            correction.sudo().corrected_event_id = event
            correction.delivery_id._set_state(("dead",), "discarded")
            correction._audit("delivery.corrected")

    def action_refuse(self):
        """Leave the dead letter as it is."""
        for correction in self:
            correction._decide("refused", by_requester=True)
            correction._audit("delivery.correction_refused")

    def _decide(self, state, by_requester=False):
        self.ensure_one()
        self._check_manager()
        self.check_access("read")
        # Two approvals at once must not send two messages.
        self.lock_for_update()
        if self.state != "requested":
            raise UserError(self.env._("This has been decided already."))
        if self.requester_id == self.env.user and not by_requester:
            raise AccessError(
                self.env._("A second person must approve what you ask for.")
            )
        if state == "approved" and self.delivery_id.state != "dead":
            raise UserError(self.env._("The message is no dead letter any more."))
        # sudo: rows are nobody's to write
        self.sudo().write(
            {
                "state": state,
                "decided_by_id": self.env.uid,
                "decided_at": fields.Datetime.now(),
            }
        )

    def _audit(self, action):
        """Digests alone: the payloads are kept here, for managers to see."""
        self.env["sync.audit"]._log(
            action,
            self.delivery_id.subscription_id,
            before={"event": self.event_id.ref, "sha256": _digest(self.payload_before)},
            after={
                "event": self.corrected_event_id.ref or None,
                "sha256": _digest(self.payload_after),
            },
            reason=self.reason,
        )

    def action_view_sent(self):
        """Open the corrected message's delivery."""
        return self.corrected_event_id.action_view_deliveries()


def _pretty(payload):
    return json.dumps(payload, indent=2, ensure_ascii=False, sort_keys=True)


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")
