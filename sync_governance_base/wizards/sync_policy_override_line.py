from odoo import fields, models
from odoo.exceptions import UserError


class SyncPolicyOverrideLine(models.TransientModel):
    """A field that a policy keeps back, and the value that a steward gives it."""

    _name = "sync.policy.override.line"
    _description = "Field to Override"

    wizard_id = fields.Many2one(
        "sync.policy.override", required=True, ondelete="cascade"
    )
    field_name = fields.Char(required=True)
    field_label = fields.Char(string="Field")
    owner_name = fields.Char(string="Owner")
    seen = fields.Char(string="Odoo Now")
    new_text = fields.Char(
        string="New Value", help="As one would type it into an import file."
    )
    empties = fields.Boolean(string="Empty It")

    def _chosen(self, record):
        """The new value in neutral form."""
        self.ensure_one()
        if self.empties:
            return False
        return self.env["sync.field.value"]._parse(
            record, self.field_name, self.new_text
        )

    def _check_still_right(self, record, kept_back):
        """Refuse fields that no policy keeps back, and values that changed meanwhile.

        :param kept_back: names of the fields that the policy keeps back now
        """
        tool = self.env["sync.field.value"]
        for line in self:
            if line.field_name not in kept_back:
                raise UserError(
                    self.env._(
                        "“%(field)s” needs no override: change it in the form.",
                        field=line.field_label or line.field_name,
                    )
                )
            value = tool._read(record, line.field_name)
            now = tool._display(record._name, line.field_name, value)
            if now != (line.seen or ""):
                raise UserError(
                    self.env._(
                        "“%(field)s” has changed in Odoo since: it is now “%(value)s”."
                        " Start again.",
                        field=line.field_label or line.field_name,
                        value=now,
                    )
                )
