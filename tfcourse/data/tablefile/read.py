"""Read a file of any known kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tfcourse.data.tablefile import compression
from tfcourse.data.tablefile.content import check_is_text
from tfcourse.data.tablefile.delimited import read_delimited
from tfcourse.data.tablefile.excel import read_excel
from tfcourse.data.tablefile.file_table import FileTable
from tfcourse.data.tablefile.json_records import read_json
from tfcourse.data.tablefile.parquet import read_arrow, read_parquet
from tfcourse.errors import UserError

_DELIMITED = (".csv", ".tsv", ".txt")
_JSON = (".jsonl", ".ndjson", ".json")
_OTHERS: dict[str, Callable[[Path], FileTable]] = {
    ".parquet": read_parquet,
    ".feather": read_arrow,
    ".arrow": read_arrow,
    ".xlsx": read_excel,
}
SUFFIXES = (
    *(suffix + packed for packed in ("", *compression.SUFFIXES) for suffix in (*_DELIMITED, *_JSON)),
    *_OTHERS,
)
"""How the names of files end that can be read."""
KINDS = f"{', '.join((*_DELIMITED, *_JSON))} (each also {', '.join(compression.SUFFIXES)}), {', '.join(_OTHERS)}"
"""The same, for messages."""


def read_table(path: Path) -> FileTable:
    """Return the table in a file whose name ends in one of :data:`SUFFIXES`.

    Raises:
        UserError: if it cannot be read as what its name says, or only wrongly: saying where, and what to do.
    """
    if (reader := _OTHERS.get(path.suffix.lower())) is not None:
        return reader(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
    name = str(path)
    if not compression.without_suffix(name).lower().endswith(_JSON):
        return read_text(data, name)
    data, notes = compression.decompressed(data, name)
    read = read_json(data, name)
    return FileTable(read.table, notes + read.notes, read.first_line)


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
