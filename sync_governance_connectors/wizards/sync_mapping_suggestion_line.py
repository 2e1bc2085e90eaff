# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models


class SyncMappingSuggestionLine(models.TransientModel):
    """One suggested rule, with its reasons."""

    _name = "sync.mapping.suggestion.line"
    _description = "Suggested Rule"
    _order = "id"
    _rec_name = "target"

    suggestion_id = fields.Many2one(
        "sync.mapping.suggestion", required=True, ondelete="cascade", index=True
    )
    target = fields.Char("Member", readonly=True)
    expression = fields.Char("Read From", readonly=True)
    transform = fields.Selection("_selection_transform", readonly=True)
    score = fields.Float("Likely", readonly=True)
    evidence = fields.Char("Because", readonly=True)
    accepted = fields.Boolean(readonly=True)

    @api.model
    def _selection_transform(self):
        return self.env["sync.mapping.line"]._selection_transform()

    def action_accept(self):
        """Make it a rule of the draft; a second click changes nothing."""
        for line in self.filtered(lambda one: not one.accepted):
            mapping = line.suggestion_id.mapping_id
            if line.target not in mapping.line_ids.mapped("target"):
                mapping.line_ids.create(
                    {
                        "mapping_id": mapping.id,
                        "target": line.target,
                        "expression": line.expression,
                        "transform": line.transform,
                    }
                )
            line.accepted = True
        return self.suggestion_id._open()
