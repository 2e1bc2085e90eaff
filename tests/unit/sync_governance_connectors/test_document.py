"""Documents of partners, row by row."""

import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_connectors.tools.document import (
    DocumentError,
    Layout,
    Row,
    as_text,
    flat_rows,
    read,
    write,
)

CSV = Layout("csv")
JSON = Layout("json")
LINES = Layout("jsonl")
XML = Layout("xml", rows="order")


# What a cell can hold: no NUL, no half characters.
cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffd"), min_size=1
)


def rows(data, layout):
    return list(read(io.BytesIO(data), layout))


class Pieces:
    """A stream that nobody holds in memory as a whole."""

    def __init__(self, pieces):
        self.pieces = iter(pieces)
        self.rest = b""

    def read(self, size):
        self.rest = self.rest or next(self.pieces, b"")
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


def peak(pieces, layout):
    """Bytes that reading 100,000 rows holds at most."""
    tracemalloc.start()
    try:
        assert sum(1 for _row in read(Pieces(pieces), layout)) == 100_000
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestCsv:
    def test_cells_are_text_and_empty_ones_null(self):
        assert rows(b"id,qty\r\nA1,007\r\nA2,\r\n", CSV) == [
            Row(1, {"id": "A1", "qty": "007"}),
            Row(2, {"id": "A2", "qty": None}),
        ]

    def test_a_byte_order_mark_is_not_part_of_the_first_name(self):
        assert rows(b"\xef\xbb\xbfid\nA1\n", CSV) == [Row(1, {"id": "A1"})]

    def test_a_short_file_with_a_mark(self):
        with pytest.raises(DocumentError, match="UTF-16"):
            rows("id\nA1\n".encode("utf-16"), CSV)

    def test_another_delimiter_and_charset(self):
        layout = Layout("csv", charset="cp1252", delimiter=";")
        data = "name;city\nMüller;Köln\n".encode("cp1252")
        assert rows(data, layout) == [Row(1, {"name": "Müller", "city": "Köln"})]

    def test_a_row_in_another_charset_does_not_drop_the_rest(self):
        data = b"name\nK\xf6ln\nBonn\n"
        first, second = rows(data, CSV)
        assert first.message is None and "charset utf-8" in first.error
        assert second == Row(2, {"name": "Bonn"})

    def test_a_row_of_another_width_does_not_drop_the_rest(self):
        first, second = rows(b"a,b\n1\n1,2\n", CSV)
        assert first.error == "1 cells where the header has 2"
        assert second.message == {"a": "1", "b": "2"}

    def test_line_breaks_in_quotes(self):
        assert rows(b'a,b\n"x\ny",2\n', CSV) == [Row(1, {"a": "x\ny", "b": "2"})]

    def test_a_quote_that_never_ends_is_said_with_its_row(self):
        with pytest.raises(DocumentError, match="Row 2 .* complete"):
            rows(b'a\n1\n"half-writ', CSV)

    def test_a_nul_is_refused_with_its_row(self):
        assert rows(b"a\nx\0y\nz\n", CSV)[-1].message == {"a": "z"}

    @pytest.mark.parametrize("data", [b"", b"a,a\n", b"a,,b\n", b"\xff,a\n"])
    def test_a_header_that_cannot_be_used(self, data):
        with pytest.raises(DocumentError):
            rows(data, CSV)

    def test_an_endless_line(self):
        with pytest.raises(DocumentError, match="1 MB"):
            rows(b"a\n" + b"x" * 3_000_000, CSV)

    def test_an_unknown_charset(self):
        with pytest.raises(DocumentError, match="klingon"):
            rows(b"a\n", Layout("csv", charset="klingon"))

    @given(
        st.lists(
            st.fixed_dictionaries(
                {
                    "a": st.none() | cells,
                    "b": cells,
                }
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_what_is_written_is_read_again(self, messages):
        data = b"".join(write(messages, CSV))
        assert [row.message for row in rows(data, CSV)] == messages

    def test_memory_stays_flat(self):
        document = [b"id,name\n", *[b"A1,x\n" * 1000] * 100]
        assert peak(document, CSV) < 1_000_000


class TestJson:
    def test_a_list(self):
        data = b'[{"id": 1, "price": 9.5}, {"id": 12345678901234567890}]'
        assert rows(data, JSON) == [
            Row(1, {"id": 1, "price": 9.5}),
            Row(2, {"id": 12345678901234567890}),
        ]

    def test_a_list_within(self):
        layout = Layout("json", rows="data.orders")
        data = b'{"data": {"orders": [{"id": 1}], "next": null}}'
        assert rows(data, layout) == [Row(1, {"id": 1})]

    def test_a_row_that_is_no_object_does_not_drop_the_rest(self):
        assert [row.error for row in rows(b'[1, {"id": 1}]', JSON)] == [
            "not an object",
            "",
        ]

    def test_html_with_status_200(self):
        with pytest.raises(DocumentError, match="not JSON"):
            rows(b"<html><body>Login</body></html>", JSON)

    def test_half_a_document_says_how_far_it_came(self):
        seen = []
        with pytest.raises(DocumentError, match="After row 1"):
            for row in read(io.BytesIO(b'[{"id": 1}, {"id":'), JSON):
                seen.append(row.number)
        assert seen == [1]

    @pytest.mark.parametrize("row", [b"[" * 100_000, b'{"a": ' + b"1" * 10_000 + b"}"])
    def test_what_python_cannot_hold_is_told(self, row):
        with pytest.raises(DocumentError, match="After row 0"):
            rows(b"[" + row + b"]", JSON)

    def test_lines(self):
        data = b'{"id": 1}\n\nnonsense\n{"id": 1, "id": 2}\n{"id": 3}\n'
        found = rows(data, LINES)
        assert [row.message for row in found] == [{"id": 1}, None, None, {"id": 3}]

    @pytest.mark.parametrize("layout", [JSON, LINES, Layout("json", rows="a.b")])
    def test_what_is_written_is_read_again(self, layout):
        messages = [{"id": 1, "lines": [{"sku": "Ä"}]}, {"id": None}]
        data = b"".join(write(messages, layout))
        assert [row.message for row in rows(data, layout)] == messages

    def test_no_rows(self):
        assert json.loads(b"".join(write([], JSON))) == []


class TestXml:
    def test_attributes_text_and_repeated_elements(self):
        data = b"""<?xml version="1.0"?>
            <orders xmlns="urn:x"><order id="7"><ref>A1</ref><note/>
            <line n="1">x</line><line n="2">y</line></order>
            <order id="8"><line n="1">x</line></order></orders>"""
        layout = Layout("xml", rows="order", lists=frozenset({"line"}))
        assert [row.message for row in rows(data, layout)] == [
            {
                "@id": "7",
                "ref": "A1",
                "note": None,
                "line": [{"@n": "1", "#text": "x"}, {"@n": "2", "#text": "y"}],
            },
            {"@id": "8", "line": [{"@n": "1", "#text": "x"}]},
        ]

    @pytest.mark.parametrize(
        "dtd",
        [
            b'<!DOCTYPE orders SYSTEM "file:///etc/passwd">',
            b'<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            b'<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        ],
    )
    def test_a_dtd_is_refused(self, dtd):
        data = b'<?xml version="1.0"?>' + dtd + b"<orders><order>&x;</order></orders>"
        with pytest.raises(DocumentError):
            rows(data, XML)

    def test_elements_that_are_no_row_are_forgotten(self):
        document = [b"<orders>", *[b"<x/>" * 1000] * 40]
        document += [b"<order><id>1</id></order>" * 1000] * 100
        assert peak([*document, b"</orders>"], XML) < 2_000_000

    def test_a_row_of_endless_elements(self):
        data = b"<orders><order>" + b"<x/>" * 60_000 + b"</order></orders>"
        with pytest.raises(DocumentError, match="50000 elements"):
            rows(data, XML)

    def test_half_a_document_says_how_far_it_came(self):
        with pytest.raises(DocumentError, match="After row 1"):
            rows(b"<orders><order><id>1</id></order><order><i", XML)

    def test_memory_stays_flat(self):
        document = [b"<orders>", *[b"<order><id>1</id></order>" * 1000] * 100]
        assert peak([*document, b"</orders>"], XML) < 2_000_000

    def test_what_is_written_is_read_again(self):
        messages = [{"@id": "7", "line": [{"sku": "<&>"}, {"sku": "Ä"}]}]
        data = b"".join(write(messages, XML))
        assert [row.message for row in rows(data, XML)] == messages

    def test_a_name_that_xml_does_not_have(self):
        with pytest.raises(DocumentError):
            b"".join(write([{"1 2": "x"}], XML))


def test_a_cell_cannot_hold_a_list():
    with pytest.raises(DocumentError):
        b"".join(write([{"a": [1]}], CSV))


def test_a_character_that_the_charset_lacks():
    with pytest.raises(DocumentError, match="cp1252"):
        b"".join(write([{"a": "漢"}], Layout("csv", charset="cp1252")))


# -- rows of one thing ---------------------------------------------------------------

GROUPED = Layout("csv", group="id")


def test_rows_that_agree_are_one_message():
    data = b"id,item\nA,1\nA,2\nB,3\n"
    assert rows(data, GROUPED) == [
        Row(
            1,
            {
                "id": "A",
                "item": "1",
                "rows": [{"id": "A", "item": "1"}, {"id": "A", "item": "2"}],
            },
        ),
        Row(2, {"id": "B", "item": "3", "rows": [{"id": "B", "item": "3"}]}),
    ]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("A,1\nA\nA,2\nB,3\n", ["B"]),  # in the middle of A
        ("A,1\nA\nB,3\nC,4\n", ["C"]),  # the end of A, or the beginning of B
        ("A,1\n,2\n", []),  # of nobody knows whom
        ("A\nB,1\n", []),
        ("A,1\nB,1\nB\n", ["A"]),
    ],
)
def test_what_stands_beside_an_unreadable_row_is_not_told_as_a_whole(text, good):
    found = rows(b"id,item\n" + text.encode(), GROUPED)
    assert [row.message["id"] for row in found if row.message] == good
    assert all(bool(row.error) != bool(row.message) for row in found)


def test_the_column_of_a_group_must_be_there_and_groups_end():
    with pytest.raises(DocumentError, match="no column id"):
        rows(b"x\n1\n", GROUPED)
    with pytest.raises(DocumentError, match="More than 500 rows"):
        rows(b"id\n" + b"A\n" * 501, GROUPED)


def test_a_message_becomes_the_rows_of_a_table():
    message = {"order": "7", "rows": [{"item": "a"}, {"item": "b", "qty": 2}]}
    assert list(flat_rows(message, ("order", "item", "qty"))) == [
        {"order": "7", "item": "a", "qty": None},
        {"order": "7", "item": "b", "qty": 2},
    ]
    assert list(flat_rows({"order": "7"}, ("order", "item"))) == [
        {"order": "7", "item": None}
    ]


def test_an_xml_document_that_is_one_row():
    assert rows(b"<c><id>1</id></c>", Layout("xml")) == [Row(1, {"id": "1"})]


@pytest.mark.parametrize(
    ("body", "kind", "charset", "text"),
    [
        ("Jörg".encode(), "csv", "", "Jörg"),
        ("\ufeffJörg".encode(), "csv", "", "Jörg"),
        ("Jörg".encode("cp1252"), "csv", "windows-1252", "Jörg"),
        ("Jörg".encode("cp1252"), "csv", "", "J\ufffdrg"),
        ("Jörg".encode(), "csv", "no-such", "Jörg"),
        (
            '<?xml version="1.0" encoding="latin-1"?><a>ö</a>'.encode("latin-1"),
            "xml",
            "",
            "<a>ö</a>",
        ),
        ('<?xml version="1.0"?><a>ö</a>'.encode(), "xml", "", "<a>ö</a>"),
        (b"a\0b", "csv", "", "a\ufffdb"),
    ],
)
def test_a_document_as_text(body, kind, charset, text):
    assert as_text(body, kind, charset) == text
