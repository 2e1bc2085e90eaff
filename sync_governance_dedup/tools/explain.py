# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Why a pair scored as it did, in values that people can read."""

from collections.abc import Mapping

import numpy as np

from .compare import HOUSEHOLD, comparisons
from .profile import Layout
from .types import Evidence, PairScore, Role

#: Parts of a score are kept in hundredths of a bit.
SCALE = 100

#: Role of the field that a slot is made of; other slots are fields of their own.
_ROLES = {role.value: role for role in Role} | {
    "number": Role.STREET,
    "legal": Role.NAME,
}


class Explainer:
    """Turns levels and parts of scored pairs into :class:`types.PairScore`.

    :ivar prior: bits that a pair had to overcome, see :meth:`Weights.prior_bits`
    :ivar profiles: {record id: profile} of the records that are explained
    :ivar originals: {record id: raw values by field} of them, as far as they are known
    """

    def __init__(
        self,
        layout: Layout,
        prior: float,
        profiles: Mapping[int, tuple[str, ...]],
        originals: Mapping[int, dict] | None = None,
    ):
        self.prior, self.profiles, self.originals = prior, profiles, originals or {}
        place = {slot: number for number, slot in enumerate(layout.slots)}
        self._lines = [
            (
                comparison,
                tuple(place[slot] for slot in comparison.slots),
                _fields(layout, comparison.slots),
            )
            for comparison in (*comparisons(layout), HOUSEHOLD)
        ]

    def pair(
        self, one: int, other: int, probability: float, packed: bytes
    ) -> PairScore:
        """The score of two records with its evidence, the starting odds first.

        :param packed: levels and parts as :func:`pack` made them
        """
        left, right = min(one, other), max(one, other)
        lines = [Evidence("prior", "prior", -round(self.prior, 2))]
        weight = -self.prior
        for place, (comparison, slots, fields) in enumerate(self._lines):
            level = packed[place]
            if level:
                part = _part(packed, len(self._lines), place)
                weight += part
                lines.append(
                    Evidence(
                        comparison.name,
                        comparison.levels[level],
                        part,
                        _joined(self.profiles.get(left), slots),
                        _joined(self.profiles.get(right), slots),
                        _joined(self.originals.get(left), fields),
                        _joined(self.originals.get(right), fields),
                    )
                )
        return PairScore(
            left, right, round(probability, 6), round(weight, 3), tuple(lines)
        )


def pack(levels: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """One row of bytes a pair: its levels, then its parts in hundredths of a bit."""
    scaled = np.clip(np.round(parts * SCALE), -32768, 32767).astype("<i2")
    pairs, count = levels.shape
    behind = scaled.view(np.uint8).reshape(pairs, 2 * count)
    return np.concatenate([levels.astype(np.uint8), behind], axis=1)


def packed_size(layout: Layout) -> int:
    """Bytes of a row of :func:`pack`."""
    return 3 * (len(comparisons(layout)) + 1)


def _part(packed: bytes, count: int, place: int) -> float:
    start = count + 2 * place
    return int.from_bytes(packed[start : start + 2], "little", signed=True) / SCALE


def _fields(layout: Layout, slots: tuple[str, ...]) -> tuple[str, ...]:
    """Fields that slots are made of, each once."""
    found = (layout.fields.get(_ROLES.get(slot), slot) for slot in slots)
    return tuple(dict.fromkeys(found))


def _joined(values: tuple | dict | None, places: tuple) -> str:
    if not values:
        return ""
    get = values.get if isinstance(values, dict) else values.__getitem__
    return " ".join([str(each) for each in map(get, places) if each not in ("", None)])
