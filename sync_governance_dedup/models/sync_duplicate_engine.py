# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models
from odoo.tools import SQL

from ..tools import keys as blocking
from ..tools.matcher import Matcher
from ..tools.profile import Layout, unpack
from ..tools.types import Candidate, Column, Role, RuleSpec
from ..tools.weights import train

#: Records that are compared with one record at most, those that share most keys first.
MOST_CANDIDATES = 400


class SyncDuplicateEngine(models.AbstractModel):
    """Adapter between the rules and the pure
    engine in ``tools/``: it loads, asks, stores."""

    _name = "sync.duplicate.engine"
    _description = "Duplicate Matching Engine"

    # -- what a rule means to the engine -----------------------------------------------

    @api.model
    def _spec(self, rule):
        """:return: :class:`~..tools.types.RuleSpec` of a rule"""
        return RuleSpec(
            model=rule.model_name,
            columns=tuple(
                Column(line.name, Role(line.kind)) for line in rule.field_ids
            ),
            suggest=rule.suggest_threshold,
            weights=rule.weights or self._scan_weights(rule),
        )

    @api.model
    def _scan_weights(self, rule):
        """Weights that the last finished scan estimated on the rule's own data."""
        return self.env["sync.duplicate.scan"]._last_weights(rule)

    # -- keys --------------------------------------------------------------------------

    @api.model
    def _refresh_keys(self, rule, record_ids):
        """Bring the matching keys of changed
        records up to date, in this transaction."""
        self.env[rule.model_name].flush_model()
        self.env["sync.duplicate.key"]._refresh(rule, list(record_ids))

    @api.model
    def _drop_keys(self, model_name, record_ids):
        for rule in self.env["sync.duplicate.rule"]._for_model(model_name):
            self.env["sync.duplicate.key"]._drop(rule, record_ids)

    # -- questions ---------------------------------------------------------------------

    @api.model
    def _candidates(self, rule, values, limit=5):
        """Stored records that are likely the same as ``values``, best first.

        :param values: values as for ``create``;
            with ``id``, that record itself is left out
        :return: list of :class:`~..tools.types.Candidate`
        """
        layout = Layout(self._spec(rule))
        profile = layout.profile(self._raw_values(rule, values))
        own_id = values.get("id") or 0
        stored = self._sharing(rule, blocking.keys(profile), {own_id})
        if not stored:
            return []
        matcher = self._matcher(rule, layout, [(own_id, profile), *stored])
        scores = matcher.score([0] * len(stored), range(1, len(stored) + 1))
        best = scores.best(limit, layout.spec.suggest)
        return [
            Candidate(
                int(matcher.table.record_ids[scores.right[row]]),
                float(scores.probability[row]),
                float(scores.weight[row]),
                matcher.evidence(scores, row),
            )
            for row in best
        ]

    @api.model
    def _check(self, rule, record_ids):
        """Compare changed records with the base.

        :return: list of :class:`~..tools.types.Group` that hold at least one of them
        """
        layout = Layout(self._spec(rule))
        own, pairs, stored = self._pairs_of(rule, record_ids)
        if not pairs:
            return []
        matcher = self._matcher(rule, layout, [*own, *stored])
        row_of = {int(each): row for row, each in enumerate(matcher.table.record_ids)}
        scores = matcher.score(
            [row_of[left] for left, _right in pairs],
            [row_of[right] for _left, right in pairs],
        )
        denied = self.env["sync.duplicate.verdict"]._denied_pairs(
            rule.model_name, list(row_of)
        )
        return list(matcher.groups(scores, layout.spec.suggest, denied))

    @api.model
    def _score_pair(self, rule, left_id, right_id):
        """:return: :class:`~..tools.types.PairScore`
        with all evidence, whatever the score"""
        layout = Layout(self._spec(rule))
        stored = self._stored(rule, (left_id, right_id))
        matcher = self._matcher(rule, layout, stored)
        return matcher.pair(matcher.score([0], [1]), 0)

    @api.model
    def _histogram(self, rule):
        """:return: [(lower bound of the bucket, pairs)] of the rule's latest scan"""
        return self.env["sync.duplicate.pair"]._histogram(rule)

    @api.model
    def _train(self, rule, decisions):
        """Weights proposed from stewards' decisions; nothing is stored.

        :param decisions: [(left id, right id, is a duplicate)]
        :return: ``{"weights": JSON for the rule, "changes":
            [{"field", "level", "before", "after"}]}``
        """
        layout = Layout(self._spec(rule))
        involved = sorted({record for decision in decisions for record in decision[:2]})
        stored = self._stored(rule, involved)
        row_of = {record_id: row for row, (record_id, _profile) in enumerate(stored)}
        known = [each for each in decisions if each[0] in row_of and each[1] in row_of]
        matcher = self._matcher(rule, layout, stored)
        levels, bits = matcher.compare(
            [row_of[left] for left, _right, _verdict in known],
            [row_of[right] for _left, right, _verdict in known],
        )
        before = matcher.weights
        after = train(matcher, levels, bits, [verdict for _l, _r, verdict in known])
        return {"weights": after.dump(), "changes": before.changes(after)}

    # -- loading -----------------------------------------------------------------------

    @api.model
    def _raw_values(self, rule, values):
        """Values as the key table reads them:
        codes of countries and states, plain ids."""
        raw = dict(values)
        for line in rule.field_ids:
            if line.kind in ("country", "state") and raw.get(line.name):
                field = self.env[rule.model_name]._fields[line.name]
                record = self.env[field.comodel_name].sudo().browse(raw[line.name])
                name = "code" if "code" in record._fields else "name"
                raw[line.name] = record[name]
        return raw

    @api.model
    def _sharing(self, rule, keys, without_ids):
        """[(id, profile)] of the records that share
        a key, skipping keys that many share."""
        # The planner cannot know how rare a key is: for the few rows that the LIMIT
        # asks for it would rather read the table. For this one query only the GIN
        # index is left.
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        rows = self.env.execute_query(
            SQL(
                """
                SELECT known.res_id, known.profile
                  FROM unnest(%(keys)s::int4[]) AS key,
                       LATERAL (
                        SELECT res_id, profile, count(*) OVER () AS shared
                          FROM (SELECT res_id, profile
                                  FROM sync_duplicate_key
                                 WHERE rule_id + 0 = %(rule)s AND keys @> ARRAY[key]
                                 LIMIT %(cap)s) AS block
                       ) AS known
                 WHERE known.shared < %(cap)s
                 GROUP BY 1, 2
                 ORDER BY count(*) DESC, 1
                 LIMIT %(most)s
                """,
                keys=list(keys),
                rule=rule.id,
                cap=blocking.CAP + 1,
                most=MOST_CANDIDATES,
            )
        )
        self.env.cr.execute("SET LOCAL enable_seqscan = on")
        return [
            (res_id, unpack(text)) for res_id, text in rows if res_id not in without_ids
        ]

    @api.model
    def _stored(self, rule, record_ids):
        """[(id, profile)] of stored records, in the order of their ids as given."""
        found = dict(
            self.env.execute_query(
                SQL(
                    "SELECT res_id, profile FROM sync_duplicate_key"
                    " WHERE rule_id = %s AND res_id = ANY(%s)",
                    rule.id,
                    list(record_ids),
                )
            )
        )
        return [(each, unpack(found[each])) for each in record_ids if each in found]

    @api.model
    def _pairs_of(self, rule, record_ids):
        """Pairs of these records with any other that shares a key.

        :return: ([(id, profile)] of the records,
            [(id, id)], [(id, profile)] of the others)
        """
        own = self._stored(rule, record_ids)
        pairs, others = set(), {}
        for record_id, profile in own:
            for other_id, other in self._sharing(
                rule, blocking.keys(profile), {record_id}
            ):
                pairs.add((min(record_id, other_id), max(record_id, other_id)))
                others[other_id] = other
        for record_id, _profile in own:
            others.pop(record_id, None)
        return own, sorted(pairs), sorted(others.items())

    @api.model
    def _matcher(self, rule, layout, records):
        """Matcher over a few records, rarity judged by the whole base."""
        matcher = Matcher.of(layout, records)
        self.env["sync.duplicate.term"]._judge(rule, matcher.table)
        return matcher
