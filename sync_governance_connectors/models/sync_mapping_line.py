# Part of Sync governance. See LICENSE file for full copyright and licensing details.
import json

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools import money, transform


class SyncMappingLine(models.Model):
    """One rule of a mapping: how one member of the canonical body is read."""

    _name = "sync.mapping.line"
    _description = "Mapping Rule"
    _order = "mapping_id, sequence, id"
    _rec_name = "target"

    mapping_id = fields.Many2one(
        "sync.mapping", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="mapping_id.company_id", store=True)
    sequence = fields.Integer(default=10)
    target = fields.Char(
        string="Member",
        required=True,
        help="Dotted member of the body that is made. lines[] reads a list;"
        " lines[].quantity"
        " is read within each item.",
    )
    expression = fields.Char(
        string="Read From", required=True, help="JMESPath. A constant is a 'literal'."
    )
    transform = fields.Selection("_selection_transform")
    argument = fields.Char(
        help="Separator|place of split, separator of join, decimal separator,"
        " format of a"
        " date, words for yes, the kind of the value map, a lookup such as"
        " product:barcode or product@pim, cases such as paid=confirm;*=draft, or a"
        " factor."
    )
    required = fields.Boolean()
    default = fields.Char(help="JSON, used where nothing was found.")

    @api.model
    def _selection_transform(self):
        return [(name, name.replace("_", " ")) for name in transform.TRANSFORMS]

    @api.constrains("expression", "default", "transform", "argument")
    def _check_rule(self):
        for line in self:
            line._check_jmespath(line.expression)
            if line.transform == "split" and not (
                "|" in (line.argument or "")
                and line.argument.rpartition("|")[2].lstrip("-").isdigit()
                and line.argument.rpartition("|")[0]
            ):
                raise ValidationError(
                    self.env._("Split needs a separator and a place, such as ,|0.")
                )
            if line.transform == "value_map" and not line.argument:
                raise ValidationError(self.env._("Which value map? Name its kind."))
            if line.transform == "lookup" and line.mapping_id.direction == "out":
                raise ValidationError(
                    self.env._("The body that is sent has the partner's ids already.")
                )
            if line.transform == "lookup":
                self.env["sync.mapping.lookup"]._check(line.argument)
            if line.transform in ("when", "factor"):
                line._check_cases_or_factor()
            try:
                json.loads(line.default or "null")
            except ValueError as error:
                raise ValidationError(
                    self.env._("The default of %s is not JSON.", line.target)
                ) from error

    def _check_cases_or_factor(self):
        try:
            if self.transform == "when":
                transform.conditions(self.argument or "")
            else:
                money.from_text(self.argument or "")
        except ValueError as error:
            raise ValidationError(
                self.env._(
                    "%(target)s: %(error)s. When needs cases such as"
                    " paid=confirm;*=draft, factor a number such as 0.001.",
                    target=self.target,
                    error=error,
                )
            ) from error

    @api.constrains(
        "mapping_id",
        "sequence",
        "target",
        "expression",
        "transform",
        "argument",
        "required",
        "default",
    )
    def _check_draft(self):
        self.mapping_id._check_editable()

    @api.ondelete(at_uninstall=False)
    def _unlink_only_of_drafts(self):
        self.mapping_id._check_editable()

    def _check_jmespath(self, expression):
        try:
            transform.compiled(expression)
        except ValueError as error:
            raise ValidationError(
                self.env._(
                    "“%(expression)s” is not a usable expression: %(error)s",
                    expression=expression,
                    error=error,
                )
            ) from error

    def _rule(self):
        """The rule as the engine takes it."""
        return transform.Rule(
            target=self.target,
            expression=self.expression,
            transform=self.transform or "",
            argument=self.argument or "",
            required=self.required,
            default=self.default or "",
        )
