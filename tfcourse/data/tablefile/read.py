"""Read a file of any known kind."""

from __future__ import annotations

from pathlib import Path

from tfcourse.data.tablefile import compression
from tfcourse.data.tablefile.content import check_is_text
from tfcourse.data.tablefile.delimited import read_delimited
from tfcourse.data.tablefile.file_table import FileTable
from tfcourse.errors import UserError

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
SUFFIXES = tuple(text + compressed for compressed in ("", *compression.SUFFIXES) for text in TEXT_SUFFIXES)
"""How names of files end that can be read."""


def read_table(path: Path) -> FileTable:
    """Return the table in a file whose name ends in one of :data:`SUFFIXES`.

    Raises:
        UserError: if it cannot be read as what its name says, or only wrongly: saying where, and what to do.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
    return read_text(data, str(path))


def read_text(data: bytes, name: str) -> FileTable:
    """Return the table in the bytes of a CSV or TSV file, also a compressed one; ``name`` stands in messages.

    Raises:
        UserError: as :func:`read_table`.

    >>> read_text(b"x,y\\n1,a\\n2,b\\n", "standard input").table.to_pydict()
    {'x': ['1', '2'], 'y': ['a', 'b']}
    """
    data, notes = compression.decompressed(data, name)
    check_is_text(data, name)
    usual = "\t" if compression.without_suffix(name).lower().endswith(".tsv") else ","
    read = read_delimited(data, name, usual)
    return FileTable(read.table, notes + read.notes, read.first_line)
