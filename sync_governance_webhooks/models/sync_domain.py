from odoo import fields, models

from .sync_retention import DEFAULT_DAYS


class SyncDomain(models.Model):
    _inherit = "sync.domain"

    event_retention_days = fields.Integer(
        string="Events Kept (days)",
        default=DEFAULT_DAYS,
        required=True,
        tracking=True,
        help="Events of the domain's models are deleted after this time, once they are "
        "delivered or discarded. 0: never. An event type may have a time of its own.",
    )

    _event_retention_not_negative = models.Constraint(
        "CHECK (event_retention_days >= 0)", "Events cannot be kept for negative days."
    )
