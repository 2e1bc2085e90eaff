from odoo import api, fields, models
from odoo.tools import SQL


class SyncEventKey(models.Model):
    """Counts the events of one ordering key, so that receivers see gaps and order.

    The row is locked by the transaction that counts it, until that commits:
    the events of a key become visible in the order of their sequence, and so do
    their deliveries' ids.
    """

    _name = "sync.event.key"
    _description = "Event Ordering Key"
    _rec_name = "ordering_key"
    _log_access = False

    ordering_key = fields.Char(required=True, readonly=True)
    sequence = fields.Integer(readonly=True)

    _ordering_key_uniq = models.UniqueIndex("(ordering_key)")

    @api.model
    def _next(self, counts):
        """Reserve sequence numbers.

        :param dict counts: number of events by ordering key
        :return: ``{ordering key: (id, first sequence)}``
        """
        rows = SQL(", ").join(
            # Always in the same order, or two transactions could wait for one another.
            SQL("(%s, %s)", key, counts[key])
            for key in sorted(counts)
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sync_event_key AS known (ordering_key, sequence)
                VALUES %s
                ON CONFLICT (ordering_key)
                DO UPDATE SET sequence = known.sequence + EXCLUDED.sequence
                RETURNING ordering_key, id, sequence
                """,
                rows,
            )
        )
        return {
            key: (key_id, last - counts[key] + 1)
            for key, key_id, last in self.env.cr.fetchall()
        }
