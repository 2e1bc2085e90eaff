from odoo import api, models


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.constrains("user_ids")
    def _check_user_disjoint_groups(self):
        # The core method looks only for users of two *types*, so a pair of duties that
        # comes together through an implied group passes it. ``self`` holds every group
        # that implies a changed one, hence all users concerned.
        result = super()._check_user_disjoint_groups()
        self.env["sync.sod.rule"]._enforce(self.all_user_ids)
        return result
