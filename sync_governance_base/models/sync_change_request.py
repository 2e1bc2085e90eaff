from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.merge3 import equal
from ..tools.source import Channel, Source
from .sync_system import SOURCE_KEY

_OPEN_TO_EDIT = {"reason", "activity_ids", "message_ids", "message_follower_ids"}


class SyncChangeRequest(models.Model):
    """A change of governed fields that somebody proposes and somebody else decides."""

    _name = "sync.change.request"
    _description = "Change Request"
    _inherit = ["sync.record.pointer", "mail.thread", "mail.activity.mixin"]
    _order = "create_date desc, id desc"
    _check_company_auto = True

    name = fields.Char(
        required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    res_model = fields.Char(string="Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", required=True, readonly=True
    )
    policy_id = fields.Many2one("sync.policy", ondelete="set null", readonly=True)
    domain_id = fields.Many2one("sync.domain", readonly=True, index=True)
    requester_id = fields.Many2one("res.users", required=True, readonly=True)
    system_id = fields.Many2one(
        "sync.system", string="Proposed by System", readonly=True, ondelete="set null"
    )
    approver_id = fields.Many2one("res.users", readonly=True, tracking=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("submitted", "Submitted"),
            ("approved", "Approved"),
            ("applied", "Applied"),
            ("replicated", "Replicated"),
            ("rejected", "Rejected"),
            ("failed", "Failed"),
        ],
        required=True,
        default="draft",
        readonly=True,
        tracking=True,
        index=True,
    )
    reason = fields.Text(help="Why the change is needed.")
    refusal_reason = fields.Text(readonly=True)
    failure = fields.Text(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    line_ids = fields.One2many(
        "sync.change.request.line", "request_id", string="Changes"
    )
    summary = fields.Char(
        compute="_compute_summary", help="What would change, and who asks for it."
    )
    state_since = fields.Datetime(
        string="In This State Since", default=fields.Datetime.now, readonly=True
    )
    is_own = fields.Boolean(
        compute="_compute_is_own", help="Somebody else has to decide on it."
    )

    _record_index = models.Index("(res_model, res_id)")

    @api.depends("line_ids", "record_name", "requester_id", "system_id")
    @api.depends_context("lang", "uid")
    def _compute_summary(self):
        for request in self:
            changes = request._spell(
                (line._labels(), line.old_display, line.proposed_display)
                for line in request.line_ids
            )
            request.summary = self.env._(
                "%(record)s: %(changes)s, asked by %(who)s",
                record=request.record_name or request.model_label,
                changes=changes,
                who=(request.system_id or request.requester_id).sudo().name,
            )

    @api.depends("requester_id")
    @api.depends_context("uid")
    def _compute_is_own(self):
        for request in self:
            request.is_own = request.requester_id == self.env.user

    def write(self, vals):
        if not self.env.su and vals.keys() & self._fields.keys() - _OPEN_TO_EDIT:
            raise AccessError(
                self.env._("Use the buttons to decide on a change request.")
            )
        return super().write(vals)

    # ------------------------------------------------------------------
    # Proposal
    # ------------------------------------------------------------------

    @api.model
    def _propose(self, violations, vals, source):
        """Make one request for each record, out of an edit that its policy turns away.

        :param violations: see ``sync.policy.Violation``
        :param vals: the values that were to be written
        """
        by_record = defaultdict(list)
        for one in violations:
            for record in one.records:
                by_record[record].append(one)
        values_list = [
            self._propose_values(record, ones, vals, source)
            for record, ones in by_record.items()
        ]
        # anybody who may edit the record may propose
        requests = self.sudo().create(values_list)
        requests._announce(source)
        return requests.with_env(self.env)

    @api.model
    def _propose_values(self, record, violations, vals, source):
        tool = self.env["sync.field.value"]
        domain = self.env["sync.domain"].sudo()._of_model(record._name)
        company = record.sudo().company_id if "company_id" in record._fields else None
        lines = []
        for one in violations:
            name = one.rule.field
            proposed = tool._written(record, name, vals[name])
            if proposed is None:
                raise UserError(
                    self.env._(
                        "Changes inside “%(field)s” cannot be proposed. Ask its owner.",
                        field=record._fields[name]._description_string(self.env),
                    )
                )
            lines.append(
                {
                    "field_name": name,
                    "field_id": self.env["ir.model.fields"]._get(record._name, name).id,
                    "owner_system_id": one.rule.owners[0].system_id,
                    "old_value": tool._read(record, name),
                    "proposed_value": proposed,
                }
            )
        return {
            "name": self.env["ir.sequence"].sudo().next_by_code("sync.change.request"),
            "res_model": record._name,
            "res_id": record.id,
            "policy_id": violations[0].rules.policy_id,
            "domain_id": domain.id,
            "requester_id": source.user_id or self.env.uid,
            "system_id": source.system_id,
            "company_id": company.id if company else False,
            "state": "submitted",
            "line_ids": [fields.Command.create(line) for line in lines],
        }

    def _announce(self, source):
        """Tell the person at the screen and the stewards what became of the edit."""
        for request in self:
            for steward in request.domain_id.steward_ids:
                request.activity_schedule(
                    "mail.mail_activity_data_todo",
                    user_id=steward.id,
                    summary=self.env._("Decide on the proposed change"),
                )
        self.env["sync.control.tower"]._notify()
        if source.channel is Channel.UI:
            self.env.user._bus_send(
                "simple_notification",
                {
                    "type": "info",
                    "title": self.env._("Sent for approval"),
                    "message": self.env._(
                        "Your change became change request %(names)s.",
                        names=", ".join(self.mapped("name")),
                    ),
                },
            )

    # ------------------------------------------------------------------
    # Life cycle
    # ------------------------------------------------------------------

    def action_submit(self):
        """Hand a draft in."""
        self._move("draft", "submitted")

    def action_reset(self):
        """Take a request back to draft."""
        self._move(("submitted", "rejected", "failed"), "draft")

    def action_approve(self):
        """Approve and apply; nobody approves their own request."""
        for request in self:
            if request.requester_id == self.env.user:
                raise UserError(
                    self.env._(
                        "%(request)s is your own. Somebody else has to approve it.",
                        request=request.name,
                    )
                )
        self._move("submitted", "approved", approver_id=self.env.uid)
        self.action_apply()

    def action_apply(self):
        """Write the proposed values, if the old ones are still there."""
        for request in self:
            request._check_state("approved", "failed")
            request._apply_one()

    def action_reject(self):
        """Ask for the reason and reject."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reject"),
            "res_model": "sync.change.request.reject",
            "view_mode": "form",
            "target": "new",
            "context": {"default_request_ids": self.ids},
        }

    def _reject(self, reason):
        self._move(
            "submitted", "rejected", refusal_reason=reason, approver_id=self.env.uid
        )
        for request in self:
            request.message_notify(
                partner_ids=request.requester_id.partner_id.ids,
                subject=self.env._("%(request)s was rejected", request=request.name),
                body=reason,
            )

    def _move(self, states, state, **values):
        states = (states,) if isinstance(states, str) else states
        for request in self:
            request._check_state(*states)
        # the state moves through these methods only, by whoever may call them
        now = fields.Datetime.now()
        self.sudo().write({"state": state, "state_since": now, **values})
        if state in ("applied", "rejected"):
            self.sudo().activity_unlink(["mail.mail_activity_data_todo"])
            self.env["sync.control.tower"]._notify()

    def _check_state(self, *states):
        self.ensure_one()
        self.check_access("write")
        if self.state not in states:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(request)s is %(state)s.",
                    request=self.name,
                    state=labels[self.state],
                )
            )

    def _apply_one(self):
        record = self._record()
        stale = self._stale_lines(record) if record else self.line_ids
        if stale:
            self._move(
                ("approved", "failed"), "failed", failure=self._staleness(record, stale)
            )
            return
        tool = self.env["sync.field.value"]
        lines = self.line_ids.sudo()  # raw values are for code alone
        values = {
            line.field_name: tool._to_write(
                record, line.field_name, line.proposed_value
            )
            for line in lines
        }
        try:
            with self.env.cr.savepoint():
                record.with_context(**{SOURCE_KEY: self._override_source()}).write(
                    values
                )
        except UserError as error:
            self._move(("approved", "failed"), "failed", failure=str(error))
            return
        self.env["sync.audit"]._log(
            "change_request.applied",
            record=self,
            before={line.field_name: line.old_value for line in lines},
            after={line.field_name: line.proposed_value for line in lines},
            reason=self.reason,
        )
        self._move(("approved", "failed"), "applied", failure=False)

    def _stale_lines(self, record):
        """The lines whose field has changed since the proposal."""
        tool = self.env["sync.field.value"]
        return self.line_ids.filtered(
            lambda line: line.field_name not in record._fields
            or not equal(
                tool._kind(record, line.field_name),
                tool._read(record, line.field_name),
                line.sudo().old_value,
            )
        )

    def _staleness(self, record, lines):
        if not record:
            return self.env._("The record has been deleted.")
        if gone := lines.filtered(lambda line: line.field_name not in record._fields):
            return self.env._(
                "Odoo no longer has the fields %(fields)s: the module that brought them"
                " is uninstalled.",
                fields=gone._labels(),
            )
        return self.env._(
            "Changed in Odoo since the proposal: %(fields)s."
            " Look at the present values and"
            " propose again.",
            fields=lines._labels(),
        )

    def _override_source(self) -> Source:
        return Source(
            Channel.UI,
            user_id=self.requester_id.id,
            override_reason=self.env._(
                "%(request)s approved by %(user)s",
                request=self.name,
                user=self.approver_id.name,
            ),
        )

    def _mark_replicated(self):
        """Called when the owner system has confirmed the change."""
        self.filtered(lambda request: request.state == "applied")._move(
            "applied", "replicated"
        )
