# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What each level of agreement is worth: Fellegi-Sunter weights with term frequencies.

A comparison that comes out at a level adds ``base + share * bits``: ``bits`` is the
rarity of the very values that agree (the u-probability of Fellegi and Sunter, value
by value), ``share`` how much of it counts (values of one record are not independent),
and ``base`` carries the m-probability: how often true duplicates come out at this
level. The shipped figures were fitted to many sets of different kinds; :func:`estimate`
moves ``base`` to the user's own data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

#: Shipped weights: kind of comparison -> level -> (base, share of the rarity bits).
SHIPPED: dict[str, dict[str, tuple[float, float]]] = {
    "name": {
        "equal": (8.2, 0.40),
        "typo": (3.0, 0.74),
        "short_form": (4.0, 0.97),
        "contained": (4.8, 0.40),
        "mostly": (-3.5, 0.40),
        "other_person": (0.5, 0.40),
        "partly": (-0.6, 0.40),
        "number_differs": (-3.6, 0.40),
        "differs": (-2.5, 0.00),
    },
    "legal": {
        "equal": (0.0, 0.00),
        "differs": (-1.2, 0.00),
    },
    "is_company": {
        "equal": (0.5, 0.00),
        "differs": (-1.0, 0.00),
    },
    "relation": {
        "contact_of": (-20.0, 0.00),
        "siblings": (1.0, 0.00),
    },
    "email": {
        "equal": (-2.6, 0.51),
        "typo": (-1.5, 0.55),
        "mailbox": (-4.3, 0.40),
        "domain": (-6.9, 0.40),
        "differs": (-1.7, 0.00),
    },
    "phone": {
        "equal": (-1.9, 0.42),
        "typo": (-1.8, 0.55),
        "differs": (-1.8, 0.00),
    },
    "vat": {
        "equal": (1.8, 0.96),
        "typo": (0.8, 0.82),
        "differs": (-2.8, 0.00),
    },
    "address": {
        "equal": (1.2, 0.40),
        "near": (-0.5, 0.59),
        "same_street": (-9.2, 0.92),
        "other_street": (-8.6, 1.00),
        "same_house_other_place": (-1.1, 0.54),
        "other_place": (-5.3, 0.00),
        "same_place": (-1.0, 0.51),
    },
    "country": {
        "equal": (0.0, 0.00),
        "differs": (-1.9, 0.00),
    },
    "household": {
        "two": (-3.2, 0.00),
        "three": (-4.7, 0.00),
    },
    "code": {
        "equal": (1.8, 0.96),
        "typo": (0.8, 0.82),
        "differs": (-2.8, 0.00),
    },
    "date": {
        "equal": (1.8, 0.96),
        "typo": (0.8, 0.82),
        "differs": (-2.8, 0.00),
    },
    "text": {
        "equal": (0.3, 0.79),
        "similar": (0.2, 0.77),
        "differs": (-0.5, 0.00),
    },
}

#: Duplicates expected per record as long as nobody has looked.
SHIPPED_RATE = 0.1
#: A smaller base is judged as one of this size: households and branches are as many,
#: for
#: each record, among a hundred partners as among a million.
SMALLEST_BASE = 1000
#: Rounds of expectation maximisation.
ROUNDS = 8
#: True pairs per record that are believable.
RATE_BOUNDS = (0.005, 5.0)
#: Undecided pairs that every level is taken to have seen before people decide.
TRAINING_CAUTION = 40


@dataclass(frozen=True)
class Weights:
    """Weights of a rule.

    :ivar table: as :data:`SHIPPED`
    :ivar rate: true pairs expected per record, from which the starting odds follow
    """

    table: dict[str, dict[str, tuple[float, float]]] = field(
        default_factory=lambda: SHIPPED
    )
    rate: float = SHIPPED_RATE

    @classmethod
    def load(cls, data: dict | None) -> "Weights":
        """Weights from JSON; kinds and levels that
        are absent keep the shipped figures."""
        if not data:
            return cls()
        learned = data.get("table", {})
        table = {
            kind: {
                level: tuple(learned.get(kind, {}).get(level, figures))
                for level, figures in levels.items()
            }
            for kind, levels in SHIPPED.items()
        }
        return cls(table, float(data.get("rate", SHIPPED_RATE)))

    def dump(self) -> dict:
        """JSON of the weights, see :meth:`load`."""
        table = {
            kind: {level: list(figures) for level, figures in levels.items()}
            for kind, levels in self.table.items()
        }
        return {"table": table, "rate": self.rate}

    def changes(self, after: "Weights") -> list[dict]:
        """What differs in another set of weights,
        for people to look at before it is used.

        :return: [{"field": kind, "level", "before": bits, "after": bits}]
        """
        return [
            {
                "field": kind,
                "level": level,
                "before": base,
                "after": after.table[kind][level][0],
            }
            for kind, levels in self.table.items()
            for level, (base, _share) in levels.items()
            if after.table[kind][level][0] != base
        ]

    def prior_bits(self, size: int) -> float:
        """Bits that a pair must overcome: log2 of strangers per true pair."""
        size = max(size, SMALLEST_BASE)
        return float(np.log2(max((size - 1) / (2 * self.rate), 1.0)))

    def parts(self, comparisons: Sequence, levels, bits) -> np.ndarray:
        """Bits that each comparison adds, pairs x comparisons."""
        parts = np.zeros(bits.shape, dtype=np.float32)
        for column, comparison in enumerate(comparisons):
            figures = self.table[comparison.kind]
            rows = [figures.get(level, (0.0, 0.0)) for level in comparison.levels]
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

    :param matcher: the matcher whose weights are the start and the prior
    :param levels: levels of the candidate pairs, pairs x comparisons
    :param bits: rarity of what they share
    :param share: share of all candidate pairs that these are
    """
    start = matcher.weights
    rate = start.rate
    for _round in range(ROUNDS):
        weights = Weights(start.table, rate)
        parts = weights.parts(matcher.comparisons, levels, bits)
        total = parts.sum(axis=1) - weights.prior_bits(matcher.table.size)
        found = weights.probability(total).sum() / share / max(matcher.table.size, 1)
        rate = float(np.clip(found, *RATE_BOUNDS))
    return Weights(start.table, rate)


def train(matcher, levels, bits, verdicts: Sequence[bool]) -> Weights:
    """Weights moved towards people's decisions: each level's base is corrected
    by the log ratio of the duplicates that were seen at it to those that were expected.

    :param verdicts: whether each pair is a duplicate
    """
    start = matcher.weights
    parts = start.parts(matcher.comparisons, levels, bits)
    expected = start.probability(
        parts.sum(axis=1) - start.prior_bits(matcher.table.size)
    )
    truth = np.asarray(verdicts, dtype=float)
    table = {kind: dict(figures) for kind, figures in start.table.items()}
    for column, comparison in enumerate(matcher.comparisons):
        for number, level in enumerate(comparison.levels):
            at = levels[:, column] == number
            if number and at.any():
                base, slope = start.table[comparison.kind].get(level, (0.0, 0.0))
                moved = _odds_bits(truth[at]) - _odds_bits(expected[at])
                table[comparison.kind][level] = (round(base + moved, 2), slope)
    return Weights(table, start.rate)


def _odds_bits(probabilities) -> float:
    """log2 odds of a mean that undecided pairs are mixed into."""
    yes = probabilities.sum() + TRAINING_CAUTION / 2
    no = len(probabilities) - probabilities.sum() + TRAINING_CAUTION / 2
    return float(np.log2(yes / no))
