import json

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..tools import envelope
from ..tools.envelope import canonical_json
from ..tools.matching import passes
from ..tools.parcel import Parcel

PAGE_SIZE = 500

FAN_OUT = """
    INSERT INTO sync_delivery (
        event_id, subscription_id, key_id, event_type_id, company_id, occurred_at,
        state, attempt_count, schedule_start, next_at, manual
    )
    SELECT event.id, wanted.subscription_id, event.key_id, event.event_type_id,
           event.company_id, event.occurred_at,
           CASE WHEN wanted.held THEN 'held' ELSE 'pending' END, 0, 0,
           COALESCE(wanted.due_at::timestamp, clock_timestamp() AT TIME ZONE 'UTC'),
           FALSE
      FROM (VALUES %s) wanted (position, event_id, subscription_id, due_at, held)
      JOIN sync_event event ON event.id = wanted.event_id
        -- routes are cached: one may have been deleted a moment ago
      JOIN sync_subscription subscription ON subscription.id = wanted.subscription_id
     ORDER BY wanted.position
        ON CONFLICT (event_id, subscription_id) DO NOTHING
"""
# States of what has not arrived and is not given up.
OPEN = ("held", "pending", "retrying", "delivering")
# What waits for its time.
WAITING = SQL(
    """
    state IN ('held', 'pending')
    AND (state = 'held' OR next_at > statement_timestamp() AT TIME ZONE 'UTC')
    """
)


class SyncDelivery(models.Model):
    """One event on its way to one subscription.

    Rows are written by SQL alone: captured with the event, claimed and acknowledged by
    the dispatcher. People change them through the actions below.
    """

    _name = "sync.delivery"
    _description = "Delivery"
    _order = "id desc"
    _rec_name = "event_id"
    _log_access = False

    event_id = fields.Many2one(
        "sync.event", required=True, readonly=True, ondelete="cascade"
    )
    subscription_id = fields.Many2one(
        "sync.subscription", required=True, readonly=True, ondelete="cascade"
    )
    key_id = fields.Many2one("sync.event.key", readonly=True, ondelete="restrict")
    event_type_id = fields.Many2one(
        "sync.event.type", readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    occurred_at = fields.Datetime(string="Event Time", readonly=True)
    state = fields.Selection(
        [
            ("held", "Held"),
            ("pending", "Pending"),
            ("delivering", "Delivering"),
            ("retrying", "Retrying"),
            ("delivered", "Delivered"),
            ("dead", "Dead"),
            ("discarded", "Discarded"),
        ],
        required=True,
        readonly=True,
        default="pending",
    )
    attempt_count = fields.Integer(string="Attempts", readonly=True, default=0)
    schedule_start = fields.Integer(
        readonly=True,
        default=0,
        help="Attempts made before the present run of the retry schedule.",
    )
    next_at = fields.Datetime(string="Next Attempt", readonly=True)
    manual = fields.Boolean(
        readonly=True, help="A person asked for the next attempt; it is the last one."
    )
    claim_ref = fields.Char(string="Claimed by", readonly=True)
    first_attempt_at = fields.Datetime(readonly=True)
    delivered_at = fields.Datetime(readonly=True)
    last_status = fields.Integer(readonly=True, aggregator=None)
    last_error = fields.Char(readonly=True)
    body = fields.Text(
        readonly=True,
        prefetch=False,
        groups="sync_governance_base.group_sync_integration_manager",
        help="Exactly as sent: every further attempt sends these bytes again.",
    )
    curl_command = fields.Text(
        compute="_compute_curl_command",
        groups="sync_governance_base.group_sync_integration_manager",
        help="The request, to try a receiver by hand. Its signature is five minutes "
        "valid; passwords are yours to fill in.",
    )
    correction_ids = fields.One2many("sync.correction", "delivery_id", readonly=True)
    corrects_ref = fields.Char(related="event_id.corrects_ref")
    attempt_ids = fields.One2many("sync.delivery.attempt", "delivery_id", readonly=True)
    ref = fields.Char(related="event_id.ref")
    name = fields.Char(related="event_id.name", string="Event Name")
    res_model = fields.Char(related="event_id.res_model")
    res_id = fields.Many2oneReference(related="event_id.res_id")
    payload_shown = fields.Text(related="event_id.payload_shown")
    system_id = fields.Many2one(related="subscription_id.system_id")

    _event_uniq = models.UniqueIndex("(event_id, subscription_id)")
    _due_idx = models.Index(
        "(subscription_id, next_at, id) WHERE state IN ('pending', 'retrying')"
    )
    _chain_idx = models.Index(
        "(subscription_id, key_id, id) WHERE state IN ('held', 'pending', 'retrying')"
    )
    _held_idx = models.Index("(event_type_id) WHERE state = 'held'")
    _claimed_idx = models.Index("(subscription_id) WHERE state = 'delivering'")
    _dead_idx = models.Index("(subscription_id, last_error) WHERE state = 'dead'")
    _type_idx = models.Index("(event_type_id, occurred_at)")

    def init(self):
        """Have rows that changed state cleared away by their number: a share of the
        table, PostgreSQL's default, is millions of dead entries in the queue's indexes.
        """
        super().init()
        self.env.cr.execute(
            "ALTER TABLE sync_delivery SET (autovacuum_vacuum_scale_factor = 0,"
            " autovacuum_vacuum_threshold = 20000)"
        )

    # -- made with the event ---------------------------------------------------------

    @api.model
    def _fan_out(self, events, rewritten_ids=()):
        """Write a delivery for every subscription that wants one of the events.

        :param events: dictionaries as made by ``sync.event._values``
        :param rewritten_ids: events that had deliveries,
            some of which may be unwanted now
        """
        subscriptions = self.env["sync.subscription"]
        wanted = [
            (position, event, route.id)
            for position, event in enumerate(events)
            for route in subscriptions._routes(event["name"])
            if self._is_wanted(event, route)
        ]
        due = self._due_of(event for _position, event, _route_id in wanted)
        rows = [
            (position, event["id"], route_id, *due[event["id"]])
            for position, event, route_id in wanted
        ]
        rows += [
            (position, event["id"], event["only"], None, False)
            for position, event in enumerate(events)
            if event["only"]
        ]
        if rewritten_ids:
            self._retract(rewritten_ids, rows)
        if rows:
            self.env.cr.execute_values(FAN_OUT, rows, page_size=PAGE_SIZE)
            self._wake_for(due_at for *_ids, due_at, held in rows if not held)
        self._replace_waiting([id_ for id_, (at, held) in due.items() if at or held])

    @api.model
    def _due_of(self, events):
        """When the policies in force let events leave.

        :param events: dictionaries as made by ``sync.event._values``
        :return: ``{event id: (due_at, held)}``: naive UTC, None for at once; held until
            somebody asks for it
        """
        companies = self.env["res.company"]
        policies = self.env["sync.policy"]
        due, now = {}, None
        result = {}
        for event in events:
            key = event["res_model"], event["company_id"]
            if key not in due:
                timing = policies._timing(key[0], companies.browse(key[1]), "out")
                if timing and not now:
                    now = self._database_time()
                at = timing and policies._due_at(timing, now)
                due[key] = at, bool(timing and not at)
            result[event["id"]] = due[key]
        return result

    @api.model
    def _database_time(self):
        """Naive UTC by the database: nodes may disagree."""
        [(now,)] = self.env.execute_query(
            SQL("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
        )
        return now

    @api.model
    def _wake_for(self, times):
        """Have a dispatcher awake when the first of these deliveries is due.

        :param times: naive UTC, None for at once; none at all if all are held
        """
        times = set(times)
        if None in times:
            self.env["sync.dispatcher"]._wake_after_commit()
        elif times:
            wait = (min(times) - self._database_time()).total_seconds()
            self.env["sync.dispatcher"]._wake_after_commit(max(0.0, wait))

    @api.model
    def _replace_waiting(self, event_ids):
        """Let events that wait for their time take the place of older ones of the same
        record and type that do so, too, if they carry the full state.
        """
        if event_ids:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE sync_delivery SET state = 'discarded',
                                             last_error = 'superseded'
                      FROM (SELECT delivery.id, delivery.subscription_id,
                                   delivery.key_id, delivery.event_type_id
                              FROM sync_delivery delivery
                              JOIN sync_event_type type
                                ON type.id = delivery.event_type_id
                             WHERE delivery.event_id = ANY(%s) AND type.is_state_type
                           ) newer
                     WHERE sync_delivery.subscription_id = newer.subscription_id
                       AND sync_delivery.key_id = newer.key_id
                       AND sync_delivery.event_type_id = newer.event_type_id
                       AND sync_delivery.id < newer.id
                       AND sync_delivery.attempt_count = 0 AND %s
                    """,
                    event_ids,
                    WAITING,
                )
            )

    @api.model
    def _is_wanted(self, event, route):
        if event["only"]:
            return False
        if route.system_id and route.system_id == event["source_system_id"]:
            # Never echo a change to the system it came from.
            return False
        if route.company_id and event["company_id"] not in (None, route.company_id):
            return False
        return not route.conditions or passes(
            json.loads(event["payload"]), route.conditions
        )

    @api.model
    def _retract(self, event_ids, wanted):
        pairs = tuple(
            (event_id, route_id) for _position, event_id, route_id, *_due in wanted
        )
        self.env.cr.execute(
            SQL(
                "DELETE FROM sync_delivery WHERE event_id IN %s %s",
                tuple(event_ids),
                SQL("AND (event_id, subscription_id) NOT IN %s", pairs)
                if pairs
                else SQL(),
            )
        )

    # -- waiting for a policy's time -------------------------------------------------

    @api.model
    def _waiting_for(self, condition):
        """Of what models and companies something waits for its time.

        :param SQL condition: on ``sync_delivery`` and the ``type`` of its event
        :return: list of ``(model name, company id)``
        """
        return self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT type.model_name, company_id
                  FROM sync_delivery
                  JOIN sync_event_type type ON type.id = event_type_id
                 WHERE %s AND %s
                """,
                condition,
                WAITING,
            )
        )

    @api.model
    def _wait_until(self, model_name, company_id, due_at):
        """Let what waits of a model and company wait until then, naive UTC.

        :param due_at: None to hold it
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE sync_delivery SET state = %s, next_at = COALESCE(%s, next_at)
                  FROM sync_event_type type
                 WHERE type.id = event_type_id AND type.model_name = %s
                   AND company_id IS NOT DISTINCT FROM %s AND %s
                """,
                "pending" if due_at else "held",
                due_at,
                model_name,
                company_id,
                WAITING,
            )
        )
        self.invalidate_model(["state", "next_at"])
        if due_at:
            self._wake_for([due_at])

    # -- making a message ------------------------------------------------------------

    @api.model
    def _parcel(self, row, subscription, ordered):
        """The message of a claimed row, localised
        for the receiving system at first sight.
        """
        message = envelope.Message(
            id=row["ref"],
            type=row["name"],
            time=envelope.rfc3339(row["occurred_at"]),
            data=self._data(row, subscription),
            source=self._source_uri(),
            subject=row["ordering_key"],
            key=row["ordering_key"],
            sequence=row["sequence"],
            traceparent=row["traceparent"] or "",
            correlation=row["correlation_ref"] or "",
            corrects=row["corrects_ref"] or "",
        )
        body, headers = envelope.FORMATS[subscription.format](message)
        return Parcel(
            delivery_id=row["id"],
            subscription_id=row["subscription_id"],
            key=row["key_id"] if ordered else row["id"],
            number=row["attempt_count"] + 1,
            tries=row["attempt_count"] - row["schedule_start"] + 1,
            manual=row["manual"],
            message=message,
            body=row["body"] or body,
            headers=headers,
        )

    @api.model
    def _unmade_parcel(self, row):
        """Stands for a message that could not be made."""
        return Parcel(
            delivery_id=row["id"],
            subscription_id=row["subscription_id"],
            key=row["id"],
            number=row["attempt_count"] + 1,
            tries=row["attempt_count"] + 1,
            manual=True,
            message=None,
            body=None,
        )

    @api.model
    def _data(self, row, subscription):
        if row["body"] or not subscription.system_id:
            return row["payload"]
        event_type = self.env["sync.event.type"].browse(row["event_type_id"])
        payload = event_type._localise_payload(
            json.loads(row["payload"]), subscription.system_id
        )
        return canonical_json(payload)

    @api.model
    def _source_uri(self):
        uuid = self.env["ir.config_parameter"].get_param("database.uuid")
        return f"urn:uuid:{uuid}"

    # -- people ----------------------------------------------------------------------

    def _check_operator(self):
        groups = ("group_sync_operator", "group_sync_integration_manager")
        if not self.env.su and not any(
            self.env.user.has_group(f"sync_governance_base.{group}") for group in groups
        ):
            raise AccessError(
                self.env._("Only operators and integration managers may do this.")
            )
        self.check_access("read")

    def action_retry(self):
        """Send again now, under the same message id;
        a failure schedules nothing further.
        """
        self._check_operator()
        again = self.filtered(
            lambda delivery: delivery.state not in ("held", "delivering")
        )
        again._resend(manual=True)

    def action_discard(self):
        """Give up deliveries that have not arrived."""
        self._check_operator()
        self._set_state(("held", "pending", "retrying", "dead"), "discarded")

    def action_send_now(self):
        """Send what is held, or waits for its time, without waiting any longer.

        Where a subscription is in order, older messages of the same record go first.
        """
        self._check_operator()
        if not self:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE sync_delivery
                   SET state = CASE WHEN attempt_count > 0
                                    THEN 'retrying' ELSE 'pending' END,
                       next_at = clock_timestamp() AT TIME ZONE 'UTC'
                 WHERE %s AND (id IN %s OR EXISTS (
                    SELECT 1 FROM sync_delivery asked
                      JOIN sync_subscription subscription
                        ON subscription.id = asked.subscription_id
                     WHERE asked.id IN %s AND subscription.ordered
                       AND asked.subscription_id = sync_delivery.subscription_id
                       AND asked.key_id = sync_delivery.key_id
                       AND asked.id > sync_delivery.id
                 ))
                """,
                WAITING,
                tuple(self.ids),
                tuple(self.ids),
            )
        )
        self.invalidate_recordset()
        self.env["sync.dispatcher"]._wake_after_commit()

    def _resend(self, manual, delay=0.0):
        """Put deliveries back to the queue, whatever became of them.

        :param bool manual: one attempt only; otherwise the schedule starts anew
        :param float delay: seconds from now
        """
        if not self:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE sync_delivery
                   SET state = 'retrying', manual = %s, schedule_start = attempt_count,
                       next_at = clock_timestamp() AT TIME ZONE 'UTC'
                                 + %s * INTERVAL '1 second'
                 WHERE id IN %s AND state <> 'delivering'
                """,
                manual,
                delay,
                tuple(self.ids),
            )
        )
        self.invalidate_recordset()
        self.env["sync.dispatcher"]._wake_after_commit()

    @api.model
    def _backfill(self, event_ids, subscription):
        """Make deliveries of past events for a subscription that never got them."""
        if event_ids:
            # Not one that retention is about to delete.
            self.env.cr.execute(
                SQL(
                    "SELECT id FROM sync_event WHERE id IN %s ORDER BY id"
                    " FOR KEY SHARE",
                    tuple(event_ids),
                )
            )
            self.env.cr.execute_values(
                FAN_OUT,
                [
                    (n, id_, subscription.id, None, False)
                    for n, id_ in enumerate(event_ids)
                ],
                page_size=PAGE_SIZE,
            )
            self.env["sync.dispatcher"]._wake_after_commit()

    def _set_state(self, allowed, state):
        self.env.cr.execute(
            SQL(
                "UPDATE sync_delivery SET state = %s WHERE id IN %s AND state IN %s",
                state,
                tuple(self.ids),
                allowed,
            )
        )
        self.invalidate_recordset()

    def action_replay(self):
        """Plan to send the selected deliveries again; one replay a subscription."""
        self._check_operator()
        replays = self.env["sync.replay"].browse()
        for subscription, deliveries in self.grouped("subscription_id").items():
            replays |= replays.create(
                {
                    "subscription_id": subscription.id,
                    "scope": "selection",
                    "delivery_ids": [Command.set(deliveries.ids)],
                    "reason": self.env._("Selected by hand"),
                }
            )
        replays.action_plan()
        return replays._open()

    def action_correct(self):
        """Ask for another payload, which a second person must approve."""
        self.ensure_one()
        self.env["sync.correction"]._check_role()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Correct the Payload"),
            "res_model": "sync.correction.request",
            "views": [[False, "form"]],
            "target": "new",
            "context": {"default_delivery_id": self.id},
        }

    def action_export(self):
        """Download the deliveries as JSON lines, payloads masked."""
        self._check_operator()
        lines = [canonical_json(delivery._export_values()) for delivery in self]
        attachment = self.env["ir.attachment"].create(
            {
                "name": "deliveries.jsonl",
                "raw": "\n".join(lines).encode(),
                "mimetype": "application/jsonl",
            }
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{attachment.id}?download=1",
            "target": "self",
        }

    def _export_values(self):
        return {
            "webhook_id": self.ref,
            "type": self.name,
            "occurred_at": self.occurred_at,
            "subscription": self.subscription_id.name,
            "state": self.state,
            "attempts": self.attempt_count,
            "last_status": self.last_status,
            "last_error": self.last_error or None,
            "data": json.loads(self.payload_shown),
        }

    def _compute_curl_command(self):
        for delivery in self:
            # sudo: the field is for integration managers; a message is made of what
            # they need not be able to read one by one, such as system parameters
            known = delivery.sudo()
            delivery.curl_command = known.subscription_id._curl_command(
                known._as_parcel()
            )

    def _as_parcel(self):
        """The message as the next attempt would send it."""
        event = self.event_id
        row = {
            name: event[name]
            for name in (
                *("ref", "name", "occurred_at", "payload", "ordering_key", "sequence"),
                *("traceparent", "correlation_ref", "corrects_ref"),
            )
        }
        row |= {
            "id": self.id,
            "event_type_id": event.event_type_id.id,
            "subscription_id": self.subscription_id.id,
            "key_id": self.key_id.id,
            "attempt_count": self.attempt_count,
            "schedule_start": self.schedule_start,
            "manual": self.manual,
            "body": self.body,
        }
        return self._parcel(row, self.subscription_id, ordered=False)

    def action_open_record(self):
        """Open the document the event is about."""
        return self.event_id.action_open_record()
