"""The rows below a header as columns of texts: by Arrow's reader where quotes are plain, else by the csv module."""

from __future__ import annotations

import csv
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv

from tfcourse.data.tablefile.delimiter import name_of
from tfcourse.data.tablefile.records import Records, csv_rows, is_blank, lines_of, unpaired_quotes
from tfcourse.data.tablefile.white_space import trim, trim_column
from tfcourse.errors import UserError

_QUOTE = ord('"')
_PIECE = 1 << 24
_BLOCK = 1 << 22
_ROWS = 5_000


def read_body(
    text: bytes, start: int, line: int, width: int, delimiter: str, name: str
) -> tuple[list[pa.ChunkedArray], list[str]]:
    """Return the columns of the rows from byte ``start`` on, each value trimmed, and notes.

    Args:
        text: the whole file in UTF-8.
        start: where the first row begins.
        line: the line that begins there.
        width: the number of fields that each row must have.
        delimiter: what stands between fields.
        name: the file, for messages.

    Raises:
        UserError: naming the line of a row that has another number of fields, or whose double quotes do not pair.
    """
    columns = _by_arrow(text, start, width, delimiter) if _plainly_quoted(text, start, delimiter) else None
    if columns is not None:
        return columns, []
    try:
        return _by_csv(text, start, line, width, delimiter, name, escape=False), []
    except UserError:
        if b"\\" not in text[start:]:
            raise
        try:
            columns = _by_csv(text, start, line, width, delimiter, name, escape=True)
        except UserError:
            columns = None
        if columns is None:
            raise
        return columns, ["a backslash before a character is taken to mean just that character"]


def _plainly_quoted(text: bytes, start: int, delimiter: str) -> bool:
    """Whether double quotes stand only around whole fields, and twice inside them: then all readers agree.

    Every other quote opens: it must begin a field, or follow the one that closed, which makes two that stand for one.
    The others close: they must end a field or come before the next that opens.
    """
    if text.find(b'"', start) < 0:
        return True
    edge = np.zeros(256, bool)
    edge[[ord(delimiter), ord("\n"), ord("\r"), _QUOTE]] = True
    all_bytes, seen = np.frombuffer(text, np.uint8), 0
    for begin in range(start, len(text), _PIECE):
        places = begin + np.flatnonzero(all_bytes[begin : begin + _PIECE] == _QUOTE)
        opening, closing = places[seen % 2 :: 2], places[(seen + 1) % 2 :: 2]
        closing = closing[closing + 1 < len(text)]
        if not (edge[all_bytes[opening - 1]].all() and edge[all_bytes[closing + 1]].all()):
            return False
        seen += len(places)
    return seen % 2 == 0


def _by_arrow(text: bytes, start: int, width: int, delimiter: str) -> list[pa.ChunkedArray] | None:
    """Return the columns as Arrow reads them, or None where a row is not as it must be."""
    quoted = text.find(b'"', start) >= 0
    names = [f"f{i}" for i in range(width)]
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(pa.py_buffer(text).slice(start)),
            read_options=pa.csv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
                invalid_row_handler=lambda row: "error" if trim(row.text) else "skip",
            ),
            convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    return [trim_column(column) for column in table.columns]


def _by_csv(
    text: bytes, start: int, line: int, width: int, delimiter: str, name: str, *, escape: bool
) -> list[pa.ChunkedArray]:
    chunks: list[list[pa.Array]] = [[] for _ in range(width)]
    rows = csv_rows(lines_of(text, start), delimiter, escape=escape)
    try:
        while batch := list(islice(rows, _ROWS)):
            whole = [row for row in batch if len(row) == width]
            if len(whole) < len(batch) and not all(len(row) == width or is_blank(row, width) for row in batch):
                raise _ragged(Records(text, delimiter, start=start, line=line, escape=escape), width, delimiter, name)
            for chunk, values in zip(chunks, zip(*whole, strict=True), strict=bool(whole)):
                chunk.append(trim_column(pa.array(values, pa.string())))
    except csv.Error as error:
        raise unpaired_quotes(error, line - 1 + rows.line_num, name) from None
    return [pa.chunked_array(chunk, pa.string()) for chunk in chunks]


def _ragged(records: Records, width: int, delimiter: str, name: str) -> UserError:
    """Return what to tell about the first record of another width."""
    wrong = next(record for record in records if len(record.fields) != width and not is_blank(record.fields, width))
    fields = len(wrong.fields)
    return UserError(
        f"{name!r} ends line {wrong.next_line - 1} after {fields} field{'s' * (fields != 1)}, but its header names"
        f" {width} column{'s' * (width != 1)}. Each row needs a field a column; a text that holds {name_of(delimiter)}"
        " must stand in double quotes."
    )
