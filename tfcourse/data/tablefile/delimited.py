"""CSV, TSV and their like: bytes in, a table of texts out."""

from __future__ import annotations

import csv
from collections import deque
from typing import NoReturn

from tfcourse.data.tablefile.body import read_body
from tfcourse.data.tablefile.content import check_is_table
from tfcourse.data.tablefile.delimiter import Head, find_head, head_by, name_of, sep_line
from tfcourse.data.tablefile.encoding import to_utf8
from tfcourse.data.tablefile.file_table import FileTable
from tfcourse.data.tablefile.header import find_header
from tfcourse.data.tablefile.names import with_names
from tfcourse.data.tablefile.records import Records, fields_of_any_length, unpaired_quotes
from tfcourse.errors import UserError


def read_delimited(data: bytes, name: str, usual: str) -> FileTable:
    """Return the table in the bytes of a text file.

    Args:
        data: the bytes, in any usual encoding.
        name: the file, for messages.
        usual: the delimiter that the file's name tells.

    Raises:
        UserError: if they are no text, or no table, saying where and what to do.

    >>> read_delimited(b"a;b\\n1,5;x\\n", "t.csv", ",").table.to_pydict()
    {'a': ['1,5'], 'b': ['x']}
    """
    text, notes = to_utf8(data, name)
    check_is_table(text, name)
    with fields_of_any_length():
        head, more = _head(text, name, usual)
        if not head.records:
            _tell_wrong_quotes(text, head.delimiter, name)
        fields = [record.fields for record in head.records]
        header = find_header(fields, [record.line for record in head.records], head.width, name)
        record = head.records[header.index]
        names = record.fields
        if len(head.records) == header.index + 1 and head.right:
            raise UserError(f"{name!r} holds a header line but no rows.")
        notes += more + header.notes
        if len(names) > 1 and not names[-1] and [*map(len, fields[header.index + 1 :])][:1] == [len(names) - 1]:
            names = names[:-1]
            notes.append("the header ends with a delimiter, after which no column follows")
        columns, more = read_body(text, record.end, record.next_line, len(names), head.delimiter, name)
    notes += more
    first_line = record.next_line if _lines(text, record.end) == len(columns[0]) else None
    return FileTable(with_names(columns, names, name, notes), notes, first_line)


def _head(text: bytes, name: str, usual: str) -> tuple[Head, list[str]]:
    if (named := sep_line(text)) is not None:
        delimiter, start = named
        return head_by(text, delimiter, start, 2), [f"its first line names {name_of(delimiter)} as delimiter"]
    head = find_head(text, name, usual)
    notes = [f"its fields stand between {name_of(head.delimiter)}"] * (head.delimiter != usual and head.width > 1)
    return head, notes


def _tell_wrong_quotes(text: bytes, delimiter: str, name: str) -> NoReturn:
    records = Records(text, delimiter)
    try:
        deque(records, maxlen=0)
    except csv.Error as error:
        raise unpaired_quotes(error, records.line, name) from None
    raise UserError(f"{name!r} is empty; a table needs a header line and rows.")


def _lines(text: bytes, start: int) -> int:
    """Return the number of lines from byte ``start`` on."""
    end = b"\n" if text.find(b"\n", start) >= 0 else b"\r"
    return text.count(end, start) + (not text.endswith(end))
