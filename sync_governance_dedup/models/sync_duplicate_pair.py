# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import numpy as np

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.copying import copy_text
from ..tools.matcher import Pairs


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

    def init(self):
        """What explains the pair, as :mod:`~..tools.explain` packs it: bytes, which
        the ORM would keep as text."""
        self.env.cr.execute(
            "ALTER TABLE sync_duplicate_pair ADD COLUMN IF NOT EXISTS packed bytea"
        )

    @api.model
    def _store(self, scan, pairs):
        """:param pairs: :class:`~..tools.matcher.Pairs`"""
        rows = (
            (
                scan.id,
                min(left, right),
                max(left, right),
                f"{probability:.6f}",
                f"\\x{packed.hex()}",
            )
            for left, right, probability, packed in pairs
        )
        self.env.cr.copy_expert(
            "COPY sync_duplicate_pair"
            " (scan_id, left_id, right_id, probability, packed) FROM STDIN",
            copy_text(rows),
        )

    @api.model
    def _load(self, scan, packed_size):
        """:return: :class:`~..tools.matcher.Pairs` of a scan, by record ids"""
        columns = self.env["sync.duplicate.key"]._fetch_arrays(
            SQL(
                "SELECT left_id, right_id, probability::float8, packed"
                " FROM sync_duplicate_pair WHERE scan_id = %s"
                " AND octet_length(packed) = %s",
                scan.id,
                packed_size,
            ),
            *(">i4", ">i4", ">f8", f"({packed_size},)u1"),
        )
        pairs = Pairs(*columns)
        return pairs.take(np.lexsort((pairs.right, pairs.left)))

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
        self.env["sync.duplicate.scan"].flush_model(["rule_id", "state", "mode"])
        counts = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT least(floor(probability * %(bins)s), %(bins)s - 1)::int,
                           count(*)
                      FROM sync_duplicate_pair
                     WHERE scan_id = (SELECT max(id) FROM sync_duplicate_scan
                                       WHERE rule_id = %(rule)s AND state = 'done'
                                         AND mode = 'full')
                     GROUP BY 1
                    """,
                    bins=bins,
                    rule=rule.id,
                )
            )
        )
        return [(bucket / bins, counts.get(bucket, 0)) for bucket in range(bins)]
