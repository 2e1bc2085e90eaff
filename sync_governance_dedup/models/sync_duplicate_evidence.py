# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class SyncDuplicateEvidence(models.Model):
    """Why two members are thought to be one: one row per compared pair and comparison.

    A ledger of the engine: written by batched SQL, never through RPC. The values of the
    two records are read through the workbench alone, which asks whether the user may
    read the records.
    """

    _name = "sync.duplicate.evidence"
    _description = "Evidence of a Duplicate"
    _order = "group_id, left_id, right_id, id"
    _rec_name = "field_name"

    group_id = fields.Many2one(
        "sync.duplicate.group",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    left_id = fields.Integer(required=True, readonly=True)
    right_id = fields.Integer(required=True, readonly=True)
    probability = fields.Float(digits=(6, 5), readonly=True)
    field_name = fields.Char(string="Comparison", required=True, readonly=True)
    level = fields.Char(readonly=True)
    weight = fields.Float(
        digits=(6, 2),
        readonly=True,
        help="Bits for (+) or against (−): +10 means a thousand times likelier among "
        "duplicates than among strangers.",
    )
    left_value = fields.Char(
        readonly=True, groups=fields.NO_ACCESS, help="As it was compared."
    )
    right_value = fields.Char(
        readonly=True, groups=fields.NO_ACCESS, help="As it was compared."
    )
    left_original = fields.Char(
        readonly=True, groups=fields.NO_ACCESS, help="As somebody typed it."
    )
    right_original = fields.Char(
        readonly=True, groups=fields.NO_ACCESS, help="As somebody typed it."
    )
    is_cut = fields.Boolean(
        readonly=True,
        help="The pair was not followed: the group as a whole contradicts it.",
    )
