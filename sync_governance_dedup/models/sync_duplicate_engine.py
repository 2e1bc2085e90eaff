# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from itertools import combinations, islice

import numpy as np

from odoo import api, fields, models

from ..tools import blocking
from ..tools.explain import Explainer
from ..tools.keys import keys as keys_of
from ..tools.matcher import NEGLIGIBLE, Matcher, clusters, explained
from ..tools.profile import Layout, unpack
from ..tools.types import Candidate, Column, Role, RuleSpec
from ..tools.weights import Weights, train


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
        own_id = values.get("id") or 0
        profiles = {own_id: layout.profile(self._raw_values(rule, values))}
        pairs = self._pairs_of(rule, layout, profiles)
        if not pairs:
            return []
        matcher = self._matcher(rule, layout, profiles)
        scores = self._score(matcher, pairs)
        scores = scores.select(scores.best(limit, layout.spec.suggest))
        explainer = matcher.explainer(profiles)
        return [
            Candidate(
                pair.right if pair.left == own_id else pair.left,
                pair.probability,
                float(weight),
                explainer.pair(*pair).evidence,
            )
            for pair, weight in zip(matcher.pairs(scores), scores.weight, strict=True)
        ]

    @api.model
    def _check(self, rule, record_ids):
        """Compare changed records with the base.

        :return: list of :class:`~..tools.types.Group` that hold at least one of them
        """
        layout = Layout(self._spec(rule))
        profiles = self._stored(rule, record_ids)
        pairs = self._pairs_of(rule, layout, profiles)
        if not pairs:
            return []
        matcher = self._matcher(rule, layout, profiles)
        scores = self._score(matcher, pairs)
        scored = matcher.pairs(scores.select(scores.probability >= NEGLIGIBLE))
        others = self._pairs_between(scored, layout.spec.suggest, pairs)
        if others:
            scored += matcher.pairs(self._score(matcher, others))
        denied = self.env["sync.duplicate.verdict"]._denied_pairs(
            rule.model_name, list(profiles)
        )
        found = clusters(scored, layout.spec.suggest, denied)
        wanted = set(record_ids)
        found = [each for each in found if wanted.intersection(each[0])]
        prior = matcher.weights.prior_bits(matcher.table.size)
        return list(self._explained(rule, layout, scored, found, prior, profiles))

    @api.model
    def _pairs_between(self, scored, suggest, known):
        """Pairs of the likely matches of one record: they tell whether the three
        are one, or the record stands between two."""
        near = {}
        for pair in scored.take(np.flatnonzero(scored.probability >= suggest)):
            near.setdefault(pair.left, set()).add(pair.right)
            near.setdefault(pair.right, set()).add(pair.left)
        between = {
            pair for each in near.values() for pair in combinations(sorted(each), 2)
        }
        return sorted(between.difference(known))

    @api.model
    def _explained(self, rule, layout, pairs, found, prior, profiles=None):
        """:class:`~..tools.types.Group` of each of ``found``, with all evidence.

        :param pairs: :class:`~..tools.matcher.Pairs` that were clustered
        :param found: list of what :func:`~..tools.matcher.clusters` yields
        :param profiles: ``{record id: profile}``, read if they are not at hand
        """
        ids = {record for group, _inside, _cut in found for record in group}
        inside = pairs.take([row for _group, rows, _cut in found for row in rows])
        cut = pairs.take([row for _group, _inside, rows in found for row in rows])
        ids.update(cut.left.tolist(), cut.right.tolist())
        Key = self.env["sync.duplicate.key"]
        rows = Key._read_rows(rule, fields.Domain("id", "in", sorted(ids)))
        explainer = Explainer(
            layout,
            prior,
            profiles or self._stored(rule, ids),
            {row["id"]: row for row in rows},
        )
        inside, cut = iter(inside), iter(cut)
        for group, held, severed in found:
            yield explained(
                group,
                list(islice(inside, len(held))),
                list(islice(cut, len(severed))),
                explainer,
            )

    @api.model
    def _score_pair(self, rule, left_id, right_id):
        """:return: :class:`~..tools.types.PairScore`
        with all evidence, whatever the score"""
        layout = Layout(self._spec(rule))
        profiles = self._stored(rule, (left_id, right_id))
        matcher = self._matcher(rule, layout, profiles)
        [pair] = matcher.pairs(self._score(matcher, [(left_id, right_id)]))
        return matcher.explainer(profiles).pair(*pair)

    @api.model
    def _histogram(self, rule):
        """:return: [(lower bound of the bucket, pairs)] of the rule's latest scan"""
        return self.env["sync.duplicate.pair"]._histogram(rule)

    # -- training ----------------------------------------------------------------------

    @api.model
    def _train(self, rule, decisions):
        """Weights proposed from stewards' decisions; nothing is stored.

        :param decisions: [(left id, right id, is a duplicate)];
            those of records that have gone are left out
        :return: ``{"weights": JSON for the rule, "changes": [{"field", "level",
            "before", "after"}], "effect": see :meth:`_effect`}``
        """
        matcher, known, compared = self._compare_known(rule, decisions)
        verdicts = [verdict for _left, _right, verdict in known]
        after = train(matcher, *compared, verdicts)
        return self._proposal(matcher, after, known, compared, rule)

    @api.model
    def _estimate(self, rule):
        """Weights proposed from what the last full scan learned of the rule's own data
        without anybody's decisions; as :meth:`_train`, with the effect on the verdicts
        that are known."""
        verdicts = self.env["sync.duplicate.verdict"].search(
            [("rule_id", "=", rule.id)]
        )
        decisions = [
            (verdict.left_id, verdict.right_id, verdict.is_duplicate)
            for verdict in verdicts
        ]
        matcher, known, compared = self._compare_known(rule, decisions)
        matcher.weights = Weights.load(rule.weights)
        after = Weights.load(self._scan_weights(rule) or rule.weights)
        return self._proposal(matcher, after, known, compared, rule)

    @api.model
    def _compare_known(self, rule, decisions):
        """(matcher, decisions on records that are there, their (levels, bits))"""
        layout = Layout(self._spec(rule))
        profiles = self._stored(rule, {each for one in decisions for each in one[:2]})
        known = [each for each in decisions if profiles.keys() >= set(each[:2])]
        matcher = self._matcher(rule, layout, profiles)
        rows = self._rows(matcher, [each[:2] for each in known])
        return matcher, known, matcher.compare_all(*rows)

    @api.model
    def _proposal(self, matcher, after, known, compared, rule):
        before = matcher.weights
        old = matcher.weigh(None, None, *compared).probability.tolist()
        matcher.weights = after
        new = matcher.weigh(None, None, *compared).probability.tolist()
        return {
            "weights": after.dump(),
            "changes": before.changes(after),
            "effect": self._effect(known, old, new, rule.suggest_threshold),
        }

    @api.model
    def _effect(self, known, old, new, threshold):
        """What other weights make of known decisions: ``{"verdicts", "right_before",
        "right_after", "pairs": [{"left_id", "right_id", "is_duplicate", "before",
        "after"}]}``; right is what comes out on its side of the threshold."""
        pairs = [
            {
                "left_id": left,
                "right_id": right,
                "is_duplicate": verdict,
                "before": before,
                "after": after,
            }
            for (left, right, verdict), before, after in zip(
                known, old, new, strict=True
            )
        ]
        return {
            "verdicts": len(pairs),
            "right_before": sum(
                (pair["before"] >= threshold) == pair["is_duplicate"] for pair in pairs
            ),
            "right_after": sum(
                (pair["after"] >= threshold) == pair["is_duplicate"] for pair in pairs
            ),
            "pairs": pairs,
        }

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
    def _stored(self, rule, record_ids):
        """:return: {record id: profile} of stored records"""
        found = self.env["sync.duplicate.key"]._profiles(rule, record_ids)
        return {record_id: unpack(text) for record_id, text in found.items()}

    @api.model
    def _pairs_of(self, rule, layout, profiles):
        """Pairs of these records with one another and with any other that shares enough
        keys; the others' profiles are added to ``profiles``.

        :return: [(id, id)], each pair once, smaller id first
        """
        own = np.array([*profiles], dtype=np.int64)
        held = [keys_of(layout, profile) for profile in profiles.values()]
        own_keys = np.array([key for keys in held for key in keys], dtype=np.int64)
        own_rows = np.repeat(np.arange(len(own)), [len(keys) for keys in held])
        keys, others = self.env["sync.duplicate.key"]._sharing(
            rule, np.unique(own_keys).tolist()
        )
        # what is stored of the records themselves may be older than what was given
        foreign = ~np.isin(others, own)
        others, rows = np.unique(others[foreign], return_inverse=True)
        entries = blocking.entries(
            np.r_[own_keys, keys[foreign]], np.r_[own_rows, len(own) + rows]
        )
        ids = np.r_[own, others]
        left, right = (ids[row] for row in blocking.Blocks(entries).pairs(0, len(own)))
        profiles.update(self._stored(rule, np.setdiff1d(np.r_[left, right], own)))
        found = zip(
            np.minimum(left, right).tolist(),
            np.maximum(left, right).tolist(),
            strict=True,
        )
        return sorted(pair for pair in found if profiles.keys() >= set(pair))

    @api.model
    def _matcher(self, rule, layout, profiles):
        """Matcher over a few records, rarity judged by the whole base."""
        matcher = Matcher.of(layout, profiles.items())
        self.env["sync.duplicate.term"]._judge(rule, matcher.table)
        return matcher

    @api.model
    def _rows(self, matcher, pairs):
        """(left rows, right rows) of pairs of records"""
        row_of = {int(each): row for row, each in enumerate(matcher.table.record_ids)}
        left = [row_of[one] for one, _other in pairs]
        return np.array(left, dtype=np.int64), np.array(
            [row_of[other] for _one, other in pairs], dtype=np.int64
        )

    @api.model
    def _score(self, matcher, pairs):
        return matcher.score(*self._rows(matcher, pairs))
