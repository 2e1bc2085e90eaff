from odoo import api, fields, models


class SyncPolicyOwner(models.Model):
    """A further rank among a field's owners."""

    _name = "sync.policy.owner"
    _description = "Ranked Owner"
    _order = "sequence, id"
    _rec_name = "system_id"

    line_id = fields.Many2one(
        "sync.policy.field", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer(default=10)
    system_id = fields.Many2one("sync.system", required=True, ondelete="restrict")
    freshness_hours = fields.Float(
        help="When its last value is older than this, the next owner may write."
        " 0: never."
    )

    _system_unique = models.Constraint(
        "UNIQUE(line_id, system_id)", "A system has one rank among a field's owners."
    )

    @api.model_create_multi
    def create(self, vals_list):
        owners = super().create(vals_list)
        owners.line_id.policy_id._note_edit()
        return owners

    def write(self, vals):
        policies = self.line_id.policy_id
        result = super().write(vals)
        # a rank may have been moved to another policy
        (policies | self.line_id.policy_id)._note_edit()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_only_in_draft(self):
        self.line_id.policy_id._note_edit()
