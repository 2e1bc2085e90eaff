# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.fields import Command


class SyncMappingComparison(models.TransientModel):
    """What a draft makes of the last messages, beside what is made of them today."""

    _name = "sync.mapping.comparison"
    _description = "Mapping Compared"

    mapping_id = fields.Many2one("sync.mapping", readonly=True, ondelete="cascade")
    message_count = fields.Integer("Messages", compute="_compute_counts")
    changed_count = fields.Integer("Other Outcome", compute="_compute_counts")
    failing_count = fields.Integer("Newly Failing", compute="_compute_counts")
    line_ids = fields.One2many(
        "sync.mapping.comparison.line", "comparison_id", readonly=True
    )

    @api.depends("line_ids.outcome")
    def _compute_counts(self):
        for comparison in self:
            outcomes = comparison.line_ids.mapped("outcome")
            comparison.message_count = len(outcomes)
            comparison.changed_count = len(outcomes) - outcomes.count("same")
            comparison.failing_count = outcomes.count("fails")

    @api.model
    def _show(self, mapping, lines):
        """:param lines: values of the lines, in their order"""
        comparison = self.create(
            {
                "mapping_id": mapping.id,
                "line_ids": [Command.create(line) for line in lines],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Run and undone"),
            "res_model": self._name,
            "res_id": comparison.id,
            "views": [(False, "form")],
            "target": "new",
        }
