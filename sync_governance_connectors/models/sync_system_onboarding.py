# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models


class SyncSystem(models.Model):
    """A system that is being onboarded goes live by its checklist alone."""

    _inherit = "sync.system"  # pylint: disable=consider-merging-classes-inherited; by topic

    credential_ids = fields.One2many("sync.credential", "system_id", "Credentials")

    def write(self, vals):
        onboardings = self.env["sync.onboarding"]
        if vals.get("state") == "live" or vals.get("environment") == "live":
            onboardings = self._onboardings_under_way()
            onboardings._check_may_go_live()
        result = super().write(vals)
        if vals.get("state") == "live":
            onboardings._arrive()
        return result

    def _onboardings_under_way(self):
        # sudo: the lock holds for whoever tries, archived or not
        found = (
            self.env["sync.onboarding"]
            .sudo()
            .with_context(active_test=False)
            .search([("system_id", "in", self.ids), ("live_at", "=", False)])
        )
        return found.with_env(self.env)
