# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The engine as the models use it: score pairs, explain them, group them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .blocking import batches
from .cluster import chains, cluster
from .compare import HOUSEHOLD, compare_households, comparisons
from .explain import Explainer, pack
from .profile import Layout
from .table import Table
from .types import Group
from .weights import Weights

#: Probability below which a pair is not even kept as a doubt against a group.
NEGLIGIBLE = 0.01
#: Batches of pairs that are compared at the same time.
THREADS = 2


class ScoredPair(NamedTuple):
    """A scored pair of records; ``packed`` explains it, see :mod:`explain`."""

    left: int
    right: int
    probability: float
    packed: bytes


@dataclass
class Pairs:
    """Scored pairs of records, row by row of the arrays: many in little room.

    :ivar packed: pairs x bytes, see :func:`explain.pack`
    """

    left: np.ndarray
    right: np.ndarray
    probability: np.ndarray
    packed: np.ndarray

    def __len__(self) -> int:
        return len(self.left)

    def __iter__(self) -> Iterator[ScoredPair]:
        columns = (self.left, self.right, self.probability)
        lists = (column.tolist() for column in columns)
        return map(ScoredPair, *lists, map(np.ndarray.tobytes, self.packed))

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(
            *map(np.concatenate, zip(self.columns, other.columns, strict=True))
        )

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        return self.left, self.right, self.probability, self.packed

    def take(self, rows) -> "Pairs":
        rows = np.asarray(rows, dtype=np.int64)
        return Pairs(*(column[rows] for column in self.columns))


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
        return cls(Table(layout, [list(records)]))

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

    def compare_all(self, left, right) -> tuple[np.ndarray, np.ndarray]:
        """(levels, bits) of many pairs, compared in batches, by two threads: numpy and
        rapidfuzz let go of the interpreter while they compute."""
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(
                pool.map(self.compare, *zip(*batches(left, right), strict=True))
            )
        levels, bits = (np.concatenate(each) for each in zip(*found, strict=True))
        return levels, bits

    def weigh(self, left, right, levels, bits) -> Scores:
        """Scores of pairs that are compared already."""
        parts = self.weights.parts(self.comparisons, levels, bits)
        weight = parts.sum(axis=1) - self.weights.prior_bits(self.table.size)
        return Scores(
            left, right, levels, parts, weight, self.weights.probability(weight)
        )

    # -- explanation -------------------------------------------------------------------

    def explainer(self, profiles, originals=None) -> Explainer:
        prior = self.weights.prior_bits(self.table.size)
        return Explainer(self.table.layout, prior, profiles, originals)

    def pairs(self, scores: Scores) -> Pairs:
        """Scored pairs by record ids."""
        ids = self.table.record_ids
        return Pairs(
            ids[scores.left],
            ids[scores.right],
            scores.probability,
            pack(scores.levels, scores.parts),
        )


def clusters(
    pairs: Pairs, suggest: float, denied=()
) -> Iterator[tuple[list[int], list[int], list[int]]]:
    """Groups of records, with the pairs inside and the chain links that were cut.

    :param denied: (id, id) pairs that a steward called "not a duplicate"
    :return: (record ids, rows of the pairs inside, rows of those cut), best pairs first
    """
    left, right, best = pairs.left, pairs.right, pairs.probability
    likely = best >= suggest
    chain_of = chains(left[likely].tolist(), right[likely].tolist())
    one, other = (
        np.fromiter((chain_of.get(record, -1) for record in side.tolist()), np.int64)
        for side in (left, right)
    )
    rows = np.flatnonzero((one == other) & (one >= 0))
    rows = rows[np.lexsort((-best[rows], one[rows]))]
    ends = np.flatnonzero(np.diff(one[rows], append=-1)) + 1
    foes = defaultdict(list)
    for pair in denied:
        foes[chain_of.get(pair[0])].append(pair)
    start = 0
    for end in ends.tolist():
        some = rows[start:end]
        links = list(
            zip(
                left[some].tolist(),
                right[some].tolist(),
                best[some].tolist(),
                strict=True,
            )
        )
        chain = int(one[some[0]])
        yield from _clusters_of(links, some.tolist(), suggest, foes.get(chain, ()))
        start = end


def _clusters_of(links, rows, suggest, denied):
    """:func:`clusters` of one chain."""
    found, cut = cluster(links, suggest, denied)
    group_of = {
        record: number for number, group in enumerate(found) for record in group
    }
    inside: list[list[int]] = [[] for _ in found]
    outside: list[list[int]] = [[] for _ in found]
    severed = set(cut)
    for (left, right, _probability), row in zip(links, rows, strict=True):
        one, other = group_of.get(left), group_of.get(right)
        if one is not None and one == other:
            inside[one].append(row)
        elif (left, right) in severed:
            for each in {one, other} - {None}:
                outside[each].append(row)
    return zip(found, inside, outside, strict=True)


def explained(group, inside, outside, explainer: Explainer) -> Group:
    """A group of :func:`clusters` with its evidence."""
    mean = sum(pair.probability for pair in inside) / len(inside)
    return Group(
        tuple(group),
        mean,
        tuple(explainer.pair(*pair) for pair in inside),
        tuple(explainer.pair(*pair) for pair in outside),
    )
