# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class SyncMergeBandLine(models.TransientModel):
    _name = "sync.merge.band.line"
    _description = "Group of the Safe Band"

    wizard_id = fields.Many2one("sync.merge.band", required=True, ondelete="cascade")
    approved = fields.Boolean(default=True)
    group_id = fields.Many2one("sync.duplicate.group", required=True, readonly=True)
    score = fields.Float(related="group_id.score")
    survivor_name = fields.Char(string="Survives", readonly=True)
    retired_names = fields.Char(string="Merged Into It", readonly=True)
    taken_fields = fields.Char(string="Values Taken From Them", readonly=True)
