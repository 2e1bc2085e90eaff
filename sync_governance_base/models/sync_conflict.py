from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.merge3 import equal
from ..tools.source import Channel, Source
from .sync_system import SOURCE_KEY

# a decision for the incoming side makes the record if there is none
_MAKES_RECORD = ("update_missing", "update_recently_deleted")


class SyncConflict(models.Model):
    """Values of a system that could not be applied by themselves: a steward decides."""

    _name = "sync.conflict"
    _description = "Conflict"
    _inherit = [
        "sync.record.pointer",
        "mail.thread",
        "mail.activity.mixin",
        "sync.life.cycle",
    ]
    _order = "create_date desc, id desc"
    _check_company_auto = True
    _by_buttons = frozenset(
        {
            "type",
            "request_ref",
            "state",
            "system_id",
            "res_model",
            "res_id",
            "external_id",
            "domain_id",
            "crosswalk_id",
            "resolver_id",
            "resolved_at",
            "company_id",
        }
    )

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
    external_id = fields.Char(
        string="External Id",
        readonly=True,
        help="The id under which the system spoke of the record.",
    )
    target_id = fields.Many2oneReference(
        string="Existing Record",
        model_field="res_model",
        help="The record that the system means. Empty: a new one is made.",
    )
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
    summary = fields.Char(
        compute="_compute_summary", help="What would change, and who sent it."
    )
    note = fields.Text(string="What Happened", compute="_compute_note")
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
    _external_index = models.Index(
        "(system_id, res_model, external_id) WHERE state = 'open'"
    )

    # ------------------------------------------------------------------
    # Computed
    # ------------------------------------------------------------------

    @api.depends("system_id", "record_name", "external_id")
    def _compute_name(self):
        for conflict in self:
            what = conflict.record_name or conflict.external_id or ""
            what = what or conflict.model_label or ""
            conflict.name = f"{conflict.system_id.name}: {what}"

    @api.depends("type", "system_id", "record_name", "external_id")
    @api.depends_context("lang")
    def _compute_note(self):
        for conflict in self:
            conflict.note = conflict._sentence() % {
                "system": conflict.system_id.name,
                "id": conflict.external_id or "?",
                "model": conflict.model_label,
                "record": conflict.record_name or conflict.res_id,
            }

    @api.depends("line_ids", "record_name", "external_id", "system_id", "type")
    @api.depends_context("lang", "uid")
    def _compute_summary(self):
        types = dict(self._fields["type"]._description_selection(self.env))
        for conflict in self:
            changes = conflict._spell(
                (line._labels(), line.current_display, line.incoming_display)
                for line in conflict.line_ids
            )
            conflict.summary = self.env._(
                "%(record)s: %(changes)s, sent by %(system)s",
                record=conflict.record_name
                or conflict.external_id
                or conflict.model_label,
                changes=changes or types[conflict.type],
                system=conflict.system_id.name,
            )

    def _sentence(self) -> str:
        """What happened and what the decision does, for this type of conflict."""
        return {
            "update_differing": self.env._(
                "%(system)s and Odoo have different values, and the policy does not let"
                " the incoming ones in by themselves."
            ),
            "update_missing": self.env._(
                "%(system)s changed its record %(id)s, which Odoo does not know. Taking"
                " the values makes a new %(model)s, or changes the existing record that"
                " you name."
            ),
            "update_recently_deleted": self.env._(
                "%(system)s changed its record %(id)s, which has been deleted in Odoo."
                " Taking the values makes the %(model)s anew."
            ),
            "insert_exists": self.env._(
                "%(system)s sent %(id)s as a new %(model)s, but there is one already:"
                " %(record)s. The id will name that one."
            ),
            "unique_conflict": self.env._(
                "%(system)s sent for %(record)s a value that only one %(model)s can"
                " have, and another one has it. Keep Odoo's, or give another value."
            ),
            "delete_recently_updated": self.env._(
                "%(system)s deleted its record %(id)s, but %(record)s has changed in"
                " Odoo since. Taking it deletes the record, keeping it leaves all as it"
                " is."
            ),
            "stale_version": self.env._(
                "%(system)s sent values for %(record)s that are based on an old"
                " version: it has changed in Odoo since."
            ),
        }[self.type]

    @api.depends("line_ids.field_id")
    def _compute_field_names(self):
        for conflict in self:
            conflict.field_names = conflict.line_ids._labels()

    @api.depends("line_ids.field_name", "state")
    def _compute_similar_count(self):
        for conflict in self:
            conflict.similar_count = self.search_count(conflict._similar_domain())

    @api.depends("line_ids.decision", "line_ids.custom_text")
    @api.depends_context("lang", "uid")
    def _compute_sent_back(self):
        for conflict in self:
            told = []
            for line in conflict.line_ids:
                if line.decision in ("keep", "custom"):
                    custom = line.decision == "custom"
                    value = line.custom_text if custom else line.current_display
                    value = value or self.env._("empty")
                    told.append(f"{line._labels()}: {value}")
            conflict.sent_back = "\n".join(told)

    def _similar(self):
        """Open conflicts of the same system about the same fields of other records."""
        return self.search(self._similar_domain())

    def _similar_domain(self):
        self.ensure_one()
        names = self.line_ids.mapped("field_name")
        return [
            ("id", "!=", self._origin.id),
            ("state", "=", "open"),
            ("system_id", "=", self.system_id.id),
            ("res_model", "=", self.res_model),
            ("type", "=", self.type),
            *(("line_ids", "any", [("field_name", "=", name)]) for name in names),
            ("line_ids", "not any", [("field_name", "not in", names)]),
        ]

    # ------------------------------------------------------------------
    # Collection
    # ------------------------------------------------------------------

    @api.model
    def _collect(
        self, crosswalk, record, values, refused, source, kind="update_differing"
    ):
        """Put refused values into the open conflict about an external id, or a new one.

        :param crosswalk: the row of the id; one only made with ``new`` where the system
            speaks of a record that Odoo does not know under this id
        :param record: None when there is none
        :param refused: decision for each field that was not written
        :return: the conflict, empty if nothing was refused
        """
        if not refused:
            return self.browse()
        conflict = self._open_about(crosswalk, source, kind)
        for name, decision in refused.items():
            conflict._set_line(crosswalk, record, name, values[name], decision)
        conflict.request_ref = source.request_ref or conflict.request_ref
        return conflict.with_env(self.env)

    @api.model
    def _open_about(self, crosswalk, source, kind):
        """The open conflict of one kind about an external id; a new one if need be."""
        # inbound users report conflicts, they do not manage them
        conflicts = self.sudo()
        conflict = conflicts.search(
            [
                ("system_id", "=", crosswalk.system_id.id),
                ("res_model", "=", crosswalk.res_model),
                ("external_id", "=", crosswalk.external_id),
                ("state", "=", "open"),
                ("type", "=", kind),
            ],
            limit=1,
        )
        if not conflict:
            conflict = conflicts.create(self._collect_values(crosswalk, source, kind))
            self.env["sync.control.tower"]._notify()
        return conflict

    @api.model
    def _collect_values(self, crosswalk, source, kind):
        domain = self.env["sync.domain"].sudo()._of_model(crosswalk.res_model)
        return {
            "type": kind,
            "system_id": crosswalk.system_id.id,
            "res_model": crosswalk.res_model,
            "res_id": crosswalk.res_id,
            "external_id": crosswalk.external_id,
            "crosswalk_id": crosswalk._origin.id,
            "domain_id": domain.id,
            "steward_id": domain.steward_ids[:1].id,
            "company_id": crosswalk.company_id.id,
            "request_ref": source.request_ref,
        }

    def _set_line(self, crosswalk, record, name, value, decision):
        tool = self.env["sync.field.value"]
        model = self.env[self.res_model] if record is None else record
        incoming = tool._written(model, name, value)
        base = crosswalk.sudo().base_json or {}
        owner = self.env["sync.system"].search(
            [("code", "in", decision.owner_codes[:1])], limit=1
        )
        values = {
            "base_value": base.get(name),
            "has_base": name in base,
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

        Only which side wins is taken over: another value fits one record. Those of
        other stewards are left to them; the user is told how many.
        """
        self.ensure_one()
        similar = self._similar()._filtered_access("write")
        left = len(self._similar() - similar)
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
        done = (self | similar).action_resolve()
        return self._tell_left(left) if left else done

    @api.model
    def _tell_left(self, count):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "message": self.env._(
                    "%s similar conflicts are for other stewards and stay open.", count
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

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

    def _check_open(self):
        self.ensure_one()
        self.check_access("write")
        if self.state != "open":
            raise UserError(
                self.env._("%(conflict)s is already closed.", conflict=self.name)
            )

    def _check_decidable(self):
        self._check_open()
        undecided = self.line_ids.filtered(lambda line: not line.decision)
        if undecided:
            raise UserError(
                self.env._(
                    "Decide on each field first. Missing: %(fields)s.",
                    fields=undecided._labels(),
                )
            )
        self._check_one_decision()
        self._check_still_there()
        self._check_still_current()

    def _check_one_decision(self):
        """A record is deleted or kept as a whole."""
        decisions = set(self.line_ids.mapped("decision"))
        if self.type == "delete_recently_updated" and (
            len(decisions) > 1 or "custom" in decisions
        ):
            raise UserError(
                self.env._(
                    "Delete the record or keep it: decide alike for all its fields."
                )
            )

    def _check_still_there(self):
        """Refuse to write where there is nothing left to write to."""
        written = self.line_ids.filtered(lambda line: line.decision != "keep")
        if written and not self._model_is_there():
            raise UserError(
                self.env._(
                    "The app of “%(model)s” is no longer installed. Only Odoo's side"
                    " can be kept, or the conflict ignored.",
                    model=self.res_model,
                )
            )
        if gone := written.filtered(lambda line: line._field() is None):
            raise UserError(
                self.env._(
                    "Odoo no longer has the fields %(fields)s. Only its side can be"
                    " kept for them.",
                    fields=gone._labels(),
                )
            )
        if written and not self._meant_record() and self.type not in _MAKES_RECORD:
            raise UserError(
                self.env._(
                    "The record is gone. Only Odoo's side can be kept,"
                    " or the conflict ignored."
                )
            )

    def _check_still_current(self):
        """Refuse to overwrite a value that the steward has not seen."""
        record = self._record()
        if not record:
            return
        tool = self.env["sync.field.value"]
        for line in self.line_ids:
            current = tool._read(record, line.field_name)
            # sudo: values are compared, not shown
            if line._field() is not None and not equal(
                tool._kind(record, line.field_name), current, line.sudo().current_value
            ):
                # the refusal rolls back: reading the record shows the fresh value
                raise UserError(
                    self.env._(
                        "“%(field)s” has changed in Odoo since: it is now “%(value)s”."
                        " Refresh the conflict and decide again.",
                        field=line._labels(),
                        value=tool._display(self.res_model, line.field_name, current),
                    )
                )

    def action_refresh(self):
        """Read Odoo's present values again."""
        tool = self.env["sync.field.value"]
        for conflict in self:
            conflict._check_open()
            record = conflict._record()
            # stewards decide; the values themselves are not theirs to edit
            for line in conflict.sudo().line_ids if record else ():
                line.current_value = tool._read(record, line.field_name)

    def _resolve_one(self):
        """Carry out the decision, put it on record and close the conflict."""
        written = self.line_ids.filtered(lambda line: line.decision != "keep")
        # sudo: values are put on record, not shown
        before = {line.field_name: line.current_value for line in written.sudo()}
        after = {line.field_name: line._chosen() for line in written}
        if self.type == "delete_recently_updated":
            self._carry_out_deletion(bool(written))
        else:
            self._carry_out_values(after)
        self.env["sync.audit"]._log(
            "conflict.resolved",
            record=self,
            before=before,
            after=after,
            reason=self.reason,
        )
        self._close("resolved")
        self._after_resolve()

    def _carry_out_values(self, chosen):
        """Write the chosen values, to a new record if there is none, and agree on them.

        :param chosen: neutral value by field name
        """
        record = self._meant_record()
        if record is None and not chosen:
            return
        target = self.env[self.res_model] if record is None else record
        # an id is given to a record by whoever may change the record
        target.check_access("write" if record else "create")
        target = target.with_context(**{SOURCE_KEY: self._override_source()})
        tool = self.env["sync.field.value"]
        values = {
            name: tool._to_write(target, name, value) for name, value in chosen.items()
        }
        self._check_unique(target, values)
        if record is None:
            target = target.create(values)
            self.sudo().res_id = target.id
        elif values:
            target.write(values)
        self._agree_on(target)

    def _check_unique(self, record, values):
        clashes = self.env["sync.crosswalk"]._clashes(record, values)
        if clashes:
            raise UserError("\n".join(clashes.values()))

    def _agree_on(self, record):
        """Remember what the system knows now, under its own id of the record."""
        # stewards decide; external ids are kept by the machinery
        row = self.crosswalk_id.sudo()
        if self.external_id and (row.state != "active" or row.res_id != record.id):
            row = row._link(self.system_id, record.sudo(), self.external_id)
        if row:
            lines = self.line_ids.sudo()
            seen = {line.field_name: line.incoming_value for line in lines}
            taken = self.line_ids.filtered(lambda line: line.decision == "take")
            row._agree(seen, taken.mapped("field_name"))

    def _carry_out_deletion(self, deletes: bool):
        record = self._record()
        if record and deletes:
            record.with_context(**{SOURCE_KEY: self._override_source()}).unlink()
        if deletes:
            reason = self.env._("Deleted in %(system)s", system=self.system_id.name)
            self.crosswalk_id.sudo()._retire_rows(reason)
        elif self.crosswalk_id:
            kept = {
                line.field_name: line.current_value
                for line in self.line_ids.sudo()
                if line.field_name != "write_date"  # says only that something changed
            }
            self.crosswalk_id._agree(kept)

    def _model_is_there(self) -> bool:
        return self.res_model in self.env

    def _meant_record(self):
        """The record to write to: the one that the steward names, or that at hand."""
        if self.type == "update_missing" and self.target_id and self._model_is_there():
            return self.env[self.res_model].browse(self.target_id).exists() or None
        return self._record()

    def _override_source(self) -> Source:
        reason = self.reason or self.env._("Conflict decided by a steward")
        return Source(
            Channel.UI,
            user_id=self.env.uid,
            request_ref=self.request_ref or None,
            override_reason=reason,
        )

    def _close(self, state):
        self._move_on(
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
