from odoo import api, fields, models
from odoo.exceptions import UserError


class SyncPolicy(models.Model):
    """How soon a change has to be where it belongs, and how soon it is."""

    _inherit = "sync.policy"

    timing = fields.Selection(
        [
            ("realtime", "Real time"),
            ("micro_batch", "Small batches"),
            ("scheduled", "On schedule"),
            ("on_demand", "On demand"),
        ],
        required=True,
        default="realtime",
    )
    max_latency_s = fields.Integer(string="Promised Latency (s)", default=60)
    calendar_id = fields.Many2one(
        "resource.calendar",
        string="Schedule",
        ondelete="restrict",
        help="Scheduled exchanges run in its hours.",
    )
    measured_latency_s = fields.Float(
        string="Measured Latency (s)",
        compute="_compute_measured_latency_s",
        help="What 95 of 100 changes took at most in the last seven days.",
    )
    latency_verdict = fields.Selection(
        [
            ("unknown", "Not measured yet"),
            ("kept", "Kept"),
            ("ample", "Kept by far: could be batched"),
            ("broken", "Not kept"),
        ],
        string="Promise",
        compute="_compute_measured_latency_s",
    )

    @api.depends("timing", "max_latency_s", "model_name")
    def _compute_measured_latency_s(self):
        measured = self._measured_latency()
        for policy in self:
            seconds = measured.get(policy.id)
            policy.measured_latency_s = seconds or 0.0
            policy.latency_verdict = policy._verdict(seconds)

    def _verdict(self, seconds: float | None) -> str:
        if seconds is None:
            return "unknown"
        if seconds > self.max_latency_s:
            return "broken"
        ample = self.timing == "realtime" and seconds * 10 < self.max_latency_s
        return "ample" if ample and self.max_latency_s > 60 else "kept"

    def _measured_latency(self) -> dict[int, float]:
        """Seconds that 95 of 100 changes took at most in seven days, by policy.

        A policy is left out where nothing was exchanged. Modules that exchange override
        this and measure.
        """
        return {}

    def _check_ready(self):
        super()._check_ready()
        if self.timing == "scheduled" and not self.calendar_id:
            raise UserError(
                self.env._(
                    "%(policy)s runs on schedule: say on which.",
                    policy=self.display_name,
                )
            )
