from odoo import models


class SyncSystem(models.Model):
    _inherit = "sync.system"

    def write(self, vals):
        result = super().write(vals)
        if "company_id" in vals:
            # it says which events the system's subscriptions are sent
            self.env["sync.subscription"]._forget_routes()
        return result
