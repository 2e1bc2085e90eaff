# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Candidate pairs out of blocking keys, in batches that fit in memory."""

from collections.abc import Iterator

import numpy as np

from .keys import CAP

#: Pairs that are compared at a time.
BATCH = 200_000


def candidate_pairs(
    rows: np.ndarray, keys: np.ndarray, size: int, first: int = 0, parts: int = 1
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Distinct pairs of rows that share a key
    which at most :data:`keys.CAP` rows share.

    :param rows: row of each key
    :param keys: the keys, same length
    :param size: number of rows
    :param first: part to begin with; a scan that was stopped goes on where it was
    :param parts: number of parts by the left row: memory is that of one part's pairs
    :return: (number of the part, left rows, right rows), left < right
    """
    order = np.argsort(keys, kind="stable")
    rows, keys = rows[order].astype(np.int32), keys[order]
    del order
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else keys
    sizes = np.diff(np.r_[starts, len(keys)])
    kept = (sizes > 1) & (sizes <= CAP)
    starts, sizes = starts[kept], sizes[kept].astype(np.int8)
    del keys
    for part in range(first, parts):
        low, high = size * part // parts, size * (part + 1) // parts
        codes = np.unique(_codes(rows, starts, sizes, size, low, high))
        yield part, codes // size, codes % size


def _codes(rows, starts, sizes, size, low, high):
    """left * size + right of the pairs whose left row is in ``low <= row < high``."""
    found = [np.zeros(0, dtype=np.int64)]
    for width in np.unique(sizes):
        # rows of a key are in ascending order, because the sort by key was stable
        blocks = rows[starts[sizes == width][:, None] + np.arange(width)]
        left, right = np.triu_indices(width, 1)
        for a, b in zip(left, right, strict=True):
            one, two = blocks[:, a], blocks[:, b]
            here = (one >= low) & (one < high)
            found.append(one[here].astype(np.int64) * size + two[here])
    return np.concatenate(found)


def batches(left: np.ndarray, right: np.ndarray):
    """Slices of at most :data:`BATCH` pairs."""
    for start in range(0, len(left), BATCH):
        yield left[start : start + BATCH], right[start : start + BATCH]
