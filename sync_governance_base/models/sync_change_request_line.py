from odoo import api, fields, models

from ..fields import JsonValue


class SyncChangeRequestLine(models.Model):
    """One proposed value."""

    _name = "sync.change.request.line"
    _description = "Proposed Change"
    _order = "request_id, field_name"
    _rec_name = "field_name"

    request_id = fields.Many2one(
        "sync.change.request", required=True, ondelete="cascade", index=True
    )
    field_id = fields.Many2one("ir.model.fields", ondelete="set null")
    field_name = fields.Char(required=True, readonly=True, string="Technical Name")
    field_label = fields.Char(string="Label", compute="_compute_field_label")
    owner_system_id = fields.Many2one(
        "sync.system", string="Owner", ondelete="set null", readonly=True
    )
    # Raw values are read by code alone; people see the displays, field by field.
    old_value = JsonValue(readonly=True, groups=fields.NO_ACCESS)
    proposed_value = JsonValue(readonly=True, groups=fields.NO_ACCESS)
    old_display = fields.Char(string="When Proposed", compute="_compute_displays")
    proposed_display = fields.Char(string="Proposed", compute="_compute_displays")
    current_display = fields.Char(string="Odoo Now", compute="_compute_displays")

    @api.depends("field_id", "field_name")
    @api.depends_context("lang")
    def _compute_field_label(self):
        for line in self:
            line.field_label = line._labels()

    @api.depends("old_value", "proposed_value")
    @api.depends_context("lang", "uid")
    def _compute_displays(self):
        tool = self.env["sync.field.value"]
        for line in self:
            request, name = line.request_id, line.field_name
            record = request._record()
            raw = line.sudo()  # shown as far as the reader may read the field itself
            for side, value in (
                ("old", raw.old_value),
                ("proposed", raw.proposed_value),
                ("current", tool._read(record, name) if record else False),
            ):
                line[f"{side}_display"] = tool._display(request.res_model, name, value)

    def _labels(self) -> str:
        """The fields' names as people know them."""
        return ", ".join(
            line.field_id.field_description or line.field_name for line in self
        )
