from odoo import api, fields, models


class SyncDomainAdopt(models.TransientModel):
    """Lists the usual domains with what adopting them creates, and creates it."""

    _name = "sync.domain.adopt"
    _description = "Adopt Usual Domains"

    line_ids = fields.One2many(
        "sync.domain.adopt.line",
        "wizard_id",
        default=lambda self: self._default_line_ids(),
    )

    @api.model
    def _default_line_ids(self):
        return [
            fields.Command.create(self._line_values(template))
            for template in self.env["sync.domain.template"]._missing()
        ]

    @api.model
    def _line_values(self, template):
        present = template._fields_present()
        owner = template._owner()
        if present:
            creates = self.env._(
                "Domain, and a draft policy for %(fields)s",
                fields=", ".join(present.mapped("field_description")),
            )
            if unknown := template._fields_unknown():
                creates += " " + self.env._(
                    "(not for %(fields)s, which this database does not have)",
                    fields=", ".join(unknown),
                )
        else:
            creates = self.env._(
                "Domain only: the app for %s is not installed", template.model_name
            )
        return {
            "template_id": template.id,
            "adopt": bool(present),
            "owner_system_id": owner.id,
            "creates": creates,
        }

    def action_adopt(self):
        """Create what is ticked and show the domains."""
        domains = self.line_ids.filtered("adopt").template_id._adopt()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_base.sync_domain_action"
        )
        return {**action, "domain": [("id", "in", domains.ids)]}
