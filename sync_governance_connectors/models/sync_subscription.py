# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SyncSubscription(models.Model):
    _inherit = "sync.subscription"

    is_mapped = fields.Boolean(
        string="In the Partner's Words",
        tracking=True,
        help="Each event is sent as the system's active mapping to the system of that"
        " event makes it.",
    )

    @api.constrains("is_mapped", "system_id")
    def _check_mapped(self):
        for subscription in self:
            if subscription.is_mapped and not subscription.system_id:
                raise ValidationError(
                    self.env._("Whose words? Name the system that receives.")
                )
