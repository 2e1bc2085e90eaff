# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Candidate pairs out of blocking keys, in parts that fit in memory."""

from collections.abc import Iterator

import numpy as np

from .keys import CAP, LONE

#: Pairs that are compared at a time.
BATCH = 100_000


class Blocks:
    """Rows by the keys that they share; keys that say too little are left out."""

    def __init__(self, rows: np.ndarray, keys: np.ndarray, size: int):
        """
        :param rows: row of each key, below ``size``
        :param keys: the keys, same length, see :mod:`keys`
        :param size: number of rows
        """
        self.size = size
        # one sort of plain integers: the key above, the row below
        entries = np.sort((keys.astype(np.int64) << 32) | rows)
        keys = (entries >> 32).astype(np.int32)
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]][: len(keys)])
        sizes = np.diff(np.r_[starts, len(keys)])
        kept = np.repeat((sizes > 1) & (sizes <= CAP), sizes)
        weak = (keys & 1 == 0) & np.repeat(sizes > LONE, sizes)
        behind = np.repeat(starts + sizes, sizes) - np.arange(len(keys)) - 1
        self._rows = (entries[kept] & 0xFFFFFFFF).astype(np.int32)
        self._behind = behind[kept].astype(np.int8)  # rows of the key that follow
        self._weak = weak[kept]

    def pairs(self, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
        """Candidate pairs whose left row is in ``low <= row < high``.

        Two rows are candidates if they share an identifying key, any key that at most
        :data:`keys.LONE` rows share, or two keys that at most :data:`keys.CAP` share.

        :return: (left rows, right rows), left < right, sorted, each pair once
        """
        found = [np.zeros(0, dtype=np.int64)]
        left = np.flatnonzero((self._rows >= low) & (self._rows < high))
        for step in range(1, CAP):
            left = left[self._behind[left] >= step]
            codes = self._rows[left].astype(np.int64) * self.size
            codes += self._rows[left + step]
            found.append(codes << 1 | self._weak[left])
        codes = np.sort(np.concatenate(found))
        pair = codes >> 1
        first = np.r_[True, pair[1:] != pair[:-1]][: len(pair)]
        again = np.r_[pair[1:] == pair[:-1], False][: len(pair)]
        pair = pair[first & ((codes & 1 == 0) | again)]
        return pair // self.size, pair % self.size


def batches(left: np.ndarray, right: np.ndarray) -> Iterator:
    """Slices of at most :data:`BATCH` pairs; an empty one if there are none."""
    for start in range(0, max(len(left), 1), BATCH):
        yield left[start : start + BATCH], right[start : start + BATCH]
