from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.sync_system import SOURCE_KEY
from ..tools.policy import Outcome
from ..tools.source import Channel, Source


class SyncPolicyOverride(models.TransientModel):
    """Lets a steward write what a policy keeps people from writing, with a reason."""

    _name = "sync.policy.override"
    _description = "Override a Policy"

    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True)
    record_name = fields.Char(string="Record", compute="_compute_record_name")
    line_ids = fields.One2many("sync.policy.override.line", "wizard_id")
    reason = fields.Text(required=True)

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for wizard in self:
            record = wizard._overridable(wizard.res_model, wizard.res_id)
            wizard.record_name = record.display_name

    @api.model
    def default_get(self, fields_list):
        """Offer the fields that the policy keeps back, of the record in the context."""
        values = super().default_get(fields_list)
        if "line_ids" in fields_list and values.get("res_id"):
            record = self._overridable(values["res_model"], values["res_id"])
            typed = self.env.context.get("sync_override_texts") or {}
            values["line_ids"] = [
                fields.Command.create(line) for line in self._line_values(record, typed)
            ]
        return values

    @api.model
    def _open(self, record):
        """The action that asks for the new values and the reason."""
        record.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_base.sync_policy_override_action"
        )
        return {**action, "context": self._context_of(record)}

    @api.model
    def _context_of(self, record, values=None) -> dict:
        """The context in which the wizard is about a record.

        :param values: neutral values that somebody tried to write, by field name
        """
        tool = self.env["sync.field.value"]
        return {
            "default_res_model": record._name,
            "default_res_id": record.id,
            "sync_override_texts": {
                name: tool._spell(record, name, value)
                for name, value in (values or {}).items()
                if value is not None
            },
        }

    @api.model
    def _may_override(self, record) -> bool:
        """Whether the user is a steward of the record's domain and of its company."""
        user = self.env.user
        if not user.has_group("sync_governance_base.group_sync_steward"):
            return False
        # whose domain it is decides, not whether the user may read domains
        domain = self.env["sync.domain"].sudo()._of_model(record._name)
        company = record.sudo().company_id if "company_id" in record._fields else None
        return (
            (not domain or user in domain.steward_ids)
            and (not company or company in self.env.companies)
            and record.has_access("write")
        )

    @api.model
    def _overridable(self, model_name, res_id):
        """The record, if there is one and the user may override its policy.

        :raise AccessError: if not
        """
        record = None
        if model_name in self.env:
            record = self.env[model_name].browse(res_id).exists()
        if not record or not self._may_override(record):
            raise AccessError(
                self.env._("Only stewards of its domain override a record's policy.")
            )
        return record

    @api.model
    def _kept_back(self, record) -> list[str]:
        """Names of the fields that the policy keeps people from writing."""
        policies = self.env["sync.policy"]
        person = Source(Channel.UI, user_id=self.env.uid)
        names = []
        for rules, _records in policies._rules_of(record):
            decisions = policies._decide_by(record._name, rules, rules.fields, person)
            names += [
                name
                for name, decision in decisions.items()
                if decision.outcome in (Outcome.PROPOSED, Outcome.BLOCKED)
                and record._has_field_access(record._fields[name], "write")
            ]
        return names

    @api.model
    def _line_values(self, record, typed):
        tool = self.env["sync.field.value"]
        names = self._kept_back(record)
        owners = self.env["sync.policy"]._owners_of(record, names)
        # what somebody has just tried to write comes first
        for name in sorted(names, key=lambda name: name not in typed):
            yield {
                "field_name": name,
                "field_label": record._fields[name]._description_string(self.env),
                "owner_name": owners[name],
                "seen": tool._display(record._name, name, tool._read(record, name)),
                "new_text": typed.get(name),
            }

    def action_apply(self):
        """Write the values in the steward's name, and put it in the audit trail."""
        self.ensure_one()
        record = self._overridable(self.res_model, self.res_id)
        reason = self.reason.strip()
        if not reason:
            raise UserError(self.env._("Say why the policy has to be overridden."))
        lines = self.line_ids.filtered(lambda line: line.new_text or line.empties)
        if not lines:
            raise UserError(self.env._("Give at least one new value."))
        lines._check_still_right(record, self._kept_back(record))
        tool = self.env["sync.field.value"]
        before = {name: tool._read(record, name) for name in lines.mapped("field_name")}
        after = {line.field_name: line._chosen(record) for line in lines}
        source = Source(Channel.UI, user_id=self.env.uid, override_reason=reason)
        record.with_context(**{SOURCE_KEY: source}).write(
            {name: tool._to_write(record, name, value) for name, value in after.items()}
        )
        self.env["sync.audit"]._log(
            "policy.overridden",
            record=record,
            before=before,
            after=after,
            reason=reason,
        )
        return {"type": "ir.actions.act_window_close"}
