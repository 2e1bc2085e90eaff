# Part of Sync governance. See LICENSE file for full copyright and licensing details.
"""Documents of partners, read and written row by row: JSON, JSON lines, CSV, XML.

A document is a stream of rows; each row becomes one message, as a webhook would have
brought it, so that the same mapping applies. Memory stays flat however long the
document is. One bad row is a :class:`Row` with an error and never drops the rest; what
makes the whole document unreadable raises :class:`DocumentError`.

In CSV every value is text, an empty cell is null. XML follows the usual convention
(attributes as ``@name``, an element's text beside attributes as ``#text``, repeated
elements as a list); namespaces are dropped, DTDs and entities of its own refused
(https://owasp.org/www-community/vulnerabilities/XML_External_Entity_(XXE)_Processing).
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

import ijson
from lxml import etree

from . import jsonbody
from .problem import Problem

MAX_ROW = 1024 * 1024
MAX_COLUMNS = 500
MAX_GROUP = 500
#: where the rows of one thing are in its message
ROWS = "rows"
MAX_ELEMENTS = 50_000
MAX_DEPTH = jsonbody.MAX_DEPTH
CHUNK = 64 * 1024
# The C implementations crash on numbers without end.
_JSON = ijson.get_backend("python")
_XML_DECLARATION = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<\?xml\b[^>]*?(?:encoding\s*=\s*[\"']([\w.-]+)[\"'][^>]*)?\?>"
)
_UTF8_BOM = codecs.BOM_UTF8
_OTHER_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class DocumentError(ValueError):
    """The document as a whole cannot be read; the text says what to do."""


@dataclass(frozen=True)
class Layout:
    """How a partner writes its documents.

    :ivar format: ``json``, ``jsonl``, ``csv`` or ``xml``
    :ivar charset: Python codec name; a byte order mark of UTF-8 is skipped
    :ivar delimiter: between the cells of CSV
    :ivar rows: where the rows are: JSON, dotted path of the list (empty: the document
        is the list); XML, the element that stands for one row (empty: the document
        is one row)
    :ivar lists: XML elements that are a list even if they occur once
    :ivar group: CSV: rows that follow each other and agree in this column are one
        message: the first row's cells, and all of them as its list ``rows``
    """

    format: str
    charset: str = "utf-8"
    delimiter: str = ","
    rows: str = ""
    lists: frozenset[str] = frozenset()
    group: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a document.

    :ivar number: from 1; CSV: the data row, without the header
    :ivar message: None when the row cannot be read
    :ivar error: why not, empty otherwise
    """

    number: int
    message: dict[str, Any] | None
    error: str = ""


def read(stream: BinaryIO, layout: Layout) -> Iterator[Row]:
    """The rows of a document, as they come.

    :raise DocumentError: it is not what the layout says; rows before the fault have
        been given already
    """
    readers = {"json": _json, "jsonl": _lines, "csv": _csv, "xml": _xml}
    try:
        codecs.lookup(layout.charset)
    except LookupError:
        raise DocumentError(f"There is no charset {layout.charset!r}.") from None
    rows = readers[layout.format](_without_bom(stream), layout)
    grouped = layout.format == "csv" and layout.group
    yield from _grouped(rows, layout.group) if grouped else rows


def write(messages: Iterable[Mapping[str, Any]], layout: Layout) -> Iterator[bytes]:
    """A document of the messages, in pieces.

    The columns of CSV and their order are those of the first message.

    :raise DocumentError: a message that the format cannot hold
    """
    writers = {
        "json": _write_json,
        "jsonl": _write_lines,
        "csv": _write_csv,
        "xml": _write_xml,
    }
    return writers[layout.format](messages, layout)


def as_text(body: bytes, kind: str, charset: str = "") -> str:
    """A small document as text, whatever it was encoded in.

    What is not in its charset becomes U+FFFD, for which its row is refused.

    :param charset: as declared beside it; else XML's own declaration or UTF-8 counts
    """
    declared = _XML_DECLARATION.match(body) if kind == "xml" else None
    if declared:
        charset = charset or (declared[1] or b"").decode()
        body = body[declared.end() :]
    try:
        codec = codecs.lookup(charset or "utf-8").name
    except LookupError:
        codec = "utf-8"
    text = body.decode("utf-8-sig" if codec == "utf-8" else codec, "replace")
    return text.replace("\0", "\ufffd")


class _Pushback(io.RawIOBase):
    """A stream with some bytes put back in front."""

    def __init__(self, head: bytes, stream: BinaryIO):
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head or self._stream.read(len(buffer))
        taken, self._head = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _without_bom(stream: BinaryIO) -> io.BufferedReader:
    head = stream.read(4)
    for mark, name in _OTHER_BOMS.items():
        if head.startswith(mark):
            raise DocumentError(f"The document is {name}; ask for UTF-8.")
    return io.BufferedReader(
        _Pushback(head.removeprefix(_UTF8_BOM), stream), buffer_size=CHUNK
    )


# -- CSV -----------------------------------------------------------------------------


def _csv(stream: io.BufferedReader, layout: Layout) -> Iterator[Row]:
    # Undecodable bytes become lone surrogates, so that only their row is refused.
    text = io.TextIOWrapper(
        stream, encoding=layout.charset, errors=_tolerant(layout.charset), newline=""
    )
    rows = csv.reader(
        _bounded_lines(text), delimiter=layout.delimiter or ",", strict=True
    )
    header = _header(rows)
    number = 0
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise DocumentError(
                f"Row {number + 1} is not CSV: {error}. Is the file complete?"
            ) from None
        if not cells:
            continue
        number += 1
        yield _csv_row(number, header, cells, layout)


def _tolerant(charset: str) -> str:
    """The error handler that keeps what it cannot read; only UTF-8 and ASCII can."""
    name = codecs.lookup(charset).name
    return "surrogateescape" if name in ("utf-8", "ascii") else "replace"


def _bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MAX_ROW):
        if len(line) >= MAX_ROW:
            raise DocumentError("A line is longer than 1 MB: is it CSV at all?")
        yield line


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() for name in next(rows)]
    except StopIteration:
        raise DocumentError("The file is empty: not even a header.") from None
    except csv.Error as error:
        raise DocumentError(f"The header is not CSV: {error}.") from None
    if header[:1] and header[0].startswith("<"):
        raise DocumentError("This is a web page or XML, not CSV.")
    if len(header) > MAX_COLUMNS:
        raise DocumentError(f"More than {MAX_COLUMNS} columns.")
    if not all(header) or len(set(header)) != len(header):
        raise DocumentError("Each column needs a name of its own in the first line.")
    if any(_undecoded(name) for name in header):
        raise DocumentError("The header is not in the charset that was agreed.")
    return header


def _csv_row(number: int, header: list[str], cells: list[str], layout: Layout) -> Row:
    if len(cells) != len(header):
        return Row(
            number, None, f"{len(cells)} cells where the header has {len(header)}"
        )
    if any(_undecoded(cell) for cell in cells):
        return Row(number, None, f"not in the charset {layout.charset}")
    if any("\0" in cell for cell in cells):
        return Row(number, None, "holds a NUL character")
    return Row(
        number,
        {name: cell or None for name, cell in zip(header, cells, strict=True)},
    )


def _grouped(rows: Iterator[Row], column: str) -> Iterator[Row]:
    """One message for the rows of one thing.

    A row that cannot be read may belong to the things on both of its sides: neither is
    told, as what is left of it would be taken for the whole.
    """
    number, group, fault, fault_since = 1, [], "", ""
    for row in rows:
        if row.message is not None and column not in row.message:
            raise DocumentError(f"There is no column {column}.")
        key = (row.message or {}).get(column)
        if key is None:
            why = row.error or f"{column} is empty"
            fault_since = f"row {row.number}: {why}"
            fault = fault or fault_since
            continue
        if group and key != group[0][column]:
            yield _as_one(number, group, fault)
            number, group, fault = number + 1, [], fault_since
        group.append(row.message)
        fault_since = ""
        if len(group) > MAX_GROUP:
            raise DocumentError(f"More than {MAX_GROUP} rows of one {column}.")
    if group or fault:
        yield _as_one(number, group, fault)


def _as_one(number: int, group: list[dict[str, Any]], fault: str) -> Row:
    if fault:
        return Row(number, None, fault)
    return Row(number, {**group[0], ROWS: group})


def flat_rows(
    message: Mapping[str, Any], columns: Iterable[str]
) -> Iterator[dict[str, Any]]:
    """The rows of a table that a message stands for: one for each of its list
    ``rows``, or itself. Each has all columns."""
    columns = list(columns)
    for part in message.get(ROWS) or [{}]:
        cells = {**message, **part}
        yield {name: cells.get(name) for name in columns}


def _undecoded(text: str) -> bool:
    return not text.isascii() and any(
        "\ud800" <= char <= "\udfff" or char == "\ufffd" for char in text
    )


def _write_csv(
    messages: Iterable[Mapping[str, Any]], layout: Layout
) -> Iterator[bytes]:
    columns: list[str] = []
    buffer = io.StringIO(newline="")
    rows = csv.writer(buffer, delimiter=layout.delimiter or ",", lineterminator="\r\n")
    for message in messages:
        if not columns:
            columns = list(message)
            rows.writerow(columns)
        if set(message) != set(columns):
            raise DocumentError("Every row of a CSV needs the same columns.")
        rows.writerow([_cell(message[name]) for name in columns])
        if buffer.tell() > CHUNK:
            yield _drained(buffer, layout.charset)
    yield _drained(buffer, layout.charset)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise DocumentError("A cell of a CSV cannot hold a list or an object.")
    return str(value)


def _drained(buffer: io.StringIO, charset: str) -> bytes:
    data = _encoded(buffer.getvalue(), charset)
    buffer.seek(0)
    buffer.truncate()
    return data


def _encoded(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset)
    except UnicodeEncodeError as error:
        raise DocumentError(
            f"{error.object[error.start : error.end]!r} does not exist in {charset}."
        ) from None


# -- JSON ----------------------------------------------------------------------------


def _json(stream: io.BufferedReader, layout: Layout) -> Iterator[Row]:
    number = 0
    try:
        for item in _items(stream, layout.rows.split(".") if layout.rows else []):
            number += 1
            yield _object_row(number, _floats(item))
    except (ijson.JSONError, ValueError) as error:
        raise DocumentError(
            f"After row {number} the document is not JSON: {str(error)[:200]}"
        ) from None


def _items(stream: io.BufferedReader, path: list[str]) -> Iterator[Any]:
    """The items of the list at a path, built one at a time.

    :raise ValueError: nested more deeply than anything honest
    """
    place: list[str | None] = []  # names on the way in; None stands for a list
    wanted = [*path, None]
    builder = None
    for event, value in _JSON.basic_parse(stream):
        if builder is None and place == wanted and event != "end_array":
            builder = ijson.ObjectBuilder()
        if builder is not None:
            builder.event(event, value)
        if event == "map_key":
            place[-1] = value
        elif event in ("start_map", "start_array"):
            place.append("" if event == "start_map" else None)
            if len(place) > MAX_DEPTH:
                raise ValueError("nested too deeply")
        elif event in ("end_map", "end_array"):
            place.pop()
        if builder is not None and place == wanted and event != "map_key":
            yield builder.value
            builder = None


def _floats(value: Any) -> Any:
    """Numbers as a body has them: whole ones exact, others as a float."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return value


def _object_row(number: int, item: Any) -> Row:
    if isinstance(item, dict):
        return Row(number, item)
    return Row(number, None, "not an object")


def _lines(stream: io.BufferedReader, layout: Layout) -> Iterator[Row]:
    number = 0
    while line := stream.readline(MAX_ROW):
        if len(line) >= MAX_ROW:
            raise DocumentError("A line is longer than 1 MB.")
        if not line.strip():
            continue
        number += 1
        try:
            yield _object_row(number, jsonbody.parse(line))
        except Problem as problem:
            yield Row(number, None, problem.detail)


def _dumped(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _write_lines(
    messages: Iterable[Mapping[str, Any]], layout: Layout
) -> Iterator[bytes]:
    for message in messages:
        yield _dumped(message) + b"\n"


def _write_json(
    messages: Iterable[Mapping[str, Any]], layout: Layout
) -> Iterator[bytes]:
    depth = layout.rows.split(".") if layout.rows else []
    yield b"".join(b"{%s:" % json.dumps(name).encode() for name in depth) + b"["
    for index, message in enumerate(messages):
        yield (b"," if index else b"") + _dumped(message)
    yield b"]" + b"}" * len(depth)


# -- XML -----------------------------------------------------------------------------


def _xml(stream: io.BufferedReader, layout: Layout) -> Iterator[Row]:
    wanted = layout.rows
    parser = etree.iterparse(
        stream,
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    number = depth = size = 0
    try:
        for event, element in parser:
            wanted = wanted or _tag(element)
            is_row = _tag(element) == wanted
            if event == "start":
                _refuse_dtd(element)
                depth += is_row
                size += 1
                if size > MAX_ELEMENTS:
                    raise DocumentError(
                        f"After row {number} come more than {MAX_ELEMENTS} elements"
                        " that are no row of their own."
                    )
                continue
            depth -= is_row
            if depth:
                continue
            if is_row:
                number += 1
                yield _object_row(number, _element(element, layout.lists))
            _forget(element)
            size = 0
    except etree.XMLSyntaxError as error:
        raise DocumentError(
            f"After row {number} the document is not XML: {error}"
        ) from None


def _refuse_dtd(element: Any) -> None:
    if element.getparent() is None and element.getroottree().docinfo.doctype:
        raise DocumentError("A document with a DTD is refused.")


def _tag(element: Any) -> str:
    return etree.QName(element).localname


def _element(element: Any, lists: frozenset[str]) -> dict[str, Any] | str | None:
    """An element as JSON: text alone as a string, an empty one as null."""
    value: dict[str, Any] = {
        f"@{etree.QName(name).localname}": text for name, text in element.items()
    }
    repeated = set(lists)
    for child in element:
        name, item = _tag(child), _element(child, lists)
        if name not in value:
            value[name] = [item] if name in repeated else item
        elif name in repeated:
            value[name].append(item)
        else:
            repeated.add(name)
            value[name] = [value[name], item]
    text = (element.text or "").strip()
    if not value:
        return text or None
    if text:
        value["#text"] = text
    return value


def _forget(element: Any) -> None:
    """Frees a row that was read, and what stands before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _write_xml(
    messages: Iterable[Mapping[str, Any]], layout: Layout
) -> Iterator[bytes]:
    row = layout.rows or "row"
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<rows>\n'
    for message in messages:
        element = etree.Element(row)
        try:
            _fill(element, message)
        except ValueError as error:
            raise DocumentError(f"Not possible in XML: {error}") from None
        yield etree.tostring(element, encoding="utf-8") + b"\n"
    yield b"</rows>\n"


def _fill(element: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, item in value.items():
            _fill_member(element, name, item)
    elif value is not None:
        element.text = _cell(value)


def _fill_member(element: Any, name: str, value: Any) -> None:
    if name.startswith("@"):
        element.set(name[1:], _cell(value))
    elif name == "#text":
        element.text = _cell(value)
    else:
        for item in value if isinstance(value, list) else [value]:
            _fill(etree.SubElement(element, name), item)
