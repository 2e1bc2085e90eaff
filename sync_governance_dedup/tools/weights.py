# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What each level of agreement is worth: Fellegi-Sunter weights with term frequencies.

A comparison that comes out at a level adds ``base + share * bits``: ``bits`` is the
rarity of the very values that agree (the u-probability of Fellegi and Sunter, value
by value), ``share`` how much of it counts (values of one record are not independent),
and ``base`` carries the m-probability: how often true duplicates come out at this
level. ``m`` is that probability as the shipped weights expect it.

:func:`estimate` moves ``base`` to the user's own data by expectation maximisation,
:func:`train` to what stewards decided. Both are deterministic, start from the shipped
weights as their prior and are bounded: EM alone may halve or double the odds of a
level, so that columns with little in them cannot turn evidence into its contrary.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

#: Shipped weights: kind of comparison -> level -> (base, share of the bits, m).
SHIPPED: dict[str, dict[str, tuple[float, float, float]]] = {
    "name": {
        "equal": (9.2, 0.26, 0.743),
        "typo": (6.2, 0.39, 0.134),
        "short_form": (3.8, 0.65, 0.039),
        "contained": (6.4, 0.31, 0.080),
        "mostly": (-4.9, 0.23, 0.002),
        "other_person": (-1.6, 0.00, 0.002),
        "partly": (0.6, 0.21, 0.002),
        "number_differs": (-5.0, 0.30, 0.002),
        "differs": (-5.0, 0.00, 0.002),
    },
    "legal": {
        "equal": (0.0, 0.00, 0.887),
        "differs": (-2.3, 0.00, 0.113),
    },
    "is_company": {
        "persons": (1.8, 0.00, 0.671),
        "companies": (0.0, 0.00, 0.304),
        "differs": (0.0, 0.00, 0.025),
    },
    "relation": {
        "contact_of": (-20.0, 0.00, 0.004),
        "siblings": (0.9, 0.40, 0.992),
        "other_company": (-3.5, 0.00, 0.004),
    },
    "email": {
        "equal": (-0.3, 0.28, 0.775),
        "typo": (-2.1, 0.25, 0.028),
        "mailbox": (-3.8, 0.03, 0.006),
        "domain": (-2.4, 0.10, 0.077),
        "differs": (-2.3, 0.00, 0.115),
    },
    "phone": {
        "equal": (-1.3, 0.45, 0.583),
        "typo": (-1.1, 0.54, 0.017),
        "other_line": (-0.2, 0.00, 0.236),
        "differs": (-2.1, 0.00, 0.164),
    },
    "vat": {
        "equal": (3.7, 0.53, 0.966),
        "typo": (1.0, 0.88, 0.034),
        "differs": (-4.3, 0.00, 0.002),
    },
    "address": {
        "equal": (4.7, 0.16, 0.689),
        "near": (-0.8, 0.48, 0.085),
        "same_street": (-6.0, 0.47, 0.002),
        "same_place": (0.3, 0.37, 0.122),
        "other_street": (-7.3, 0.78, 0.026),
        "same_house_other_place": (-1.4, 0.48, 0.002),
        "other_place": (-3.3, 0.00, 0.076),
    },
    "country": {
        "equal": (0.5, 0.00, 1.000),
        "differs": (-3.0, 0.00, 0.002),
    },
    "household": {
        "two": (-5.2, 0.00, 0.787),
        "three": (-9.9, 0.00, 0.213),
    },
    "code": {
        "equal": (0.9, 0.84, 0.950),
        "typo": (-2.0, 0.00, 0.030),  # references are numbered in series
        "differs": (-2.9, 0.00, 0.020),
    },
    "date": {
        "equal": (0.9, 0.84, 0.950),
        "typo": (0.1, 0.81, 0.030),
        "differs": (-2.9, 0.00, 0.020),
    },
    "text": {
        "equal": (0.4, 0.81, 0.336),
        "similar": (0.0, 0.74, 0.189),
        "differs": (-0.1, 0.00, 0.475),
    },
}

#: Duplicates expected per record as long as nobody has looked.
SHIPPED_RATE = 0.1
#: A smaller base is judged as one of this size: households and branches are as many,
#: for each record, among a hundred partners as among a million.
SMALLEST_BASE = 1000
#: Share of the odds of a larger base that blocking has overcome: only pairs that share
#: a key are judged, and the larger a base, the smaller a part of its pairs they are.
BLOCKED = 0.34
#: True pairs per record that are believable.
RATE_BOUNDS = (0.005, 5.0)

#: Rounds of expectation maximisation; the rate settles in the first ones.
ROUNDS, RATE_ROUNDS = 12, 2
#: Duplicates that the shipped m-probabilities are worth.
PRIOR_DUPLICATES = 100
#: Bits by which EM may move a level.
MOST_MOVED = 1.0
#: Kinds that EM leaves alone: what they say of duplicates is no matter of how well
#: a field is kept.
STRUCTURAL = frozenset(("relation", "household"))
#: Knuth's multiplier (TAOCP 3, 6.4): 2**64 over the golden mean, odd, well mixed.
HASHING = np.uint64(0x9E3779B97F4A7C15)
#: Undecided pairs that every level is taken to have seen before people decide.
TRAINING_CAUTION = 40

Figures = tuple[float, float, float]


@dataclass(frozen=True)
class Weights:
    """Weights of a rule.

    :ivar table: as :data:`SHIPPED`
    :ivar rate: true pairs expected per record, from which the starting odds follow
    """

    table: dict[str, dict[str, Figures]] = field(default_factory=lambda: SHIPPED)
    rate: float = SHIPPED_RATE

    @classmethod
    def load(cls, data: dict | None) -> "Weights":
        """Weights from JSON; kinds and levels that
        are absent keep the shipped figures."""
        if not data:
            return cls()
        bases = data.get("bases", {})
        table = {
            kind: {
                level: (bases.get(kind, {}).get(level, base), share, m)
                for level, (base, share, m) in levels.items()
            }
            for kind, levels in SHIPPED.items()
        }
        return cls(table, float(data.get("rate", SHIPPED_RATE)))

    def dump(self) -> dict:
        """JSON of the weights, see :meth:`load`."""
        bases = {
            kind: {level: figures[0] for level, figures in levels.items()}
            for kind, levels in self.table.items()
        }
        return {"bases": bases, "rate": self.rate}

    def moved(self, by: dict[tuple[str, str], float], rate: float) -> "Weights":
        """Weights with bits added to the bases of some (kind, level)."""
        table = {
            kind: {
                level: (round(base + by.get((kind, level), 0.0), 2), share, m)
                for level, (base, share, m) in levels.items()
            }
            for kind, levels in self.table.items()
        }
        return Weights(table, rate)

    def changes(self, after: "Weights") -> list[dict]:
        """What differs in another set of weights,
        for people to look at before it is used.

        :return: [{"field": kind, "level", "before": bits, "after": bits}]
        """
        return [
            {
                "field": kind,
                "level": level,
                "before": figures[0],
                "after": after.table[kind][level][0],
            }
            for kind, levels in self.table.items()
            for level, figures in levels.items()
            if after.table[kind][level][0] != figures[0]
        ]

    def prior_bits(self, size: int) -> float:
        """Bits that a candidate pair must overcome:
        log2 of strangers per true pair, less what sharing a key says."""
        size = max(size, SMALLEST_BASE)
        odds = np.log2(max((size - 1) / (2 * self.rate), 1.0))
        return float(odds - BLOCKED * np.log2(size / SMALLEST_BASE))

    def parts(self, comparisons: Sequence, levels, bits) -> np.ndarray:
        """Bits that each comparison adds, pairs x comparisons."""
        parts = np.zeros(bits.shape, dtype=np.float32)
        for column, comparison in enumerate(comparisons):
            figures = self.table[comparison.kind]
            rows = [figures.get(level, (0.0, 0.0))[:2] for level in comparison.levels]
            base, share = np.array(rows, dtype=np.float32).T
            level = levels[:, column]
            parts[:, column] = base[level] + share[level] * bits[:, column]
        return parts

    @staticmethod
    def probability(weight) -> np.ndarray:
        """Probability of being duplicates from the weight (in bits, prior included)."""
        return 1.0 / (1.0 + np.exp2(-np.clip(weight, -60.0, 60.0)))


def estimate(matcher, levels, bits, share: float = 1.0) -> Weights:
    """Weights moved to the data at hand by expectation
    maximisation, bounded by the shipped ones.

    Each round judges all pairs (E), then counts how often probable duplicates come out
    at each level and how many they are (M). A Dirichlet prior of
    :data:`PRIOR_DUPLICATES` holds the counts at the shipped m-probabilities: a base
    with few duplicates, or a column with few values, keeps what was shipped.

    :param matcher: the matcher whose weights are the start and the prior
    :param levels: levels of the candidate pairs, pairs x comparisons
    :param bits: rarity of what they share
    :param share: share of all candidate pairs that these are
    """
    start = weights = matcher.weights
    size = max(matcher.table.size, 1)
    # many pairs come out alike: what a round changes is counted by pattern of levels
    _hashes, first, row = np.unique(
        _hashed(levels), return_index=True, return_inverse=True
    )
    patterns = levels[first]
    no_bits = np.zeros(patterns.shape, dtype=np.float32)

    def by_levels():
        return weights.parts(matcher.comparisons, patterns, no_bits).sum(axis=1)[row]

    by_rarity = start.parts(matcher.comparisons, levels, bits).sum(axis=1) - by_levels()
    for number in range(ROUNDS):
        likely = weights.probability(
            by_levels() + by_rarity - weights.prior_bits(matcher.table.size)
        )
        rate = float(np.clip(likely.sum() / share / size, *RATE_BOUNDS))
        by = {}
        if number >= RATE_ROUNDS:
            found = np.bincount(row, likely, len(patterns))
            by = _moved_bits(start, matcher.comparisons, patterns, found)
        weights = start.moved(by, rate)
    return weights


def _hashed(levels: np.ndarray) -> np.ndarray:
    """64-bit number of each row, the same for equal rows."""
    found = np.zeros(len(levels), dtype=np.uint64)
    for column in levels.T:
        found = found * HASHING + column.astype(np.uint64)
    return found


def _moved_bits(start, comparisons, levels, likely) -> dict[tuple[str, str], float]:
    """Bits by which the m-probability of each level differs from the shipped one."""
    seen: dict[str, dict[str, float]] = {}
    for column, comparison in enumerate(comparisons):
        if comparison.kind not in STRUCTURAL:
            counts = np.bincount(levels[:, column], likely, len(comparison.levels))
            known = seen.setdefault(comparison.kind, {})
            for level, count in zip(comparison.levels[1:], counts[1:], strict=True):
                known[level] = known.get(level, 0.0) + float(count)
    by = {}
    for kind, counts in seen.items():
        total = sum(counts.values()) + PRIOR_DUPLICATES
        for level, count in counts.items():
            m = start.table[kind][level][2]
            found = (count + PRIOR_DUPLICATES * m) / total
            by[kind, level] = float(
                np.clip(np.log2(found / m), -MOST_MOVED, MOST_MOVED)
            )
    return by


def train(matcher, levels, bits, verdicts: Sequence[bool]) -> Weights:
    """Weights moved towards people's decisions: each level's base is corrected
    by the log ratio of the duplicates that were seen at it to those that were expected.

    :param verdicts: whether each pair is a duplicate
    """
    start = matcher.weights
    expected = matcher.weigh(None, None, levels, bits).probability
    truth = np.asarray(verdicts, dtype=float)
    by = {}
    for column, comparison in enumerate(matcher.comparisons):
        for number, level in enumerate(comparison.levels):
            at = levels[:, column] == number
            if number and at.any():
                moved = _odds_bits(truth[at]) - _odds_bits(expected[at])
                by[comparison.kind, level] = moved
    return start.moved(by, start.rate)


def _odds_bits(probabilities) -> float:
    """log2 odds of a mean that undecided pairs are mixed into."""
    yes = probabilities.sum() + TRAINING_CAUTION / 2
    no = len(probabilities) - probabilities.sum() + TRAINING_CAUTION / 2
    return float(np.log2(yes / no))
