from odoo import fields, models


class SyncDomainAdoptLine(models.TransientModel):
    """A usual domain to adopt or not."""

    _name = "sync.domain.adopt.line"
    _description = "Usual Domain to Adopt"

    wizard_id = fields.Many2one("sync.domain.adopt", required=True, ondelete="cascade")
    template_id = fields.Many2one(
        "sync.domain.template", string="Domain", required=True, ondelete="cascade"
    )
    owner_kind = fields.Selection(
        related="template_id.owner_kind", string="Usual Owner"
    )
    direction = fields.Selection(related="template_id.direction")
    timing = fields.Selection(related="template_id.timing")
    criticality = fields.Selection(related="template_id.criticality")
    owner_system_id = fields.Many2one("sync.system", string="Owner Here")
    creates = fields.Char()
    adopt = fields.Boolean()
