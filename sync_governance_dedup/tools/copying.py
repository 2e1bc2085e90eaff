# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Rows as PostgreSQL's ``COPY`` reads and writes them: the fastest way in and out."""

import io
from collections.abc import Iterable

import numpy as np

_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def copy_text(rows: Iterable[Iterable]) -> io.StringIO:
    """File in COPY's text format.

    :param rows: values of each row: text, numbers, booleans, or ``None`` for NULL
    """
    lines = ("\t".join(map(_copied, row)) + "\n" for row in rows)
    return io.StringIO("".join(lines))


def _copied(value) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPED)
    return r"\N" if value is None else str(value)


class IntegerRows:
    """File that ``COPY ... TO STDOUT (FORMAT binary)`` writes rows of two 4-byte
    integers to; what has come is never held whole beside its columns."""

    #: Number of columns, and twice a length and a value.
    ROW = np.dtype(
        [("n", ">i2"), ("_a", ">i4"), ("left", ">i4"), ("_b", ">i4"), ("right", ">i4")]
    )
    #: Bytes in front of the first row.
    HEADER = 19

    def __init__(self):
        self._rest = bytearray()
        self._skipped = False
        self._left = [np.zeros(0, dtype=np.int32)]
        self._right = [np.zeros(0, dtype=np.int32)]

    def write(self, data):  # pylint: disable=method-required-super
        self._rest += data
        if len(self._rest) > 1 << 20:
            self._parse()

    def _parse(self):
        start = 0 if self._skipped else self.HEADER
        count = (len(self._rest) - start) // self.ROW.itemsize
        rows = np.frombuffer(bytes(self._rest), self.ROW, count, start)
        self._left.append(rows["left"].astype(np.int32))
        self._right.append(rows["right"].astype(np.int32))
        del self._rest[: start + rows.nbytes]
        self._skipped = True

    def columns(self):
        """:return: (left column, right column), as arrays"""
        self._parse()  # a trailer of two bytes is left
        return np.concatenate(self._left), np.concatenate(self._right)
