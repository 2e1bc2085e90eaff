# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Rows as PostgreSQL's ``COPY`` reads and writes them: the fastest way in and out."""

import io
import re
from collections.abc import Iterable

import numpy as np

_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def copy_text(rows: Iterable[Iterable]) -> io.StringIO:
    """File in COPY's text format.

    :param rows: values of each row: text, numbers, booleans, or ``None`` for NULL
    """
    lines = ("\t".join(map(_copied, row)) + "\n" for row in rows)
    return io.StringIO("".join(lines))


def array_text(values: Iterable) -> str:
    """Literal of an array, of texts or integers. PostgreSQL reads it in one go; of the
    list that psycopg2 makes it would parse each element as an expression."""
    return f"{{{','.join(map(_element, values))}}}"


def _element(value) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", r"\\").replace('"', r"\"")
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)


def _copied(value) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPED) if _SPECIAL.search(value) else value
    return r"\N" if value is None else str(value)


class FixedRows:
    """File that ``COPY ... TO STDOUT (FORMAT binary)`` writes rows of one width to;
    what has come is never held whole beside its columns."""

    #: Bytes in front of the first row.
    HEADER = 19

    def __init__(self, *types):
        """
        :param types: numpy's types of the columns, in network order: ``>i4``, ``>f8``,
            ``V12`` for twelve bytes
        """
        #: A row: the number of its columns, and of each its length and its value.
        self._row = np.dtype(
            [("count", ">i2")]
            + [
                field
                for place, each in enumerate(types)
                for field in ((f"length{place}", ">i4"), (f"value{place}", each))
            ]
        )
        self._rest = bytearray()
        self._skipped = False
        self._columns = [[] for _type in types]

    def write(self, data):  # pylint: disable=method-required-super
        self._rest += data
        if len(self._rest) > 1 << 20:
            self._parse()

    def _parse(self):
        start = 0 if self._skipped else self.HEADER
        count = (len(self._rest) - start) // self._row.itemsize
        rows = np.frombuffer(bytes(self._rest), self._row, count, start)
        for place, chunks in enumerate(self._columns):
            values = rows[f"value{place}"]
            chunks.append(values.astype(values.dtype.newbyteorder("=")))
        del self._rest[: start + rows.nbytes]
        self._skipped = True

    def columns(self):
        """:return: one array a column"""
        self._parse()  # a trailer of two bytes is left
        chunks, self._columns = self._columns, []
        return [np.concatenate(each) for each in chunks]
