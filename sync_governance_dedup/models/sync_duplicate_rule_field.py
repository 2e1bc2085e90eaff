# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.types import Role


class SyncDuplicateRuleField(models.Model):
    """A compared field and what it means to the matching engine."""

    _name = "sync.duplicate.rule.field"
    _description = "Compared Field"
    _order = "sequence, id"

    rule_id = fields.Many2one(
        "sync.duplicate.rule", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    model_id = fields.Many2one(related="rule_id.model_id")
    field_id = fields.Many2one(
        "ir.model.fields",
        required=True,
        ondelete="cascade",
        domain="[('model_id', '=', model_id), ('store', '=', True),"
        " ('ttype', 'not in', ('one2many', 'many2many', 'binary'))]",
    )
    name = fields.Char(related="field_id.name", store=True)
    kind = fields.Selection(selection="_selection_kind", required=True)

    _field_uniq = models.Constraint(
        "UNIQUE (rule_id, field_id)", "A field is compared once in a rule."
    )

    @api.model
    def _selection_kind(self):
        labels = {
            Role.NAME: self.env._("Name"),
            Role.IS_COMPANY: self.env._("Company or person"),
            Role.PARENT: self.env._("Parent"),
            Role.EMAIL: self.env._("E-mail"),
            Role.PHONE: self.env._("Phone"),
            Role.VAT: self.env._("Tax number"),
            Role.STREET: self.env._("Street"),
            Role.STREET2: self.env._("Street 2"),
            Role.ZIP: self.env._("Postcode"),
            Role.CITY: self.env._("City"),
            Role.STATE: self.env._("State"),
            Role.COUNTRY: self.env._("Country"),
            Role.CODE: self.env._("Code (equal or not)"),
            Role.TEXT: self.env._("Other text"),
            Role.DATE: self.env._("Date"),
        }
        return [(role.value, label) for role, label in labels.items()]

    @api.constrains("field_id", "rule_id")
    def _check_field(self):
        for line in self:
            field = self.env[line.rule_id.model_name]._fields.get(line.name)
            if not field or not self._is_comparable(field):
                raise ValidationError(
                    self.env._(
                        "“%s” cannot be compared: it is not a column of its own.",
                        line.field_id.field_description,
                    )
                )

    @api.model
    def _is_comparable(self, field):
        """Whether the engine can read a field. Hook, see the keys' ``_column``."""
        return field.store and field.column_type and not field.company_dependent

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.rule_id._refresh_watch()
        return lines

    def write(self, vals):
        result = super().write(vals)
        self.rule_id._refresh_watch()
        return result

    def unlink(self):
        rules = self.rule_id
        result = super().unlink()
        rules._refresh_watch()
        return result
