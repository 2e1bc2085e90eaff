# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Candidate pairs out of blocking keys, in parts that fit in memory."""

from collections.abc import Iterator

import numpy as np

from .keys import CAP, LONE

#: Pairs that are compared at a time.
BATCH = 100_000


def entries(keys: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What :class:`Blocks` are made of: the key above, the row below, so that one sort
    of plain integers brings together who shares a key."""
    return (keys.astype(np.int64) << 32) | rows


class Blocks:
    """Rows by the keys that they share; keys that say too little are left out."""

    def __init__(self, entries: np.ndarray):
        """
        :param entries: key and row that holds it, see :func:`entries`; sorted in place
        """
        entries.sort()
        keys = (entries >> 32).astype(np.int32)
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]][: len(keys)])
        sizes = np.diff(np.r_[starts, len(keys)])
        followed = (sizes > 1) & (sizes <= CAP)
        kept = np.repeat(followed, sizes)
        keys, sizes = keys[kept], sizes[followed]
        ends = np.repeat(np.cumsum(sizes), sizes)
        self._rows = (entries[kept] & 0xFFFFFFFF).astype(np.int32)
        self._size = int(self._rows.max(initial=0)) + 1
        # rows of the key that follow
        self._behind = (ends - np.arange(len(keys)) - 1).astype(np.int8)
        self._weak = (keys & 1 == 0) & np.repeat(sizes > LONE, sizes)

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
            codes = self._rows[left].astype(np.int64) * self._size
            codes += self._rows[left + step]
            found.append(codes << 1 | self._weak[left])
        codes = np.sort(np.concatenate(found))
        pair = codes >> 1
        first = np.r_[True, pair[1:] != pair[:-1]][: len(pair)]
        again = np.r_[pair[1:] == pair[:-1], False][: len(pair)]
        pair = pair[first & ((codes & 1 == 0) | again)]
        return pair // self._size, pair % self._size


def batches(left: np.ndarray, right: np.ndarray) -> Iterator:
    """Slices of at most :data:`BATCH` pairs; an empty one if there are none."""
    for start in range(0, max(len(left), 1), BATCH):
        yield left[start : start + BATCH], right[start : start + BATCH]
