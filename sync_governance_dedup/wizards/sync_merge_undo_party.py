# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class SyncMergeUndoParty(models.TransientModel):
    """One of the records that come apart."""

    _name = "sync.merge.undo.party"
    _description = "Record of a Merge"
    _order = "id"

    wizard_id = fields.Many2one("sync.merge.undo", required=True, ondelete="cascade")
    record_id = fields.Integer(required=True)
    name = fields.Char()
