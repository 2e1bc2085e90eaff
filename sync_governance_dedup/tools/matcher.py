# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The engine as the models use it: score pairs, explain them, group them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .cluster import cluster
from .compare import HOUSEHOLD, compare_households, comparisons
from .profile import Layout
from .table import Table
from .types import Evidence, Group, PairScore
from .weights import Weights

#: Probability below which a pair is not even kept as a doubt against a group.
NEGLIGIBLE = 0.01


@dataclass
class Scores:
    """Scores of many pairs, row by row of the arrays.

    :ivar levels: pairs x comparisons, level numbers
    :ivar parts: pairs x comparisons, bits that each comparison adds
    """

    left: np.ndarray
    right: np.ndarray
    levels: np.ndarray
    parts: np.ndarray
    weight: np.ndarray
    probability: np.ndarray

    def best(self, limit: int, least: float) -> np.ndarray:
        """Rows of the most probable pairs, best first."""
        order = np.argsort(-self.probability, kind="stable")[:limit]
        return order[self.probability[order] >= least]

    def select(self, mask: np.ndarray) -> "Scores":
        return Scores(
            self.left[mask],
            self.right[mask],
            self.levels[mask],
            self.parts[mask],
            self.weight[mask],
            self.probability[mask],
        )

    @classmethod
    def concatenate(cls, scores: Sequence["Scores"]) -> "Scores":
        return cls(
            *(
                np.concatenate([getattr(each, name) for each in scores])
                for name in cls.__dataclass_fields__
            )
        )


class Matcher:
    """Scores pairs of a table's rows with given weights."""

    def __init__(self, table: Table, weights: Weights | None = None):
        self.table = table
        self.weights = weights or Weights.load(table.layout.spec.weights)
        self.comparisons = (*comparisons(table.layout), HOUSEHOLD)

    @classmethod
    def of(
        cls, layout: Layout, records: Iterable[tuple[int, tuple[str, ...]]]
    ) -> "Matcher":
        """Matcher over (id, profile) records."""
        records = list(records)
        ids = [record_id for record_id, _profile in records]
        return cls(Table(layout, ids, [profile for _id, profile in records]))

    # -- scoring -----------------------------------------------------------------------

    def compare(self, left, right) -> tuple[np.ndarray, np.ndarray]:
        """(levels, bits) of pairs of rows, pairs x comparisons."""
        left, right = (
            np.asarray(left, dtype=np.int64),
            np.asarray(right, dtype=np.int64),
        )
        shape = (len(left), len(self.comparisons))
        levels, bits = np.zeros(shape, dtype=np.int8), np.zeros(shape, dtype=np.float32)
        for column, comparison in enumerate(self.comparisons[:-1]):
            levels[:, column], bits[:, column] = comparison.function(
                self.table, left, right
            )
        names = tuple(comparison.name for comparison in self.comparisons[:-1])
        levels[:, -1] = compare_households(names, levels[:, :-1])
        return levels, bits

    def score(self, left, right) -> Scores:
        """Score pairs of rows."""
        levels, bits = self.compare(left, right)
        return self.weigh(np.asarray(left), np.asarray(right), levels, bits)

    def weigh(self, left, right, levels, bits) -> Scores:
        """Scores of pairs that are compared already."""
        parts = self.weights.parts(self.comparisons, levels, bits)
        weight = parts.sum(axis=1) - self.weights.prior_bits(self.table.size)
        return Scores(
            left, right, levels, parts, weight, self.weights.probability(weight)
        )

    # -- explanation -------------------------------------------------------------------

    def evidence(self, scores: Scores, row: int) -> tuple[Evidence, ...]:
        """Every comparison that said something
        about a pair, the starting odds first."""
        left, right = int(scores.left[row]), int(scores.right[row])
        lines = [
            Evidence(
                "prior", "prior", -round(self.weights.prior_bits(self.table.size), 2)
            )
        ]
        for column, comparison in enumerate(self.comparisons):
            level = int(scores.levels[row, column])
            if level:
                lines.append(
                    Evidence(
                        comparison.name,
                        comparison.levels[level],
                        round(float(scores.parts[row, column]), 2),
                        self._shown(comparison, left),
                        self._shown(comparison, right),
                    )
                )
        return tuple(lines)

    def _shown(self, comparison, row: int) -> str:
        values = []
        for slot in comparison.slots:
            column = self.table[slot]
            if column.ids[row] >= 0:
                values.append(column.values[column.ids[row]])
        return " ".join(values)

    def pair(self, scores: Scores, row: int) -> PairScore:
        ids = self.table.record_ids
        left, right = int(ids[scores.left[row]]), int(ids[scores.right[row]])
        return PairScore(
            min(left, right),
            max(left, right),
            round(float(scores.probability[row]), 6),
            round(float(scores.weight[row]), 3),
            self.evidence(scores, row),
        )

    # -- groups ------------------------------------------------------------------------

    def groups(self, scores: Scores, suggest: float, denied=()) -> Iterable[Group]:
        """Groups of records, with the pairs inside and the chain links that were cut.

        :param denied: (id, id) pairs that a steward called "not a duplicate"
        """
        scores = scores.select(scores.probability >= NEGLIGIBLE)
        ids = self.table.record_ids
        left, right = ids[scores.left], ids[scores.right]
        pairs = list(
            zip(left.tolist(), right.tolist(), scores.probability.tolist(), strict=True)
        )
        found, cut = cluster(pairs, suggest, denied)
        group_of = {
            record: number for number, group in enumerate(found) for record in group
        }
        inside: list[list[int]] = [[] for _ in found]
        outside: list[list[int]] = [[] for _ in found]
        severed = set(cut)
        for row, (one, two, _probability) in enumerate(pairs):
            number = group_of.get(one)
            if number is not None and number == group_of.get(two):
                inside[number].append(row)
            elif (one, two) in severed:
                for each in {number, group_of.get(two)} - {None}:
                    outside[each].append(row)
        for number, group in enumerate(found):
            yield self._group(scores, group, inside[number], outside[number])

    def _group(self, scores, group, inside, outside) -> Group:
        inside.sort(key=lambda row: -scores.probability[row])
        outside.sort(key=lambda row: -scores.probability[row])
        return Group(
            tuple(group),
            float(scores.probability[inside].mean()),
            tuple(self.pair(scores, row) for row in inside),
            tuple(self.pair(scores, row) for row in outside),
        )
