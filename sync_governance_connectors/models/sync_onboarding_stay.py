# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from datetime import timedelta

from odoo import fields, models

DAY = timedelta(days=1)


class SyncOnboardingStay(models.Model):
    """How long a partner was in a stage; a row for each time it was there."""

    _name = "sync.onboarding.stay"
    _description = "Time in Stage"
    _order = "id"

    onboarding_id = fields.Many2one(
        "sync.onboarding", string="Partner", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="onboarding_id.company_id", store=True)
    template_id = fields.Many2one(related="onboarding_id.template_id", store=True)
    kind = fields.Selection(related="onboarding_id.kind", store=True)
    stage_id = fields.Many2one("sync.onboarding.stage", required=True)
    entered_at = fields.Datetime(string="Entered", required=True)
    left_at = fields.Datetime(string="Left")
    days = fields.Float(
        aggregator="avg", digits=(16, 1), help="Until it left, or was last looked at."
    )

    _open_unique = models.UniqueIndex(
        "(onboarding_id) WHERE left_at IS NULL", "A partner is in one stage."
    )

    def _measure(self, now):
        """Bring the days of stays that go on up to date."""
        for stay in self.filtered(lambda one: not one.left_at):
            stay.days = (now - stay.entered_at) / DAY

    def _leave(self, now):
        self._measure(now)
        self.write({"left_at": now})
        self.flush_recordset(["left_at"])  # before another one begins
