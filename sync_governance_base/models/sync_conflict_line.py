from odoo import api, fields, models
from odoo.exceptions import UserError

from ..fields import JsonValue


class SyncConflictLine(models.Model):
    """One field on which Odoo and a system disagree."""

    _name = "sync.conflict.line"
    _description = "Conflicting Field"
    _order = "conflict_id, field_name"
    _rec_name = "field_name"

    conflict_id = fields.Many2one(
        "sync.conflict", required=True, ondelete="cascade", index=True
    )
    field_id = fields.Many2one("ir.model.fields", ondelete="set null")
    field_name = fields.Char(required=True, string="Technical Name")
    field_label = fields.Char(string="Label", compute="_compute_field_label")
    # Raw values are read by code alone; people see the displays, field by field.
    base_value = JsonValue(groups=fields.NO_ACCESS)
    has_base = fields.Boolean(
        string="Agreed Before", help="The system and Odoo have agreed on it once."
    )
    current_value = JsonValue(groups=fields.NO_ACCESS)
    incoming_value = JsonValue(groups=fields.NO_ACCESS)
    custom_value = JsonValue()
    base_display = fields.Char(string="Last Agreed", compute="_compute_displays")
    current_display = fields.Char(string="Odoo Now", compute="_compute_displays")
    incoming_display = fields.Char(string="Incoming", compute="_compute_displays")
    custom_text = fields.Char(
        string="Other Value",
        help="The value to use instead, as one would type it into an import file.",
    )
    owner_system_id = fields.Many2one(
        "sync.system", string="Owner", ondelete="set null"
    )
    explanation = fields.Char(string="Policy Says")
    decision = fields.Selection(
        [("keep", "Keep Odoo's"), ("take", "Take incoming"), ("custom", "Other value")]
    )

    @api.depends("field_id", "field_name")
    @api.depends_context("lang")
    def _compute_field_label(self):
        for line in self:
            line.field_label = line._labels()

    @api.depends("base_value", "current_value", "incoming_value")
    @api.depends_context("lang", "uid")
    def _compute_displays(self):
        tool = self.env["sync.field.value"]
        for line in self:
            raw = line.sudo()  # shown as far as the reader may read the field itself
            for side in ("base", "current", "incoming"):
                line[f"{side}_display"] = tool._display(
                    line.conflict_id.res_model, line.field_name, raw[f"{side}_value"]
                )

    def write(self, vals):
        if (
            vals.keys() - {"decision", "custom_value", "custom_text"}
            and not self.env.su
        ):
            raise UserError(
                self.env._("Only the decision on a conflicting field can be changed.")
            )
        return super().write(vals)

    def _field(self):
        """The field in question, None when an uninstalled module took it along."""
        self.ensure_one()
        model = self.env.get(self.conflict_id.res_model)
        return None if model is None else model._fields.get(self.field_name)

    def _labels(self) -> str:
        """The fields' names as people know them."""
        return ", ".join(
            line.field_id.field_description or line.field_name for line in self
        )

    def _chosen(self):
        """The value that the decision stands for, in neutral form."""
        self.ensure_one()
        if self.decision == "custom":
            return self._custom_typed()
        raw = self.sudo()  # what is written is checked by the record's own rights
        return raw.incoming_value if self.decision == "take" else raw.current_value

    def _custom_typed(self):
        """The other value: as set by code, or read from what a steward typed."""
        if not self.custom_text:
            return self.custom_value
        model = self.env[self.conflict_id.res_model]
        return self.env["sync.field.value"]._parse(
            model, self.field_name, self.custom_text
        )
