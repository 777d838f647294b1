"""The records of a delimited text, by the csv module, each with its lines and its place."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper

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

    def blank(self, width: int) -> bool:
        """Whether it is no row of ``width`` fields but a line of white space; of one field a row may be empty."""
        return not self.fields or (width != 1 and self.fields == [""])


class Records(Iterator[Record]):
    """The records of a text from byte ``start``, at which line ``line`` begins.

    Raises:
        csv.Error: where double quotes do not pair.
    """

    def __init__(self, text: bytes, delimiter: str, *, start: int = 0, line: int = 1, escape: bool = False) -> None:
        file = BytesIO(text)  # it shares the bytes
        file.seek(start)
        self._lines = TextIOWrapper(file, encoding="utf-8", newline="")
        self._end, self._next_line = start, line
        escapechar = "\\" if escape else None
        self._reader = csv.reader(
            self._counted(), delimiter=delimiter, escapechar=escapechar, strict=True, skipinitialspace=True
        )

    def __next__(self) -> Record:
        line = self._next_line
        fields = next(self._reader)
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
                if not record.blank(len(records[0].fields) if records else 0):
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
