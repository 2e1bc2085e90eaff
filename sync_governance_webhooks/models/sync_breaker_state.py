from odoo import fields, models

from ..tools import breaker


class SyncBreakerState(models.AbstractModel):
    """Role: keeps the state of a circuit breaker between two uses.

    The rules are ``tools.breaker``'s; times are unix seconds.
    """

    _name = "sync.breaker.state"
    _description = "Role: has a circuit breaker"

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
