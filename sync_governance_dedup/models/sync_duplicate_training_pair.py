# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models


class SyncDuplicateTrainingPair(models.Model):
    """A pair that stewards decided on and that a training would move
    to the other side of the rule's threshold."""

    _name = "sync.duplicate.training.pair"
    _description = "Verdict That a Training Turns"
    _order = "is_right desc, id"

    training_id = fields.Many2one(
        "sync.duplicate.training", required=True, index=True, ondelete="cascade"
    )
    left_id = fields.Integer(required=True, readonly=True)
    right_id = fields.Integer(required=True, readonly=True)
    left_name = fields.Char(compute="_compute_names", compute_sudo=False)
    right_name = fields.Char(compute="_compute_names", compute_sudo=False)
    is_duplicate = fields.Boolean(string="Stewards: Duplicate", readonly=True)
    before = fields.Float(string="Today", digits=(6, 4), readonly=True)
    after = fields.Float(string="With It", digits=(6, 4), readonly=True)
    is_right = fields.Boolean(
        string="Gets Right",
        compute="_compute_is_right",
        store=True,
        help="The proposal agrees with the stewards where the rule today does not.",
    )

    @api.depends("before", "after", "is_duplicate")
    def _compute_is_right(self):
        for pair in self:
            pair.is_right = (pair.after > pair.before) == pair.is_duplicate

    @api.depends("left_id", "right_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_names(self):
        """Names of records that the user may read, numbers of others."""
        by_model = self.grouped(lambda pair: pair.training_id.rule_id.model_name)
        for model_name, pairs in by_model.items():
            ids = pairs.mapped("left_id") + pairs.mapped("right_id")
            readable = (
                self.env[model_name]
                .with_context(active_test=False)
                .search([("id", "in", ids)])
            )
            names = {record.id: record.display_name for record in readable}
            for pair in pairs:
                pair.left_name = names.get(pair.left_id, f"#{pair.left_id}")
                pair.right_name = names.get(pair.right_id, f"#{pair.right_id}")
