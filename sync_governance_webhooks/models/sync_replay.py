from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..tools.matching import parse_patterns

# A step puts as many deliveries into the queue as may be sent until the next one.
STEP_S = 5


class SyncReplay(models.Model):
    """Sends past events again, throttled: planned first, then run, paused or cancelled.

    Deliveries keep their message id, so that a receiver knows what it has had
    already. A run is a position in the events and goes on where it stopped,
    whatever happens between.
    """

    _name = "sync.replay"
    _description = "Replay"
    _inherit = ["mail.thread"]
    _order = "id desc"

    name = fields.Char(required=True, default=lambda self: self._default_name())
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("planned", "Planned"),
            ("running", "Running"),
            ("paused", "Paused"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    subscription_id = fields.Many2one(
        "sync.subscription", required=True, ondelete="cascade", tracking=True
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True)
    scope = fields.Selection(
        [
            ("dead", "Dead letters"),
            ("selection", "Selected deliveries"),
            ("undelivered", "All that never arrived"),
            ("all", "All, delivered ones too"),
            ("backfill", "Events it never got, e.g. from before it existed"),
        ],
        default="dead",
        required=True,
        tracking=True,
    )
    delivery_ids = fields.Many2many(
        "sync.delivery", string="Deliveries", readonly=True, copy=False
    )
    since = fields.Datetime(help="Events from this moment on.")
    until = fields.Datetime(help="Events before this moment.")
    patterns = fields.Char(
        string="Event Types",
        help="As in subscriptions: order.*. Empty: those of the subscription.",
    )
    error_class = fields.Char(
        string="Error", help="Only those that last failed with this, e.g. http_503."
    )
    skip_superseded = fields.Boolean(
        default=True,
        help="Leave out events that carry the full state when a newer one of the same "
        "record and type exists.",
    )
    rate = fields.Float(string="Per Second", default=20.0, required=True)
    reason = fields.Char(required=True, tracking=True)
    total = fields.Integer(string="To Send", readonly=True, copy=False)
    oldest = fields.Datetime(string="Oldest Event", readonly=True, copy=False)
    superseded = fields.Integer(readonly=True, copy=False)
    delivered_before = fields.Integer(readonly=True, copy=False)
    processed = fields.Integer(string="Sent", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    last_event_id = fields.Integer(readonly=True, default=0, copy=False)
    final_event_id = fields.Integer(readonly=True, default=0, copy=False)

    _rate_positive = models.Constraint(
        "CHECK (rate >= 0.2 AND rate <= 1000)", "A rate is 0.2 to 1000 per second."
    )

    @api.model
    def _default_name(self):
        return self.env._(
            "Replay of %(day)s", day=fields.Date.context_today(self).isoformat()
        )

    @api.depends("processed", "total", "state")
    def _compute_progress(self):
        for replay in self:
            if replay.state == "done":
                replay.progress = 100
            else:
                replay.progress = 100 * replay.processed / (replay.total or 1)

    @api.constrains("patterns")
    def _check_patterns(self):
        for replay in self:
            try:
                parse_patterns(replay.patterns)
            except ValueError as error:
                raise ValidationError(
                    self.env._("%(pattern)s can match no event.", pattern=error)
                ) from error

    # -- what is to be sent ----------------------------------------------------------

    def _matching(self, superseded):
        """``FROM … WHERE …`` of the events in scope.

        :param superseded: SQL condition on the newer event's existence
        """
        return SQL(
            """
              FROM sync_event event
              JOIN sync_event_type type ON type.id = event.event_type_id
              LEFT JOIN sync_delivery delivery
                ON delivery.event_id = event.id
               AND delivery.subscription_id = %s
             WHERE event.id > %s AND event.id <= %s AND %s AND %s AND %s
            """,
            self.subscription_id.id,
            self.last_event_id,
            self.final_event_id,
            self._scope_condition(),
            self._filter_condition(),
            superseded,
        )

    def _scope_condition(self):
        if self.scope == "backfill":
            subscription = self.subscription_id
            company = subscription._company()
            return SQL(
                "delivery.id IS NULL AND (%s OR event.company_id IS NULL"
                " OR event.company_id = %s)"
                " AND event.source_system_id IS DISTINCT FROM %s",
                not company,
                company.id or None,
                subscription.system_id.id or 0,
            )
        if self.scope == "selection":
            return SQL(
                "delivery.state <> 'delivering' AND delivery.id IN ("
                "SELECT sync_delivery_id FROM sync_delivery_sync_replay_rel"
                " WHERE sync_replay_id = %s)",
                self.id,
            )
        states = {
            "dead": ("dead",),
            "undelivered": ("dead", "discarded"),
            "all": ("dead", "discarded", "delivered"),
        }[self.scope]
        return SQL("delivery.state IN %s", states)

    def _filter_condition(self):
        conditions = [SQL("TRUE")]
        if self.since:
            conditions.append(SQL("event.occurred_at >= %s", self.since))
        if self.until:
            conditions.append(SQL("event.occurred_at < %s", self.until))
        if self.error_class:
            conditions.append(SQL("delivery.last_error = %s", self.error_class))
        if self.patterns or self.scope == "backfill":
            patterns = parse_patterns(self.patterns or self.subscription_id.patterns)
            # Event names hold letters, digits, dots and underscores only.
            expressions = [
                "^" + pattern.replace(".", r"\.").replace("*", ".+") + "$"
                for pattern in patterns
            ]
            conditions.append(SQL("event.name ~ ANY(%s)", expressions))
        return SQL(" AND ").join(conditions)

    @property
    def _newer_exists(self):
        return SQL(
            """(type.is_state_type AND EXISTS (
                SELECT 1 FROM sync_event newer
                 WHERE newer.res_model = event.res_model AND newer.res_id = event.res_id
                   AND newer.event_type_id = event.event_type_id AND newer.id > event.id
            ))"""
        )

    def _wanted(self):
        if self.skip_superseded:
            return SQL("NOT %s", self._newer_exists)
        return SQL("TRUE")

    # -- actions -----------------------------------------------------------------------

    def _check_operator(self):
        self.env["sync.delivery"]._check_operator()

    def action_plan(self):
        """Count what would be sent; nothing is."""
        self._check_operator()
        for replay in self:
            if replay.state not in ("draft", "planned"):
                raise UserError(self.env._("This replay has started already."))
            [(last_id,)] = self.env.execute_query(
                SQL("SELECT COALESCE(max(id), 0) FROM sync_event")
            )
            replay.final_event_id, replay.last_event_id = last_id, 0
            [(total, oldest, delivered)] = self.env.execute_query(
                SQL(
                    "SELECT count(*), min(event.occurred_at),"
                    " count(*) FILTER (WHERE delivery.state = 'delivered') %s",
                    replay._matching(replay._wanted()),
                )
            )
            [(superseded,)] = self.env.execute_query(
                SQL("SELECT count(*) %s", replay._matching(self._newer_exists))
            )
            replay.write(
                {
                    "state": "planned",
                    "total": total,
                    "oldest": oldest,
                    "superseded": superseded,
                    "delivered_before": delivered,
                    "processed": 0,
                }
            )

    def action_start(self):
        """Start a planned replay, or go on with a paused one."""
        self._check_operator()
        for replay in self:
            if replay.state not in ("planned", "paused"):
                raise UserError(self.env._("Plan the replay first."))
            if replay.subscription_id.state != "active":
                raise UserError(
                    self.env._(
                        "%(name)s is not active.", name=replay.subscription_id.name
                    )
                )
            replay.state = "running"
            replay._enqueue_step()

    def action_pause(self):
        """Send nothing more for now; what is in the queue already goes on."""
        self._check_operator()
        self.filtered(lambda replay: replay.state == "running").state = "paused"

    def action_cancel(self):
        """Send nothing more."""
        self._check_operator()
        self.filtered(lambda replay: replay.state != "done").state = "cancelled"

    # -- the run -----------------------------------------------------------------------

    def _enqueue_step(self, seconds=0):
        eta = fields.Datetime.now() + timedelta(seconds=seconds) if seconds else None
        # sudo: operators start replays, queue_job's rows are not theirs to write
        self.sudo().with_delay(
            eta=eta, identity_key=f"sync_replay_{self.id}", channel="root.sync_dispatch"
        )._step()

    def _step(self):
        """Job: put the next few events into the queue, and come back for more."""
        self.ensure_one()
        # A pause or a twin of this job must not run into the same events.
        self.lock_for_update()
        if self.state != "running":
            return
        limit = max(1, round(self.rate * STEP_S))
        rows = self.env.execute_query(
            SQL(
                "SELECT event.id, delivery.id %s ORDER BY event.id LIMIT %s",
                self._matching(self._wanted()),
                limit,
            )
        )
        self._send(rows)
        self.processed += len(rows)
        if rows:
            self.last_event_id = rows[-1][0]
        if len(rows) == limit:
            self._enqueue_step(STEP_S)
        else:
            self._finish()

    def _send(self, rows):
        delivery_ids = [delivery_id for _event_id, delivery_id in rows if delivery_id]
        event_ids = [event_id for event_id, delivery_id in rows if not delivery_id]
        # sudo: the ledger is nobody's to write; the caller's right was checked at start
        deliveries = self.env["sync.delivery"].sudo()
        deliveries.browse(delivery_ids)._resend(manual=False)
        deliveries._backfill(event_ids, self.subscription_id)

    def _open(self):
        """Open these replays, e.g. just planned ones."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sync_governance_webhooks.sync_replay_action"
        )
        if len(self) == 1:
            return action | {"res_id": self.id, "views": [[False, "form"]]}
        return action | {"domain": [("id", "in", self.ids)]}

    def _tell_progress(self):
        """Have the screens that show these replays read them again.

        Whoever may see replays hears of it by the group's own channel.
        """
        group = self.env.ref("sync_governance_base.group_sync_viewer")
        group._bus_send("sync.replay/progress", {"ids": self.ids})

    def _finish(self):
        self.state = "done"
        self.create_uid._bus_send(
            "simple_notification",
            {
                "type": "success",
                "title": self.name,
                "message": self.env._(
                    "%(count)s messages are on their way again.", count=self.processed
                ),
            },
        )

    def write(self, vals):
        frozen = {
            "subscription_id",
            "scope",
            "since",
            "until",
            "patterns",
            "error_class",
            "delivery_ids",
            "skip_superseded",
        }
        if frozen & set(vals) and any(
            replay.state not in ("draft", "planned") for replay in self
        ):
            raise UserError(self.env._("A replay that has started cannot be changed."))
        if frozen & set(vals):
            # What was planned is no longer what would be sent.
            vals = {"state": "draft", **vals}
        result = super().write(vals)
        if {"state", "processed"} & set(vals):
            self._tell_progress()
        return result
