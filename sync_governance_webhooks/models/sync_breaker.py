from odoo import fields, models


class SyncBreaker(models.Model):
    """The health of a subscription's endpoint, kept by the dispatcher.

    Apart from the subscription itself, so that the dispatcher never collides with
    people who edit the subscription. Times are unix seconds of the database's clock.
    """

    _name = "sync.breaker"
    _inherit = ["sync.breaker.state"]
    _description = "Circuit Breaker"
    _rec_name = "subscription_id"

    subscription_id = fields.Many2one(
        "sync.subscription", required=True, readonly=True, ondelete="cascade"
    )

    _subscription_uniq = models.UniqueIndex("(subscription_id)")
