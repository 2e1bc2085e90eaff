from odoo import fields, models


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
