# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models


class SyncDuplicateTrainingLine(models.Model):
    """One weight that a training would change."""

    _name = "sync.duplicate.training.line"
    _description = "Weight of a Training"
    _order = "kind, id"
    _rec_name = "comparison"

    training_id = fields.Many2one(
        "sync.duplicate.training", required=True, index=True, ondelete="cascade"
    )
    kind = fields.Char(required=True, readonly=True)
    level = fields.Char(required=True, readonly=True)
    comparison = fields.Char(compute="_compute_words")
    agreement = fields.Char(compute="_compute_words")
    before = fields.Float(
        string="Today",
        digits=(6, 2),
        readonly=True,
        help="Bits for (+) or against (−): +10 means a thousand times likelier among "
        "duplicates than among strangers.",
    )
    after = fields.Float(string="Proposed", digits=(6, 2), readonly=True)
    change = fields.Float(compute="_compute_change", digits=(6, 2))

    @api.depends("kind", "level")
    def _compute_words(self):
        workbench = self.env["sync.duplicate.workbench"]
        kinds = {
            value: {"string": label}
            for value, label in self.env["sync.duplicate.rule.field"]._selection_kind()
        }
        levels = workbench._levels()
        for line in self:
            line.comparison = workbench._evidence_label(line.kind, kinds)
            line.agreement = levels.get(line.level, line.level)

    @api.depends("before", "after")
    def _compute_change(self):
        for line in self:
            line.change = line.after - line.before
