# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.tools import SQL


class SyncDuplicateVerdict(models.Model):
    """What a steward said of a pair. "Not a duplicate" cuts the pair for good,
    until a compared value of one of the two changes. All verdicts measure
    and train the rule."""

    _name = "sync.duplicate.verdict"
    _description = "Verdict on a Pair"
    _order = "id desc"

    rule_id = fields.Many2one(
        "sync.duplicate.rule",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    group_id = fields.Many2one(
        "sync.duplicate.group", ondelete="set null", readonly=True
    )
    model_name = fields.Char(required=True, readonly=True)
    left_id = fields.Integer(required=True, readonly=True)
    right_id = fields.Integer(required=True, readonly=True)
    left_fingerprint = fields.Char(readonly=True)
    right_fingerprint = fields.Char(readonly=True)
    is_duplicate = fields.Boolean(readonly=True)
    is_live = fields.Boolean(
        default=True, readonly=True, help="No compared value has changed since."
    )
    probability = fields.Float(digits=(6, 5), readonly=True)
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Decided By",
        readonly=True,
        default=lambda self: self.env.uid,
    )

    _denied_idx = models.Index(
        "(model_name, left_id, right_id) WHERE is_live AND NOT is_duplicate"
    )

    @api.model
    def _precision(self, domain):
        """:return: share of the verdicts of ``domain``
        that are duplicates, 0 without any."""
        counts = dict(self._read_group(domain, ["is_duplicate"], ["__count"]))
        total = sum(counts.values())
        return counts.get(True, 0) / total if total else 0.0

    @api.model
    def _record_pairs(self, group, pairs, is_duplicate, reason=None):
        """Remember what was decided of these pairs.

        :param pairs: iterable of ``(left id, right id)`` of members of ``group``
        """
        pairs = sorted({tuple(sorted(pair)) for pair in pairs})
        prints = group.rule_id._fingerprints(
            {record_id for pair in pairs for record_id in pair}
        )
        scores = {
            (row.left_id, row.right_id): row.probability for row in group.evidence_ids
        }
        return self.create(
            [
                {
                    "rule_id": group.rule_id.id,
                    "group_id": group.id,
                    "model_name": group.model_name,
                    "left_id": left,
                    "right_id": right,
                    "left_fingerprint": prints.get(left),
                    "right_fingerprint": prints.get(right),
                    "is_duplicate": is_duplicate,
                    "probability": scores.get((left, right), 0.0),
                    "reason": reason,
                }
                for left, right in pairs
            ]
        )

    @api.model
    def _denied_pairs(self, model_name, ids=None):
        """:param ids: only pairs that touch one of these records
        :return: set of ``(left id, right id)`` that a steward called "not a duplicate"
        """
        self.flush_model()
        touching = SQL("TRUE")
        if ids is not None:
            wanted = list(ids)
            touching = SQL("(left_id = ANY(%s) OR right_id = ANY(%s))", wanted, wanted)
        rows = self.env.execute_query(
            SQL(
                "SELECT left_id, right_id FROM sync_duplicate_verdict"
                " WHERE is_live AND NOT is_duplicate AND model_name = %s AND %s",
                model_name,
                touching,
            )
        )
        return set(rows)

    @api.model
    def _forget_changed(self, rule, record_ids):
        """Ask again about pairs of these records whose compared
        values are no longer those that the steward saw."""
        verdicts = self.search(
            [
                ("rule_id", "=", rule.id),
                ("is_live", "=", True),
                ("is_duplicate", "=", False),
                "|",
                ("left_id", "in", record_ids),
                ("right_id", "in", record_ids),
            ]
        )
        prints = rule._fingerprints(
            set(verdicts.mapped("left_id") + verdicts.mapped("right_id"))
        )
        verdicts.filtered(
            lambda verdict: prints.get(verdict.left_id) != verdict.left_fingerprint
            or prints.get(verdict.right_id) != verdict.right_fingerprint
        ).is_live = False
