# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class SyncControlTower(models.AbstractModel):
    _inherit = "sync.control.tower"

    @api.model
    def _tiles(self):
        return super()._tiles() + [self._duplicate_tile()]

    @api.model
    def _duplicate_tile(self):
        domain = [("state", "in", ("suggested", "in_review"))]
        [(count, value)] = self.env["sync.duplicate.group"]._read_group(
            domain, [], ["__count", "value_at_stake:sum"]
        )
        currency = self.env.company.currency_id
        return {
            "key": "duplicates",
            "title": self.env._("Likely duplicates"),
            "value": count,
            "subtitle": (
                self.env._("%(amount)s hang on them", amount=currency.format(value))
                if value
                else self.env._("wait for a steward")
                if count
                else self.env._("Every customer once")
            ),
            "level": "warning" if count else "ok",
            "icon": "clone",
            "action": self._action(
                "sync_governance_dedup.sync_duplicate_group_action", domain
            ),
        }
