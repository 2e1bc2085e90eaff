import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools import difference


class SyncCorrectionMixin(models.AbstractModel):
    """Another payload for a message that failed: asked for by one person, with a
    reason, and approved by a second one.

    Nobody writes these rows but the actions below. A model names its message
    (``_message_field``) and says who may correct it, when, and what follows.
    """

    _name = "sync.correction.mixin"
    _description = "Correction by Two People"

    #: many2one to the message that is corrected
    _message_field = ""

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

    def _compute_difference(self):
        for correction in self:
            correction.difference = difference.lines(
                correction.payload_before, correction.payload_after
            )

    # -- what a model says -----------------------------------------------------------

    @api.model
    def _check_role(self):
        """:raises AccessError: the user may neither ask nor decide"""
        raise NotImplementedError

    @api.model
    def _check_correctable(self, message):
        """:raises UserError: the message does not wait for a correction (any more)"""
        raise NotImplementedError

    @api.model
    def _payload_text(self, message):
        """The message's present payload as people edit it."""
        raise NotImplementedError

    @api.model
    def _parse(self, text):
        """The JSON value of an edited payload. :raises UserError: it is none"""
        raise NotImplementedError

    def _apply(self):
        """Do what approval means."""
        raise NotImplementedError

    def _audit(self, step):
        """:param step: ``correction_requested``, ``corrected``,
        ``correction_refused``
        """
        raise NotImplementedError

    # -- the way of a correction -----------------------------------------------------

    @api.model
    def _request(self, message, payload_text, reason):
        """Ask for a correction.

        :param message: one record of the model behind ``_message_field``
        :param str payload_text: JSON
        :raises UserError: not correctable, no JSON, no reason, or no change
        """
        self._check_role()
        message.check_access("read")
        self._check_correctable(message)
        if not (reason or "").strip():
            raise UserError(self.env._("Say why."))
        before = self._payload_text(message)
        after = self._pretty(self._parse(payload_text))
        if before == after:
            raise UserError(self.env._("Nothing was changed."))
        # sudo: rows are nobody's to write; rights were checked above
        correction = self.sudo().create(
            {
                self._message_field: message.id,
                "payload_before": before,
                "payload_after": after,
                "reason": reason,
                "requester_id": self.env.uid,
            }
        )
        correction._audit("correction_requested")
        return correction.sudo(False)

    def action_approve(self):
        """Let the corrected payload go on. Not for whoever asked for it."""
        for correction in self:
            correction._decide("approved")
            correction._apply()
            correction._audit("corrected")

    def action_refuse(self):
        """Leave the message as it is."""
        for correction in self:
            correction._decide("refused", by_requester=True)
            correction._audit("correction_refused")

    def _decide(self, state, by_requester=False):
        self.ensure_one()
        self._check_role()
        self.check_access("read")
        # Two approvals at once must not have two effects.
        self.lock_for_update()
        if self.state != "requested":
            raise UserError(self.env._("This has been decided already."))
        if self.requester_id == self.env.user and not by_requester:
            raise AccessError(
                self.env._("A second person must approve what you ask for.")
            )
        if state == "approved":
            self._check_correctable(self[self._message_field])
        # sudo: rows are nobody's to write
        self.sudo().write(
            {
                "state": state,
                "decided_by_id": self.env.uid,
                "decided_at": fields.Datetime.now(),
            }
        )

    def _digests(self):
        """SHA-256 of both payloads, for the audit trail: the payloads themselves are
        kept here, for those to see who may."""
        return tuple(
            hashlib.sha256(text.encode()).hexdigest()
            for text in (self.payload_before, self.payload_after)
        )

    @api.model
    def _pretty(self, payload):
        return json.dumps(payload, indent=2, ensure_ascii=False, sort_keys=True)
