from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.merge3 import equal
from ..tools.source import Channel, Source
from .sync_system import SOURCE_KEY

_DECIDED_BY_CODE = {
    "type",
    "state",
    "system_id",
    "res_model",
    "res_id",
    "domain_id",
    "crosswalk_id",
    "resolver_id",
    "resolved_at",
    "company_id",
}


class SyncConflict(models.Model):
    """Values of a system that could not be applied by themselves: a steward decides."""

    _name = "sync.conflict"
    _description = "Conflict"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "create_date desc, id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    type = fields.Selection(
        [
            ("update_differing", "Both changed it"),
            ("update_missing", "Update of an unknown record"),
            ("update_recently_deleted", "Update of a deleted record"),
            ("insert_exists", "Record exists already"),
            ("unique_conflict", "Value must be unique"),
            ("delete_recently_updated", "Deletion of a changed record"),
            ("stale_version", "Based on an old version"),
        ],
        required=True,
        default="update_differing",
        readonly=True,
    )
    system_id = fields.Many2one(
        "sync.system", required=True, ondelete="restrict", readonly=True
    )
    res_model = fields.Char(string="Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    record_name = fields.Char(compute="_compute_record_name")
    domain_id = fields.Many2one("sync.domain", readonly=True, index=True)
    crosswalk_id = fields.Many2one(
        "sync.crosswalk", ondelete="set null", readonly=True, index="btree_not_null"
    )
    request_ref = fields.Char(string="Request", readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("resolved", "Resolved"), ("ignored", "Ignored")],
        required=True,
        default="open",
        readonly=True,
        tracking=True,
        index=True,
    )
    steward_id = fields.Many2one("res.users", tracking=True)
    resolver_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    resolved_at = fields.Datetime(readonly=True)
    reason = fields.Char(help="Why it was decided so; kept in the audit trail.")
    company_id = fields.Many2one("res.company", readonly=True)
    line_ids = fields.One2many("sync.conflict.line", "conflict_id", string="Fields")
    field_names = fields.Char(
        compute="_compute_field_names", string="Conflicting Fields"
    )

    similar_count = fields.Integer(
        compute="_compute_similar_count",
        help="Open conflicts of the same system about the same fields"
        " of other records.",
    )
    sent_back = fields.Text(
        compute="_compute_sent_back",
        help="What the system will be told once this is decided.",
    )

    _record_index = models.Index("(res_model, res_id) WHERE state = 'open'")

    # ------------------------------------------------------------------
    # Computed
    # ------------------------------------------------------------------

    @api.depends("system_id", "record_name")
    def _compute_name(self):
        for conflict in self:
            record = conflict.record_name or conflict.res_model or ""
            conflict.name = f"{conflict.system_id.name}: {record}"

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for conflict in self:
            record = conflict._record()
            conflict.record_name = record.sudo().display_name if record else False

    @api.depends("line_ids.field_id")
    def _compute_field_names(self):
        for conflict in self:
            names = [
                line.field_id.field_description or line.field_name
                for line in conflict.line_ids
            ]
            conflict.field_names = ", ".join(names)

    @api.depends("line_ids.field_name", "state")
    def _compute_similar_count(self):
        for conflict in self:
            conflict.similar_count = len(conflict._similar())

    @api.depends("line_ids.decision", "line_ids.custom_text")
    def _compute_sent_back(self):
        for conflict in self:
            told = []
            for line in conflict.line_ids:
                if line.decision in ("keep", "custom"):
                    custom = line.decision == "custom"
                    value = line.custom_text if custom else line.current_display
                    name = line.field_id.field_description or line.field_name
                    told.append(f"{name}: {value}")
            conflict.sent_back = "\n".join(told)

    def _similar(self):
        """Open conflicts of the same system about the same fields of other records."""
        self.ensure_one()
        names = set(self.line_ids.mapped("field_name"))
        candidates = self.search(
            [
                ("id", "!=", self.id),
                ("state", "=", "open"),
                ("system_id", "=", self.system_id.id),
                ("res_model", "=", self.res_model),
                ("type", "=", self.type),
            ]
        )
        return candidates.filtered(
            lambda one: set(one.line_ids.mapped("field_name")) == names
        )

    def _record(self):
        """The record in question, None when it is gone."""
        self.ensure_one()
        if not self.res_id or self.res_model not in self.env:
            return None
        return self.env[self.res_model].browse(self.res_id).exists() or None

    def write(self, vals):
        if not self.env.su and not _DECIDED_BY_CODE.isdisjoint(vals):
            raise AccessError(self.env._("Use the buttons to decide on a conflict."))
        return super().write(vals)

    # ------------------------------------------------------------------
    # Collection
    # ------------------------------------------------------------------

    @api.model
    def _collect(
        self, crosswalk, record, values, refused, source, kind="update_differing"
    ):
        """Put refused values into the crosswalk's open conflict, or a new one.

        :param record: None when it is gone
        :param refused: decision for each field that was not written
        :return: the conflict, empty if nothing was refused
        """
        if not refused:
            return self.browse()
        # inbound users report conflicts, they do not manage them
        conflicts = self.sudo()
        conflict = conflicts.search(
            [
                ("crosswalk_id", "=", crosswalk.id),
                ("state", "=", "open"),
                ("type", "=", kind),
            ],
            limit=1,
        )
        if not conflict:
            conflict = conflicts.create(self._collect_values(crosswalk, source, kind))
            self.env["sync.control.tower"]._notify()
        for name, decision in refused.items():
            conflict._set_line(crosswalk, record, name, values[name], decision)
        conflict.request_ref = source.request_ref or conflict.request_ref
        return conflict.with_env(self.env)

    @api.model
    def _collect_values(self, crosswalk, source, kind):
        domain = self.env["sync.domain"].sudo()._of_model(crosswalk.res_model)
        return {
            "type": kind,
            "system_id": source.system_id or crosswalk.system_id.id,
            "res_model": crosswalk.res_model,
            "res_id": crosswalk.res_id,
            "crosswalk_id": crosswalk.id,
            "domain_id": domain.id,
            "steward_id": domain.steward_ids[:1].id,
            "company_id": crosswalk.company_id.id,
        }

    def _set_line(self, crosswalk, record, name, value, decision):
        tool = self.env["sync.field.value"]
        model = self.env[self.res_model] if record is None else record
        incoming = tool._written(model, name, value)
        owner = self.env["sync.system"].search(
            [("code", "in", decision.owner_codes[:1])], limit=1
        )
        values = {
            "base_value": (crosswalk.base_json or {}).get(name, False),
            "current_value": False if record is None else tool._read(record, name),
            "incoming_value": tool._jsonable(value) if incoming is None else incoming,
            "owner_system_id": owner.id,
            "explanation": decision.message,
            "decision": self._suggested(owner),
        }
        line = self.line_ids.filtered(lambda one: one.field_name == name)
        if line:
            line.write(values)
        else:
            field = self.env["ir.model.fields"]._get(self.res_model, name)
            self.line_ids = [
                fields.Command.create(
                    {"field_name": name, "field_id": field.id, **values}
                )
            ]

    def _suggested(self, owner) -> str | bool:
        """What the policy would decide: the owner's side, nothing if nobody owns it."""
        if not owner:
            return False
        return "take" if owner == self.system_id else "keep"

    # ------------------------------------------------------------------
    # Decision
    # ------------------------------------------------------------------

    def action_resolve(self):
        """Write the chosen values in the steward's name and close the conflict."""
        for conflict in self:
            conflict._check_decidable()
            conflict._resolve_one()
        return True

    def action_ignore(self):
        """Close without a decision: Odoo's values stay, and nothing is agreed."""
        for conflict in self:
            conflict._check_open()
        self._close("ignored")

    def action_keep_all(self):
        """Decide for Odoo's values."""
        self.line_ids.decision = "keep"
        return self.action_resolve()

    def action_take_all(self):
        """Decide for the incoming values."""
        self.line_ids.decision = "take"
        return self.action_resolve()

    def action_resolve_similar(self):
        """Decide this conflict, and the similar ones alike.

        Only which side wins is taken over: another value fits one record.
        """
        self.ensure_one()
        similar = self._similar()
        decisions = {line.field_name: line.decision for line in self.line_ids}
        if set(decisions.values()) - {"keep", "take"}:
            raise UserError(
                self.env._(
                    "Choose Odoo's or the incoming value for each field: another value"
                    " fits this record only."
                )
            )
        for line in similar.line_ids:
            line.decision = decisions[line.field_name]
        return (self | similar).action_resolve()

    def action_make_rule(self):
        """Draft and open a policy version that would have decided like the steward."""
        self.ensure_one()
        owners = {
            line.field_id: self.system_id if line.decision == "take" else self._odoo()
            for line in self.line_ids
            if line.field_id and line.decision in ("keep", "take")
        }
        if not owners:
            raise UserError(self.env._("Decide for one side first."))
        self.check_access("write")
        # a draft binds nobody: it has to be approved by those who may
        draft = (
            self.env["sync.policy"]
            .sudo()
            ._draft_owners(self.res_model, self.company_id, self.domain_id, owners)
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": draft._name,
            "res_id": draft.id,
            "view_mode": "form",
        }

    @api.model
    def _odoo(self):
        return self.env["sync.system"].browse(self.env["sync.system"]._odoo_id())

    def action_open_record(self):
        """Open the record in question."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }

    def _check_open(self):
        if self.state != "open":
            raise UserError(
                self.env._("%(conflict)s is already closed.", conflict=self.name)
            )

    def _check_decidable(self):
        self.ensure_one()
        self._check_open()
        undecided = self.line_ids.filtered(lambda line: not line.decision)
        if undecided:
            raise UserError(
                self.env._(
                    "Decide on each field first. Missing: %(fields)s.",
                    fields=", ".join(
                        line.field_id.field_description or line.field_name
                        for line in undecided
                    ),
                )
            )
        if not self._record() and any(
            line.decision != "keep" for line in self.line_ids
        ):
            raise UserError(
                self.env._(
                    "The record is gone. Only Odoo's side can be kept,"
                    " or the conflict ignored."
                )
            )
        self._check_still_current()

    def _check_still_current(self):
        """Refuse to overwrite a value that the steward has not seen."""
        record = self._record()
        if not record:
            return
        tool = self.env["sync.field.value"]
        for line in self.line_ids:
            current = tool._read(record, line.field_name)
            if not equal(
                tool._kind(record, line.field_name), current, line.current_value
            ):
                # the refusal rolls back: reading the record shows the fresh value
                raise UserError(
                    self.env._(
                        "“%(field)s” has changed in Odoo since: it is now “%(value)s”."
                        " Refresh the conflict and decide again.",
                        field=line.field_id.field_description or line.field_name,
                        value=tool._display(self.res_model, line.field_name, current),
                    )
                )

    def action_refresh(self):
        """Read Odoo's present values again."""
        tool = self.env["sync.field.value"]
        for conflict in self:
            record = conflict._record()
            # stewards decide; the values themselves are not theirs to edit
            for line in conflict.sudo().line_ids if record else ():
                line.current_value = tool._read(record, line.field_name)

    def _resolve_one(self):
        record = self._record()
        before, after = {}, {}
        tool = self.env["sync.field.value"]
        values = {}
        for line in self.line_ids.filtered(lambda one: one.decision != "keep"):
            chosen = line._chosen()
            before[line.field_name], after[line.field_name] = line.current_value, chosen
            values[line.field_name] = tool._to_write(record, line.field_name, chosen)
        if values:
            record.with_context(**{SOURCE_KEY: self._override_source()}).write(values)
        if self.crosswalk_id:
            seen = {line.field_name: line.incoming_value for line in self.line_ids}
            taken = [
                line.field_name for line in self.line_ids if line.decision == "take"
            ]
            self.crosswalk_id._agree(seen, taken)
        self.env["sync.audit"]._log(
            "conflict.resolved",
            record=self,
            before=before,
            after=after,
            reason=self.reason,
        )
        self._close("resolved")
        self._after_resolve()

    def _override_source(self) -> Source:
        reason = self.reason or self.env._("Conflict decided by a steward")
        return Source(
            Channel.UI,
            user_id=self.env.uid,
            request_ref=self.request_ref or None,
            override_reason=reason,
        )

    def _close(self, state):
        self.check_access("write")
        # the state moves through the decision only
        self.sudo().write(
            {
                "state": state,
                "resolver_id": self.env.uid,
                "resolved_at": fields.Datetime.now(),
            }
        )
        self.activity_unlink(["mail.mail_activity_data_todo"])
        self.env["sync.control.tower"]._notify()

    def _after_resolve(self):
        """Called when a conflict is resolved; modules send the outcome back here."""
