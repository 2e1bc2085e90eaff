from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.timing import Timing, batch_end, opening

# A calendar's next hours are within a week, or after long holidays within a year.
HORIZONS = (timedelta(days=8), timedelta(days=366))


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
    batch_interval_s = fields.Integer(
        string="Batch Every (s)",
        compute="_compute_batch_interval_s",
        store=True,
        readonly=False,
        help="A batch holds what happened in so many seconds, and leaves at their end."
        " Half the promise, unless you say otherwise.",
    )
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

    _batch_interval_positive = models.Constraint(
        "CHECK (timing <> 'micro_batch' OR batch_interval_s > 0)",
        "A batch takes at least a second.",
    )

    @api.depends("max_latency_s")
    def _compute_batch_interval_s(self):
        for policy in self:
            policy.batch_interval_s = max(1, policy.max_latency_s // 2)

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

    # ------------------------------------------------------------------
    # When something is due
    # ------------------------------------------------------------------

    def _to_timing(self) -> Timing:
        """The timing as it is cached with the policy's rules."""
        return Timing(
            self.timing,
            self.direction,
            self.batch_interval_s,
            self.calendar_id.id or None,
        )

    @api.model
    def _timing(self, model_name, company, direction) -> Timing | None:
        """The timing in force for a model's exchanges; None where nothing waits.

        :param company: of the records; empty for records of no company
        :param direction: ``in`` or ``out``
        """
        rules = self._rules_in_force(model_name, company)
        if rules and rules.timing.binds(direction):
            return rules.timing
        return None

    @api.model
    def _due_at(self, timing: Timing, now):
        """When an exchange is due whose cause arises now.

        :param now: naive UTC
        :return: naive UTC; None if it waits until somebody asks for it
        """
        if timing.kind == "micro_batch":
            return batch_end(now, timing.interval_s)
        if timing.kind == "scheduled":
            return self._opening(timing.calendar_id, now)
        return None

    @api.model
    def _opening(self, calendar_id, now):
        """The first moment from now on within a calendar's hours, None if it has none.

        Read anew each time: calendars and their holidays change at any time.
        """
        # sudo: whoever changes a record may know nothing of the schedule
        calendar = self.env["resource.calendar"].sudo().browse(calendar_id)
        since = now.replace(tzinfo=timezone.utc)
        for horizon in HORIZONS:
            hours = calendar._work_intervals_batch(since, since + horizon)[False]
            if start := opening(
                since, ((begin, end) for begin, end, _records in hours)
            ):
                return start.astimezone(timezone.utc).replace(tzinfo=None)
        return None

    def _check_ready(self):
        super()._check_ready()
        if self.timing == "micro_batch" and self.batch_interval_s >= self.max_latency_s:
            raise UserError(
                self.env._(
                    "%(policy)s promises %(promise)s seconds, but a batch alone takes"
                    " %(interval)s.",
                    policy=self.display_name,
                    promise=self.max_latency_s,
                    interval=self.batch_interval_s,
                )
            )
        if self.timing == "scheduled" and not self.calendar_id:
            raise UserError(
                self.env._(
                    "%(policy)s runs on schedule: say on which.",
                    policy=self.display_name,
                )
            )
