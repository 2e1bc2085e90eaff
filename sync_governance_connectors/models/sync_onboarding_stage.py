# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import fields, models
from odoo.exceptions import UserError


class SyncOnboardingStage(models.Model):
    """A step of every partner's way into the exchange.

    Nobody moves a partner by hand: it stands in the first stage that still has a
    required item open.
    """

    _name = "sync.onboarding.stage"
    _description = "Onboarding Stage"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    fold = fields.Boolean(help="Shown folded on the board.")
    before_live = fields.Boolean(
        default=True,
        help="Its required items have to be done before the partner goes live.",
    )
    max_days = fields.Integer(
        help="After that many days in the stage the partner is shown as stuck."
        " 0: never."
    )
    purpose = fields.Char(translate=True, help="What is done in this stage.")

    _max_days_positive = models.Constraint(
        "CHECK(max_days >= 0)", "A number of days is not negative."
    )

    def write(self, vals):
        if "before_live" in vals:
            self._check_nobody_waits(vals["before_live"])
        return super().write(vals)

    def _check_nobody_waits(self, before_live):
        """What holds partners back is not taken out of their way by hand."""
        holding = self.filtered("before_live")
        if before_live or not holding:
            return
        # sudo: partners of all companies, archived or not
        item = (
            self.env["sync.onboarding.item"]
            .sudo()
            .search(
                [("stage_id", "in", holding.ids), ("is_blocking", "=", True)], limit=1
            )
        )
        if item:
            raise UserError(
                self.env._(
                    "“%(stage)s” holds partners back, such as %(partner)s. They have to"
                    " pass it first.",
                    stage=item.stage_id.name,
                    partner=item.onboarding_id.name,
                )
            )
