from odoo import fields, models

from ..tools import breaker


class SyncBreaker(models.Model):
    """The health of a subscription's endpoint, kept by the dispatcher.

    Apart from the subscription itself, so that the dispatcher never collides with
    people who edit the subscription. Times are unix seconds of the database's clock.
    """

    _name = "sync.breaker"
    _description = "Circuit Breaker"
    _rec_name = "subscription_id"

    subscription_id = fields.Many2one(
        "sync.subscription", required=True, readonly=True, ondelete="cascade"
    )
    status = fields.Selection(
        [
            ("closed", "Closed"),
            ("open", "Open"),
            ("half_open", "Half-open"),
            ("isolated", "Isolated"),
        ],
        default="closed",
        required=True,
        readonly=True,
    )
    result_window = fields.Char(
        default="",
        readonly=True,
        help="Last results, oldest first: 1 success, 0 failure.",
    )
    trips = fields.Integer(readonly=True, default=0)
    open_until = fields.Float(readonly=True, default=0)
    hold_until = fields.Float(
        readonly=True,
        default=0,
        help="The receiver asked for a pause (Retry-After).",
    )
    first_failure = fields.Float(readonly=True, default=0)

    _subscription_uniq = models.UniqueIndex("(subscription_id)")

    def _store_state(self, state):
        """Write a ``tools.breaker.State``, by a person's decision."""
        self.write(
            {
                "status": state.status.value,
                "result_window": state.window,
                "trips": state.trips,
                "open_until": state.open_until,
                "first_failure": state.first_failure or 0,
                "hold_until": 0,
            }
        )

    def _state(self):
        """The ``tools.breaker.State`` of this row."""
        self.ensure_one()
        return breaker.State(
            status=breaker.Status(self.status),
            window=self.result_window or "",
            open_until=self.open_until,
            trips=self.trips,
            first_failure=self.first_failure or None,
        )
