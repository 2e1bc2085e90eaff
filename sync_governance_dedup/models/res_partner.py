# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    sync_duplicate_count = fields.Integer(
        compute="_compute_sync_duplicate_count",
        groups="sync_governance_base.group_sync_viewer",
    )

    def _compute_sync_duplicate_count(self):
        counts = dict(
            self.env["sync.duplicate.member"]._read_group(
                [
                    ("model_name", "=", self._name),
                    ("record_id", "in", self.ids),
                    ("is_open", "=", True),
                ],
                ["record_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.sync_duplicate_count = counts.get(partner.id, 0)

    def _ancestors(self):
        """:return: the parents up to the top; ends in a cycle too, never itself"""
        ancestors, parent = self.browse(), self.parent_id
        while parent and parent not in ancestors | self:
            ancestors |= parent
            parent = parent.parent_id
        return ancestors

    def action_sync_duplicates(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_dedup.sync_duplicate_group_action"
        )
        return dict(
            action,
            domain=[
                ("member_ids.record_id", "=", self.id),
                ("model_name", "=", self._name),
            ],
            context={},
        )
