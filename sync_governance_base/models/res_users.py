from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.constrains("group_ids")
    def _check_disjoint_groups(self):
        result = super()._check_disjoint_groups()
        self.env["sync.sod.rule"]._enforce(self)
        return result
