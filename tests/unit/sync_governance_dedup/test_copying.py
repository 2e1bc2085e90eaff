import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_dedup.tools.copying import (
    FixedRows,
    array_text,
    copy_text,
)

INTEGERS = st.integers(-(2**31), 2**31 - 1)


def test_a_line_a_row_whatever_is_in_the_values():
    rows = [(1, "a\tb\nc\\d\r", None), (2.5, "", True)]
    text = copy_text(rows).read()
    assert text == "1\ta\\tb\\nc\\\\d\\r\t\\N\n2.5\t\tTrue\n"
    assert copy_text([]).read() == ""


def test_arrays_as_postgresql_reads_them():
    assert array_text([1, -2]) == "{1,-2}"
    assert array_text(['a"b', "c\\d,{}", "", None]) == r'{"a\"b","c\\d,{}","",NULL}'
    assert array_text([]) == "{}"


@given(st.lists(st.tuples(INTEGERS, INTEGERS)), st.integers(1, 64))
def test_integers_come_back_however_they_are_cut(rows, size):
    packed = b"".join(struct.pack(">hiiii", 2, 4, one, 4, two) for one, two in rows)
    data = b"PGCOPY\n\xff\r\n\0" + bytes(8) + packed + b"\xff\xff"
    found = FixedRows(">i4", ">i4")
    for start in range(0, len(data), size):
        found.write(data[start : start + size])
    left, right = found.columns()
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == rows
    assert left.dtype == np.int32
