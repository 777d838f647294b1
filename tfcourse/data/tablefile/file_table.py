"""A table as it was read from a file, and what there is to tell about the reading."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class FileTable:
    """A table as it stands in a file: nothing in it is interpreted yet.

    Args:
        table: the columns. From CSV and TSV all are ``pa.string()``, trimmed, without nulls: an empty field is ``""``.
            From other files they have the file's own types, with nulls.
        notes: lines that tell the user how the file was read, where that is not plain from its name.
        first_line: the line (in a workbook the row) of the table's row 0, if each row takes just one line.

    >>> FileTable(pa.table({"x": ["a", "b"]}), first_line=2).line_of(1)
    3
    """

    table: pa.Table
    notes: list[str] = field(default_factory=list)
    first_line: int | None = None

    def line_of(self, row: int) -> int | None:
        """Return the line of the file in which a row stands (rows count from 0, lines from 1), if it is known."""
        return None if self.first_line is None else self.first_line + row
