# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class SyncMergeUndoAddition(models.TransientModel):
    """A document that came to the survivor after a merge, and whose it is."""

    _name = "sync.merge.undo.addition"
    _description = "Document Since a Merge"

    wizard_id = fields.Many2one("sync.merge.undo", required=True, ondelete="cascade")
    key = fields.Char(required=True, groups="base.group_system")
    kind = fields.Char(readonly=True)
    record_name = fields.Char(string="Document", readonly=True)
    with_text = fields.Char(string="With", readonly=True)
    created_by = fields.Char(readonly=True)
    created_at = fields.Datetime(string="Created On", readonly=True)
    is_sealed = fields.Boolean(
        string="Sealed",
        readonly=True,
        help="A hash covers the customer: it stays with the survivor.",
    )
    destination_id = fields.Many2one(
        "sync.merge.undo.party",
        string="Belongs To",
        required=True,
        domain="[('wizard_id', '=', wizard_id)]",
    )
