import logging
from datetime import timedelta

from psycopg2.extensions import TransactionRollbackError

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

BATCH = 10_000
# Days, where an event type belongs to no domain.
DEFAULT_DAYS = 30
METRIC_DAYS = 400


class SyncRetention(models.AbstractModel):
    """Deletes events past their period, with their deliveries and attempts.

    Never one that is still to be delivered, and no dead letter: those end by a person's
    hand, delivered or discarded. The type of an event says how long it is kept, else
    its domain.
    """

    _name = "sync.retention"
    _description = "Retention of Events"

    @api.model
    def _cron_prune(self):
        """Delete batch after batch, each in a short transaction of its own."""
        for type_id, days in self._periods().items():
            before = fields.Datetime.now() - timedelta(days=days)
            if not self._prune_type(type_id, before):
                return
        self._prune_metrics()

    @api.model
    def _prune_type(self, type_id, before):
        """:return: whether there is time for more"""
        position, is_unfinished = None, True
        while is_unfinished:
            count, position = self._prune_or_wait(type_id, before, position)
            is_unfinished = position is not None
            if not self.env["ir.cron"]._commit_progress(
                count, remaining=int(is_unfinished)
            ):
                return False
        return True

    @api.model
    def _periods(self):
        """``{event type id: days}`` of the types whose events are not kept for good."""
        event_types = self.env["sync.event.type"].with_context(active_test=False)
        # The catalogue, a handful of rows.
        periods = {
            one.id: one._days_kept()
            for one in event_types.search([])  # pylint: disable=no-search-all
        }
        return {type_id: days for type_id, days in periods.items() if days}

    @api.model
    def _prune_or_wait(self, type_id, before, position):
        """A batch; none if somebody is just sending one of its events again."""
        try:
            return self._prune_batch(type_id, before, position)
        except TransactionRollbackError:
            # What was sent again is seen by the next run, and stays.
            self.env.cr.rollback()
            _logger.info("Events of type %s are in use: pruned next time", type_id)
            return 0, None

    @api.model
    def _prune_batch(self, type_id, before, position=None, limit=BATCH):
        """Delete up to ``limit`` events of a type, the oldest first.

        In a repeatable read: a delivery that is sent again meanwhile makes this fail
        rather than disappear.

        :param before: naive UTC
        :param position: (occurred_at, id) of the last one deleted so far, so that those
            that must stay are not looked at again
        :return: ``(number deleted, position or None when all is done)``
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT event.id, event.occurred_at FROM sync_event event
                 WHERE event.event_type_id = %s AND event.occurred_at < %s AND %s
                   AND NOT EXISTS (
                    SELECT 1 FROM sync_delivery delivery
                     WHERE delivery.event_id = event.id
                       AND delivery.state NOT IN ('delivered', 'discarded'))
                 ORDER BY event.occurred_at, event.id
                 LIMIT %s
                   FOR UPDATE SKIP LOCKED
                """,
                type_id,
                before,
                SQL("(event.occurred_at, event.id) > (%s, %s)", *position)
                if position
                else SQL("TRUE"),
                limit,
            )
        )
        rows = self.env.cr.fetchall()
        if not rows:
            return 0, None
        self._delete([event_id for event_id, _occurred_at in rows])
        event_id, occurred_at = rows[-1]
        return len(rows), (occurred_at, event_id) if len(rows) == limit else None

    @api.model
    def _delete(self, event_ids):
        """From the leaves up: so the foreign keys have nothing left to cascade."""
        for statement in (
            "DELETE FROM sync_delivery_attempt attempt USING sync_delivery delivery"
            " WHERE delivery.id = attempt.delivery_id AND delivery.event_id = ANY(%s)",
            "DELETE FROM sync_delivery WHERE event_id = ANY(%s)",
            "DELETE FROM sync_event WHERE id = ANY(%s)",
        ):
            self.env.cr.execute(SQL(statement, event_ids))

    @api.model
    def _prune_metrics(self):
        """Figures by the hour are small, and of interest for a year."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM sync_delivery_metric WHERE hour < %s",
                fields.Datetime.now() - timedelta(days=METRIC_DAYS),
            )
        )
