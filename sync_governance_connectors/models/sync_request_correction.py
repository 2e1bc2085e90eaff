# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools import jsonbody
from ..tools.problem import Problem


class SyncRequestCorrection(models.Model):
    """Another body for a quarantined message: a webhook, or a row of a feed.

    Once a second operator approved it the message runs again with it. The body that
    the partner sent is kept here.
    """

    _name = "sync.request.correction"
    _description = "Corrected Request"
    _inherit = ["sync.correction.mixin"]
    _order = "id desc"
    _rec_name = "request_id"

    _message_field = "request_id"

    request_id = fields.Many2one(
        "sync.request", required=True, readonly=True, index=True, ondelete="cascade"
    )
    system_id = fields.Many2one(related="request_id.system_id", store=True, index=True)
    company_id = fields.Many2one(related="request_id.company_id", store=True)
    quarantine_reason = fields.Char(
        "Quarantined For", related="request_id.quarantine_reason"
    )
    request_state = fields.Selection(
        related="request_id.state", string="State of the Request"
    )

    _one_open = models.UniqueIndex(
        "(request_id) WHERE state = 'requested'",
        "A correction of this message waits for approval already.",
    )

    @api.model
    def _check_role(self):
        # Bodies are shown in full here, and what is approved is applied.
        group = "sync_governance_base.group_sync_operator"
        if not self.env.su and not self.env.user.has_group(group):
            raise AccessError(self.env._("Only operators correct messages."))

    @api.model
    def _check_correctable(self, message):
        if not message._is_stuck():
            raise UserError(self.env._("Only quarantined messages can be corrected."))
        # sudo: the raw body is closed to everybody
        if message.sudo().request_body is False:
            raise UserError(
                self.env._("The body of this message is not kept any more.")
            )

    @api.model
    def _payload_text(self, message):
        # sudo: the raw body is closed to everybody; operators alone come here
        raw = message.sudo().request_body or ""
        try:
            return self._pretty(jsonbody.parse(raw.encode()))
        except Problem:
            return raw

    @api.model
    def _parse(self, text):
        try:
            return jsonbody.parse((text or "").encode())
        except Problem as problem:
            raise UserError(problem.detail) from problem

    def _apply(self):
        """Put the approved body in place and run the message again."""
        if self._payload_text(self.request_id) != self.payload_before:
            raise UserError(
                self.env._(
                    "The partner has sent this row again since: correct what it is now."
                )
            )
        # sudo: the log is closed to everybody; the way here is the approval
        request = self.request_id.sudo()
        request.request_body = self.payload_after
        request._enqueue_hook()

    def _audit(self, step):
        before, after = self._digests()
        self.env["sync.audit"]._log(
            f"request.{step}",
            self.request_id,
            before={"request": self.request_id.ref, "sha256": before},
            after={"request": self.request_id.ref, "sha256": after},
            reason=self.reason,
        )
