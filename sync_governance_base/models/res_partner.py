from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    sync_conflict_count = fields.Integer(
        string="Open Conflicts", compute="_compute_sync_conflict_count"
    )

    def _compute_sync_conflict_count(self):
        groups = self.env["sync.conflict"]._read_group(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("state", "=", "open"),
            ],
            ["res_id"],
            ["__count"],
        )
        counts = dict(groups)
        for partner in self:
            partner.sync_conflict_count = counts.get(partner.id, 0)

    def action_sync_status(self):
        """Open what governance knows about this partner."""
        return self.env["sync.record.status"]._open(self)
