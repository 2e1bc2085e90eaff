"""What the dispatcher asks of the database: lanes, claims, results.

Plain SQL on the slice's own cursor, at READ COMMITTED: claims must see what others did
since, not fail because they did. Nothing here commits. What is due is compared with
``statement_timestamp()``: the volatile ``clock_timestamp()`` would keep the index from
being searched, and read all that is to be retried later.
"""

from odoo.tools import SQL

from ..tools import breaker
from .lane import HOLD_CAP_S

# The namespace of this module's advisory locks ("SYNC" in ASCII); the second number is
# the subscription, or 0 for "a dispatcher is awake".
LOCK_SPACE = 0x53594E43
# A dead node that vanished without closing its connection frees its lanes in a minute.
KEEPALIVE = (
    "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10;"
    "SET tcp_keepalives_count = 3"
)
# An event later than now by more than this: the database's clock went back.
FUTURE_S = 5

HEALTH = SQL(
    """
    breaker.write_date AS breaker_revision, breaker.status, breaker.result_window,
    breaker.trips, breaker.open_until, breaker.first_failure, breaker.hold_until
    """
)
ACKNOWLEDGE = """
    WITH result AS (
        SELECT * FROM (VALUES %s) result (
            delivery_id, subscription_id, number, started_at, duration_ms, status_code,
            verdict, error_class, error, request_headers, request_size,
            response_headers, response_body, response_base64, response_size, node,
            claim_ref, state, delay, body
        )
    ), settled AS (
        UPDATE sync_delivery delivery
           SET state = result.state,
               attempt_count = result.number,
               next_at = CASE WHEN result.state = 'retrying' THEN
                   clock_timestamp() AT TIME ZONE 'UTC'
                   + result.delay * INTERVAL '1 second'
                   ELSE delivery.next_at END,
               first_attempt_at = COALESCE(
                   delivery.first_attempt_at, result.started_at),
               delivered_at = CASE WHEN result.state = 'delivered' THEN
                   result.started_at
                   + result.duration_ms * INTERVAL '1 millisecond' END,
               last_status = result.status_code,
               last_error = NULLIF(result.error_class, ''),
               body = COALESCE(delivery.body, result.body),
               claim_ref = NULL,
               manual = FALSE
          FROM result
         WHERE delivery.id = result.delivery_id
           AND delivery.state = 'delivering'
           AND delivery.claim_ref = result.claim_ref
    )
    INSERT INTO sync_delivery_attempt (
        delivery_id, subscription_id, number, started_at, duration_ms, status_code,
        verdict, error_class, error, request_headers, request_size, response_headers,
        response_body, response_base64, response_size, node
    )
    SELECT delivery_id, subscription_id, number, started_at, duration_ms, status_code,
           verdict, NULLIF(error_class, ''), NULLIF(error, ''), request_headers,
           request_size, response_headers, response_body, response_base64,
           response_size, node
      FROM result
"""
ACKNOWLEDGE_ROW = (
    "(%s, %s, %s, %s::timestamp, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, "
    "%s, "
    "%s::float, %s)"
)


class Store:
    """The dispatcher's statements, on one cursor."""

    def __init__(self, cr):
        self._cursor = cr

    # -- being there -----------------------------------------------------------------

    def wake(self) -> None:
        """Be known to be awake, as long as this session lives."""
        self._cursor.execute(KEEPALIVE)
        self._cursor.execute(SQL("SELECT pg_advisory_lock_shared(%s, 0)", LOCK_SPACE))

    def is_nobody_awake(self) -> bool:
        """Whether no dispatcher would see what the caller has just committed.

        Says so to one caller at a time, until the end of its transaction.
        """
        self._cursor.execute(SQL("SELECT pg_try_advisory_xact_lock(%s, 0)", LOCK_SPACE))
        return self._cursor.fetchone()[0]

    def let_go(self) -> None:
        """Give up all lanes, and go to sleep."""
        self._cursor.execute("SELECT pg_advisory_unlock_all()")

    def accept_clock(self) -> None:
        """After the database's clock went back: nothing waits for times gone by.

        Told by events from the future. What was to be tried at once is due at once,
        and pauses of an endpoint end when they would have ended, counted from now.
        """
        self._cursor.execute(
            SQL(
                """
                WITH late AS (
                    SELECT id, occurred_at FROM sync_event
                     WHERE occurred_at > statement_timestamp() AT TIME ZONE 'UTC'
                           + %(future)s * INTERVAL '1 second'
                ), due AS (
                    UPDATE sync_delivery
                       SET next_at = clock_timestamp() AT TIME ZONE 'UTC'
                      FROM late
                     WHERE state = 'pending' AND event_id = late.id
                       AND next_at > clock_timestamp() AT TIME ZONE 'UTC'
                       -- a policy's timing is later than its event, and stays
                       AND next_at < late.occurred_at + %(future)s * INTERVAL '1 second'
                )
                UPDATE sync_breaker breaker
                   SET open_until = LEAST(open_until, now.epoch + %(open)s),
                       hold_until = LEAST(hold_until, now.epoch + %(hold)s),
                       first_failure = LEAST(first_failure, now.epoch)
                  FROM (SELECT extract(epoch FROM clock_timestamp())::float) now (epoch)
                 WHERE EXISTS (SELECT 1 FROM late)
                """,
                future=FUTURE_S,
                open=breaker.Config.max_open_s,
                hold=HOLD_CAP_S,
            )
        )

    # -- lanes -----------------------------------------------------------------------

    def lanes(self):
        """All subscriptions that may be sent to, and whether they have something due.

        :return: ``(now, rows)``; now is the database's unix time, a row is a dictionary
        """
        self._cursor.execute(
            SQL(
                """
                SELECT extract(epoch FROM clock_timestamp())::float AS now,
                       subscription.id, subscription.write_date AS revision, %(health)s,
                       EXISTS (
                           SELECT 1 FROM sync_delivery delivery
                            WHERE delivery.subscription_id = subscription.id
                              AND delivery.state IN ('pending', 'retrying')
                              AND delivery.next_at
                                  <= statement_timestamp() AT TIME ZONE 'UTC'
                       ) OR EXISTS (
                           -- ours, or orphans of a dispatcher that died
                           SELECT 1 FROM sync_delivery delivery
                            WHERE delivery.subscription_id = subscription.id
                              AND delivery.state = 'delivering'
                       ) AS due
                  FROM sync_subscription subscription
                  JOIN sync_breaker breaker
                    ON breaker.subscription_id = subscription.id
                 WHERE subscription.active AND subscription.state = 'active'
                   AND breaker.status <> 'isolated'
                 ORDER BY subscription.id
                """,
                health=HEALTH,
            )
        )
        return self._cursor.dictfetchall()

    def enter_lane(self, subscription_id):
        """Take a subscription for this session alone;
        False if another dispatcher has it.

        The lock dies with the session, so that a killed dispatcher frees its lanes
        at once. Whatever it had claimed is free again, with the same message id.
        """
        self._cursor.execute(
            SQL("SELECT pg_try_advisory_lock(%s, %s)", LOCK_SPACE, subscription_id)
        )
        if not self._cursor.fetchone()[0]:
            return False
        self._cursor.execute(
            SQL(
                """
                UPDATE sync_delivery
                   SET state = CASE WHEN attempt_count > 0
                                    THEN 'retrying' ELSE 'pending' END,
                       claim_ref = NULL
                 WHERE subscription_id = %s AND state = 'delivering'
                """,
                subscription_id,
            )
        )
        return True

    def health(self, subscription_id: int) -> dict | None:
        """What :meth:`lanes` says of an endpoint's health; None if it was deleted.

        To be asked once the lane is ours: whoever left it may have stored news since.
        """
        self._cursor.execute(
            SQL(
                "SELECT %s FROM sync_breaker breaker WHERE subscription_id = %s",
                HEALTH,
                subscription_id,
            )
        )
        return self._cursor.dictfetchone()

    def leave_lane(self, subscription_id: int) -> None:
        """Let other dispatchers have a subscription."""
        self._cursor.execute(
            SQL("SELECT pg_advisory_unlock(%s, %s)", LOCK_SPACE, subscription_id)
        )

    def next_due(self):
        """Seconds until the next delivery is due on any lane; None if there is none."""
        self._cursor.execute(
            SQL(
                """
                SELECT min(GREATEST(
                           extract(epoch FROM first.next_at AT TIME ZONE 'UTC'),
                           breaker.open_until, breaker.hold_until
                       ) - extract(epoch FROM clock_timestamp()))::float
                  FROM sync_subscription subscription
                  JOIN sync_breaker breaker
                    ON breaker.subscription_id = subscription.id
                 CROSS JOIN LATERAL (
                    (SELECT next_at FROM sync_delivery
                      WHERE subscription_id = subscription.id
                        AND state IN ('pending', 'retrying')
                      ORDER BY next_at LIMIT 1)
                    UNION ALL
                    -- claimed, but nobody holds the lane: its dispatcher died
                    (SELECT next_at FROM sync_delivery
                      WHERE subscription_id = subscription.id AND state = 'delivering'
                      LIMIT 1)
                 ) first
                 WHERE subscription.active AND subscription.state = 'active'
                   AND breaker.status <> 'isolated'
                   AND NOT EXISTS (
                    -- another dispatcher holds the lane and will see to it
                    SELECT 1 FROM pg_locks
                     WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s
                       AND objid = subscription.id AND database = (
                        SELECT oid FROM pg_database WHERE datname = current_database())
                   )
                """,
                LOCK_SPACE,
            )
        )
        seconds = self._cursor.fetchone()[0]
        return None if seconds is None else max(0.0, seconds)

    # -- deliveries ------------------------------------------------------------------

    def claim(self, limits, claim_ref):
        """Take the deliveries that are due, oldest first.

        :param dict limits: number of deliveries by subscription id
        :return: rows as dictionaries, by id
        """
        lanes = SQL(", ").join(
            SQL("(%s, %s)", lane_id, limit) for lane_id, limit in limits.items()
        )
        self._cursor.execute(
            SQL(
                """
                WITH due AS (
                    SELECT delivery.id
                      FROM (VALUES %(lanes)s) lane (id, size)
                     CROSS JOIN LATERAL (
                        SELECT id FROM sync_delivery
                         WHERE subscription_id = lane.id
                           AND state IN ('pending', 'retrying')
                           AND next_at <= statement_timestamp() AT TIME ZONE 'UTC'
                         ORDER BY next_at, id
                         LIMIT lane.size
                           FOR UPDATE SKIP LOCKED
                     ) delivery
                )
                UPDATE sync_delivery delivery
                   SET state = 'delivering', claim_ref = %(claim_ref)s
                  FROM due, sync_event event
                 WHERE delivery.id = due.id AND event.id = delivery.event_id
                RETURNING delivery.id, delivery.subscription_id, delivery.key_id,
                          delivery.attempt_count, delivery.schedule_start,
                          delivery.manual, delivery.body,
                          event.id AS event_id, event.ref, event.name,
                          event.event_type_id,
                          event.payload, event.occurred_at, event.ordering_key,
                          event.sequence, event.traceparent, event.correlation_ref,
                          event.corrects_ref
                """,
                lanes=lanes,
                claim_ref=claim_ref,
            )
        )
        return sorted(self._cursor.dictfetchall(), key=lambda row: row["id"])

    def blocked(self, delivery_ids):
        """Which of the claimed deliveries must wait for an older one of their key.

        :return: ``{id: seconds until the older one's next attempt}``; None for seconds
            if that one is held until somebody asks for it
        """
        self._cursor.execute(
            SQL(
                """
                SELECT claimed.id, CASE WHEN older.state <> 'held' THEN
                       GREATEST(0, extract(epoch FROM older.next_at
                           - clock_timestamp() AT TIME ZONE 'UTC'))::float END
                  FROM sync_delivery claimed
                 CROSS JOIN LATERAL (
                    SELECT state, next_at FROM sync_delivery
                     WHERE subscription_id = claimed.subscription_id
                       AND key_id = claimed.key_id
                       AND id < claimed.id
                       AND state IN ('held', 'pending', 'retrying')
                     ORDER BY id LIMIT 1
                 ) older
                 WHERE claimed.id IN %s
                """,
                tuple(delivery_ids),
            )
        )
        return dict(self._cursor.fetchall())

    def release(self, delays, claim_ref):
        """Give claimed deliveries back untried.

        :param dict delays: seconds until they are due, by id; None to hold them
        """
        rows = SQL(", ").join(
            SQL("(%s, %s::float)", id_, delay) for id_, delay in delays.items()
        )
        self._cursor.execute(
            SQL(
                """
                UPDATE sync_delivery delivery
                   SET state = CASE WHEN released.delay IS NULL THEN 'held'
                                    WHEN attempt_count > 0 THEN 'retrying'
                                    ELSE 'pending' END,
                       claim_ref = NULL,
                       -- without a delay it stays: GREATEST takes no notice of NULL
                       next_at = GREATEST(next_at, clock_timestamp() AT TIME ZONE 'UTC'
                                          + released.delay * INTERVAL '1 second')
                  FROM (VALUES %s) released (id, delay)
                 WHERE delivery.id = released.id AND state = 'delivering'
                   AND claim_ref = %s
                """,
                rows,
                claim_ref,
            )
        )

    def acknowledge(self, results, claim_ref, node):
        """Store what became of the attempts, in one statement.

        :param results: list of ``dispatcher.lane.Result``
        """
        rows = [result.row(claim_ref, node) for result in results]
        self._cursor.execute_values(
            ACKNOWLEDGE, rows, template=ACKNOWLEDGE_ROW, page_size=len(rows)
        )

    def living(self, delivery_ids) -> set[int]:
        """Those of the deliveries that still exist."""
        self._cursor.execute(
            SQL("SELECT id FROM sync_delivery WHERE id IN %s", tuple(delivery_ids))
        )
        return {id_ for (id_,) in self._cursor.fetchall()}

    def keep_health(self, subscription_id, state, hold_until, revision) -> None:
        """Store what was found out about an endpoint; a person's decision outranks it.

        :param state: a ``tools.breaker.State``
        :param revision: ``breaker_revision`` of the lane as last seen. Left alone here:
            its change tells the dispatcher of a person's decision.
        """
        self._cursor.execute(
            SQL(
                """
                UPDATE sync_breaker
                   SET status = %s, result_window = %s, trips = %s, open_until = %s,
                       first_failure = %s, hold_until = %s
                 WHERE subscription_id = %s AND write_date IS NOT DISTINCT FROM %s
                """,
                state.status.value,
                state.window,
                state.trips,
                state.open_until,
                state.first_failure or 0,
                hold_until,
                subscription_id,
                revision,
            )
        )
