# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class SyncMergeUndoChange(models.TransientModel):
    """A value that was changed after a merge, and whether the undo puts it back."""

    _name = "sync.merge.undo.change"
    _description = "Change Since a Merge"
    _order = "changed_at desc, id"

    wizard_id = fields.Many2one("sync.merge.undo", required=True, ondelete="cascade")
    table = fields.Char(required=True, groups="base.group_system")
    column = fields.Char(required=True, groups="base.group_system")
    row_ids = fields.Json(groups="base.group_system")
    now = fields.Json(string="Value Told", groups="base.group_system")
    record_names = fields.Char(string="Record", readonly=True)
    field_label = fields.Char(string="Field", readonly=True)
    before_text = fields.Char(string="Before the Merge", readonly=True)
    left_text = fields.Char(string="After the Merge", readonly=True)
    now_text = fields.Char(string="Now", readonly=True)
    changed_by = fields.Char(string="Last Changed By", readonly=True)
    changed_at = fields.Datetime(string="On", readonly=True)
    put_back = fields.Boolean(
        help="Give the field the value that it had before the merge, although it was"
        " changed since. Without it, it stays as it is now.",
    )
