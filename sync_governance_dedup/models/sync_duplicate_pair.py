# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from psycopg2.extras import execute_values

from odoo import api, fields, models
from odoo.tools import SQL


class SyncDuplicatePair(models.Model):
    """Scored pairs of a rule's latest scan: what a stopped scan has done already,
    and what the threshold picker's histogram shows. Also pairs that are no suggestion
    are kept, as far as they are not negligible."""

    _name = "sync.duplicate.pair"
    _description = "Scored Pair"
    _log_access = False

    scan_id = fields.Many2one("sync.duplicate.scan", required=True, ondelete="cascade")
    left_id = fields.Integer(required=True)
    right_id = fields.Integer(required=True)
    probability = fields.Float(required=True, digits=(7, 6))

    _scan_idx = models.Index("(scan_id, probability)")

    @api.model
    def _store(self, scan, matcher, scores):
        ids = matcher.table.record_ids
        left, right = ids[scores.left].tolist(), ids[scores.right].tolist()
        execute_values(
            self.env.cr._obj,
            "INSERT INTO sync_duplicate_pair (scan_id, left_id, right_id, probability)"
            " VALUES %s",
            [
                (scan.id, min(one, two), max(one, two), round(probability, 6))
                for one, two, probability in zip(
                    left, right, scores.probability.tolist(), strict=True
                )
            ],
            page_size=10_000,
        )

    @api.model
    def _load(self, scan):
        """:return: [(left id, right id, probability)] of a scan"""
        return self.env.execute_query(
            SQL(
                "SELECT left_id, right_id, probability::float8 FROM sync_duplicate_pair"
                " WHERE scan_id = %s ORDER BY left_id, right_id",
                scan.id,
            )
        )

    @api.model
    def _forget_before(self, scan):
        """Only the latest scan's pairs are of use."""
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM sync_duplicate_pair
                 WHERE scan_id IN (SELECT id FROM sync_duplicate_scan
                                    WHERE rule_id = %s AND id < %s)
                """,
                scan.rule_id.id,
                scan.id,
            )
        )

    @api.model
    def _histogram(self, rule, bins=20):
        """:return: [(lower bound of the bucket,
        pairs)] of the rule's latest finished scan"""
        self.env["sync.duplicate.scan"].flush_model(["rule_id", "state"])
        counts = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT least(floor(probability * %(bins)s), %(bins)s - 1)::int,
                           count(*)
                      FROM sync_duplicate_pair
                     WHERE scan_id = (SELECT max(id) FROM sync_duplicate_scan
                                       WHERE rule_id = %(rule)s AND state = 'done')
                     GROUP BY 1
                    """,
                    bins=bins,
                    rule=rule.id,
                )
            )
        )
        return [(bucket / bins, counts.get(bucket, 0)) for bucket in range(bins)]
