"""Which delimiter a text has: the one by which its lines have as many fields each, and more than one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tfcourse.data.tablefile.records import Record, first_records
from tfcourse.errors import UserError

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_SEP_LINE = re.compile(rb"[ ]*\"?sep=([^\r\n\"])\"?[ ;,\t]*(?:\r\n|\n|\r|$)", re.I)


@dataclass(frozen=True)
class Head:
    """The first records of a text as one delimiter gives them.

    Args:
        delimiter: the delimiter.
        records: the records that are not blank.
        width: the number of fields that most of them have.
        begin: the record from which on all have that many, or None if there is no such.
        right: whether double quotes paired in all of them.
    """

    delimiter: str
    records: Sequence[Record]
    width: int
    begin: int | None
    right: bool

    @property
    def share(self) -> float:
        """The share of the records that have the usual width."""
        return sum(len(record.fields) == self.width for record in self.records) / max(1, len(self.records))


def name_of(delimiter: str) -> str:
    """Return what a delimiter is called in messages.

    >>> name_of(";"), name_of("^")
    ('semicolons', "'^'")
    """
    return DELIMITERS.get(delimiter, repr(delimiter))


def sep_line(text: bytes) -> tuple[str, int] | None:
    """Return the delimiter that Excel's first line ``sep=;`` names, and the byte after that line.

    >>> sep_line(b"sep=;\\na;b\\n")
    (';', 6)
    """
    found = _SEP_LINE.match(text)
    if not found or not found[1].isascii() or found[1].isalnum():
        return None
    return found[1].decode(), found.end()


def find_head(text: bytes, name: str, usual: str) -> Head:
    """Return the first records by the delimiter that the text's lines show; ``usual`` is taken where they show none.

    Raises:
        UserError: if two delimiters fit alike.
    """
    heads = [head_by(text, each) for each in DELIMITERS if each == usual or each.encode() in text]
    fitting = [head for head in heads if head.begin is not None and head.width > 1]
    if not fitting:
        likely = max(heads, key=lambda head: (head.share * (head.width > 1), head.delimiter == usual))
        return likely if likely.width > 1 else next(head for head in heads if head.delimiter == usual)
    first = min(head.begin for head in fitting if head.begin is not None)
    best = [head for head in fitting if head.begin == first]
    if first and (named := [head for head in heads if _heads_most(head) and _splits(head, best, first)]):
        return max(named, key=lambda head: head.share)  # its ragged rows are told by their lines
    if len(best) > 1 and usual != ",":
        best = [head for head in best if head.delimiter == usual] or best
    if len(best) > 1:
        one, other = best[:2]
        raise UserError(
            f"{name!r} can be read with {name_of(one.delimiter)} ({one.width} columns) and with"
            f" {name_of(other.delimiter)} ({other.width} columns) between its fields. Say which it is by a first line"
            f" 'sep={one.delimiter}' or 'sep={other.delimiter}'."
        )
    return best[0]


def _heads_most(head: Head) -> bool:
    """Whether the first record names as many columns as most others have fields: then these are no decimal commas."""
    names = head.records[0].fields if head.records else ()
    return len(names) == head.width > 1 and head.share > 1 / 2 and all(names) and len(set(names)) == len(names)


def _splits(head: Head, others: Sequence[Head], first: int) -> bool:
    """Whether what others begin with has its delimiter: "name;price" below "Sales, 2023" has none of that title's."""
    begin = (other.records[first].fields for other in others if other is not head)
    return all(any(head.delimiter in field for field in fields) for fields in begin)


def head_by(text: bytes, delimiter: str, start: int = 0, line: int = 1) -> Head:
    """Return the first records of a text by a given delimiter."""
    records, right = first_records(text, delimiter, start, line)
    widths = [len(record.fields) for record in records]
    counts = Counter(reversed(widths))  # of two that are as frequent, that of the later lines
    width = max(counts, key=lambda width: (counts[width], width > 1), default=0)
    begin = len(widths)
    while begin and widths[begin - 1] == width:
        begin -= 1
    if begin and widths[begin - 1] == width + 1 and not records[begin - 1].fields[-1]:
        begin -= 1  # a header that ends with a delimiter where the rows do not
    steady = right and width > 0 and len(widths) - begin > max(1, len(widths) // 2)
    return Head(delimiter, records, width, begin if steady else None, right)
