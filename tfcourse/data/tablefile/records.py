"""The records of a delimited text, by the csv module, each with its lines and its place."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import Any

from tfcourse.data.tablefile.white_space import trim
from tfcourse.errors import UserError

_HEAD_RECORDS = 500
_HEAD_BYTES = (1 << 20, 1 << 25, sys.maxsize)


@dataclass(frozen=True)
class Record:
    """The fields of one record, trimmed; its first line (from 1); the line and the byte at which the next begins."""

    fields: list[str]
    line: int
    next_line: int
    end: int


def is_blank(fields: Sequence[str], width: int) -> bool:
    """Whether these are no row of ``width`` fields but a line of white space; a row of one field may be empty."""
    return not fields or (width != 1 and len(fields) == 1 and not trim(fields[0]))


def lines_of(text: bytes, start: int) -> Iterator[str]:
    """Return the lines from byte ``start`` on, with their ends, one after the other."""
    file = BytesIO(text)  # it shares the bytes
    file.seek(start)
    return TextIOWrapper(file, encoding="utf-8", newline="")


def csv_rows(lines: Iterator[str], delimiter: str, *, escape: bool = False) -> Any:
    """Return the csv module's reader of lines; ``escape`` says whether a backslash takes a character's meaning away."""
    escapechar = "\\" if escape else None
    return csv.reader(lines, delimiter=delimiter, escapechar=escapechar, strict=True, skipinitialspace=True)


class Records(Iterator[Record]):
    """The records of a text from byte ``start``, at which line ``line`` begins.

    Raises:
        csv.Error: where double quotes do not pair.
    """

    def __init__(self, text: bytes, delimiter: str, *, start: int = 0, line: int = 1, escape: bool = False) -> None:
        self._lines = lines_of(text, start)
        self._end, self._next_line = start, line
        self._rows = csv_rows(self._counted(), delimiter, escape=escape)

    def __next__(self) -> Record:
        line = self._next_line
        fields = next(self._rows)
        return Record([trim(field) for field in fields], line, self._next_line, self._end)

    @property
    def line(self) -> int:
        """The last line that was read."""
        return self._next_line - 1

    def _counted(self) -> Iterator[str]:
        for line in self._lines:
            self._next_line += 1
            self._end += len(line.encode())
            yield line


def first_records(text: bytes, delimiter: str, start: int = 0, line: int = 1) -> tuple[list[Record], bool]:
    """Return the first records that are not blank, and whether all of them were well quoted."""
    records: list[Record] = []
    for size in _HEAD_BYTES:
        piece, whole = _whole_lines(text, start, size)
        reader = Records(piece, delimiter, line=line)
        records, right = [], True
        try:
            for record in reader:
                if not is_blank(record.fields, len(records[0].fields) if records else 0):
                    records.append(Record(record.fields, record.line, record.next_line, start + record.end))
                if len(records) == _HEAD_RECORDS:
                    break
        except csv.Error:
            # At the end of a piece a quoted text may go on in the next.
            right = not whole and reader.line == piece.count(b"\n") + line - 1
        if whole or not right or len(records) > 1:
            return records, right
    return records, True


def _whole_lines(text: bytes, start: int, size: int) -> tuple[bytes, bool]:
    """Return the lines of ``text[start:start + size]`` that are whole, and whether they are all there are."""
    if start + size >= len(text):
        return text[start:], True
    piece = text[start : start + size]
    return piece[: max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1], False


def unpaired_quotes(error: csv.Error, line: int, name: str) -> UserError:
    """Return what to tell about double quotes that do not pair."""
    return UserError(
        f"{name!r} cannot be read at line {line}: {error}. A text in double quotes must end with one, and a double"
        " quote inside it must be written twice."
    )


@contextmanager
def fields_of_any_length() -> Iterator[None]:
    """Lift the csv module's limit on the length of a field, which holds for the whole process, for a while."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)
