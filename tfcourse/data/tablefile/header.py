"""Which of the first records of a table is its header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tfcourse.errors import UserError

_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_VALUE = re.compile(r"[-+]?[.,]?\d")
"""How numbers and dates begin."""


@dataclass(frozen=True)
class Header:
    """The index of the record that is the header, and notes on what stands before it."""

    index: int
    notes: list[str] = field(default_factory=list)


def find_header(
    records: Sequence[Sequence[str]], lines: Sequence[int], width: int, name: str, *, line: str = "line"
) -> Header:
    """Return which record is the header.

    Args:
        records: the first records that are not blank, trimmed; at least one.
        lines: the line in which each begins.
        width: the number of fields that most of them have.
        name: the file, for messages.
        line: what a line is called there.

    Raises:
        UserError: if the header cannot be told from what stands before it, or there is none.
    """
    index, notes = 0, []
    while index + 1 < len(records) and _is_comment(records, index, width):
        index += 1
    if index:
        notes.append(f"{index} comment{'s' * (index > 1)} before the header {'is' if index == 1 else 'are'} left out")
    title = index
    while index + 1 < len(records) and _may_be_title(records[index], width):
        index += 1
    if index > title and not _heads(records, index):
        if len(records[title]) < width or width > 2:
            raise UserError(
                f"{name!r}: {line} {lines[title]} holds one field, but {line} {lines[index]} has {width}. If it is no"
                " part of the table, take it out; if it is the header, give each column a name."
            )
        index = title  # a header that names one of two columns
    if index > title:
        texts = ", ".join(repr(_shortened(record[0])) for record in records[title:index] if record[0])
        notes.append(f"what stands before the header, from {line} {lines[title]} on, is left out: {texts}")
    _check_is_header(records, index, name, f"{line} {lines[index]}")
    return Header(index, notes)


def _is_comment(records: Sequence[Sequence[str]], index: int, width: int) -> bool:
    """Whether a record that starts with ``#`` is no header: it is narrower, or the next is the header."""
    record = records[index]
    if not record[0].startswith("#"):
        return False
    return len(record) < width or (len(records[index + 1]) == width and _heads(records, index + 1))


def _may_be_title(record: Sequence[str], width: int) -> bool:
    """Whether a record may be a line of text above a table; spreadsheets put empty fields after it."""
    return width > 1 and not any(record[1:])


def _heads(records: Sequence[Sequence[str]], index: int) -> bool:
    """Whether a record is plainly the header of the next: distinct names, and under some of them only values."""
    names = list(records[index])
    while len(names) > 1 and not names[-1]:  # separators at the end
        names.pop()
    if not all(names) or len({*names}) < len(names) or any(map(_VALUE.match, names)):
        return False
    columns = zip(*(row for row in records[index + 1 :] if len(row) == len(records[index])), strict=True)
    return any(any(column) and all(_VALUE.match(value) for value in column if value) for column in columns)


def _check_is_header(records: Sequence[Sequence[str]], index: int, name: str, place: str) -> None:
    header = records[index]
    names = [text for text in header if text]
    numbers = [text for text in names if _NUMBER.fullmatch(text)]
    counted = names in ([str(i) for i in range(len(names))], [str(i + 1) for i in range(len(names))])
    only_numbers = numbers == names and bool(names) and not (counted and names != ["1"])
    if only_numbers or _is_like_the_rows(header, records[index + 1 :]):
        shown = ", ".join(_shortened(text) for text in header[:4]) + (", …" if len(header) > 4 else "")
        raise UserError(
            f"{name!r} has no header: {place} holds values ({shown}) where the columns' names should be. Put a line"
            " with a name for each column on top."
        )


def _is_like_the_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether each field of the header is one more value of its column: a number over numbers, a text found below."""
    rows = [row for row in rows if len(row) == len(header) and list(row) != list(header)]
    if not rows or not all(header):
        return False
    for text, *values in zip(header, *rows, strict=True):
        number = bool(_NUMBER.fullmatch(text)) and all(_NUMBER.fullmatch(value) for value in values if value)
        if not number and text not in values:
            return False
    texts = [text for text in header if not _NUMBER.fullmatch(text)]
    return bool(texts) and (len(header) > 2 or len(texts) < len(header))


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
