# Part of Sync governance. See LICENSE file for full copyright and licensing details.
from odoo import api, fields, models
from odoo.tools import SQL


class SyncReconciliationRow(models.Model):
    """One record of a system's snapshot, kept while a run compares it.

    Both sides are larger than memory may be: the snapshot waits here, Odoo's side
    comes in slices and looks its counterparts up by key.
    """

    _name = "sync.reconciliation.row"
    _description = "Row of a Snapshot"
    _rec_name = "external_id"
    _log_access = False

    run_id = fields.Many2one(
        "sync.reconciliation.run", required=True, readonly=True, ondelete="cascade"
    )
    number = fields.Integer(required=True, readonly=True, help="In the document.")
    external_id = fields.Char(required=True, readonly=True)
    body = fields.Json(readonly=True)
    is_matched = fields.Boolean(readonly=True)

    _key_unique = models.Constraint(
        "UNIQUE(run_id, external_id)", "An id stands for one row."
    )

    @api.model
    def _add(self, run, rows):
        """Keep rows; of rows with the same id the first one.

        :param rows: ``[(number, external id, JSON text of the body)]``
        :return: ``[(number, external id)]`` of rows whose id is taken
        """
        if not rows:
            return []
        added = self.env.execute_query(
            SQL(
                """
                INSERT INTO sync_reconciliation_row (run_id, number, external_id, body)
                SELECT %s, row.* FROM unnest(%s::int[], %s::varchar[], %s::jsonb[])
                       AS row (number, external_id, body)
                 ORDER BY number
                ON CONFLICT (run_id, external_id) DO NOTHING
                RETURNING number
                """,
                run.id,
                *(list(column) for column in zip(*rows, strict=True)),
            )
        )
        numbers = {number for (number,) in added}
        return [row[:2] for row in rows if row[0] not in numbers]

    @api.model
    def _match(self, run, external_ids):
        """Bodies of those ids, which count as matched from now on.

        :return: ``{external id: body}``
        """
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    UPDATE sync_reconciliation_row SET is_matched = true
                     WHERE run_id = %s AND external_id = ANY(%s)
                    RETURNING external_id, body
                    """,
                    run.id,
                    list(external_ids),
                )
            )
        )

    @api.model
    def _unmatched(self, run, after_number, limit):
        """``[(number, external id, body)]`` that no record of Odoo's has met."""
        return self.env.execute_query(
            SQL(
                """
                SELECT number, external_id, body FROM sync_reconciliation_row
                 WHERE run_id = %s AND is_matched IS NOT TRUE AND number > %s
                 ORDER BY number LIMIT %s
                """,
                run.id,
                after_number,
                limit,
            )
        )

    @api.model
    def _forget(self, run):
        self.env.execute_query(
            SQL("DELETE FROM sync_reconciliation_row WHERE run_id = %s", run.id)
        )
