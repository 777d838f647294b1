"""Parquet and Arrow (Feather) files, with the types they keep."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from tfcourse.data.tablefile.arrow_types import with_plain_types
from tfcourse.data.tablefile.file_table import FileTable
from tfcourse.data.tablefile.names import with_names
from tfcourse.errors import UserError

_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(path: Path) -> FileTable:
    """Return the table in a Parquet file.

    Raises:
        UserError: if it is none, is damaged, or has columns of lists, structures or bytes.
    """
    with _damage_told(path, "Parquet"), pa.parquet.ParquetFile(path) as file:
        _check_schema(file.schema_arrow, path)
        table = file.read()
    return _from_arrow(table, path)


def read_arrow(path: Path) -> FileTable:
    """Return the table in an Arrow file, which Feather files (version 2) are.

    Raises:
        UserError: as :func:`read_parquet`.
    """
    with _damage_told(path, "Arrow"), pa.OSFile(str(path)) as source:
        begins = source.read(6)
        source.seek(0)
        if begins[:4] not in (b"ARRO", b"\xff\xff\xff\xff"):
            old = " but an old one (version 1), which pandas.read_feather may read" if begins[:4] == b"FEA1" else ""
            raise UserError(f"{str(path)!r} is no Arrow or Feather file{old}; save it as Parquet or CSV (UTF-8).")
        with pa.ipc.open_file(source) if begins == b"ARROW1" else pa.ipc.open_stream(source) as reader:
            _check_schema(reader.schema, path)
            table = reader.read_all()
        table.validate(full=True)
    return _from_arrow(table, path)


@contextmanager
def _damage_told(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise UserError(f"{str(path)!r} cannot be read as {kind}: {reason}.") from None


def _check_schema(schema: pa.Schema, path: Path) -> None:
    levels = _pandas(schema).get("column_indexes")
    if isinstance(levels, list) and len(levels) > 1:
        raise UserError(
            f"{str(path)!r} has names of {len(levels)} levels over its columns; give each column one name, as by:"
            " frame.columns = ['_'.join(map(str, name)) for name in frame.columns]"
        )


def _pandas(schema: pa.Schema) -> dict[str, object]:
    """Return what pandas noted when it wrote the file."""
    try:
        noted = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    except (ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _from_arrow(table: pa.Table, path: Path) -> FileTable:
    if not table.num_columns:
        raise UserError(f"{str(path)!r} holds no columns.")
    if not table.num_rows:
        raise UserError(f"{str(path)!r} holds no rows.")
    names, columns = table.column_names, table.columns
    columns, notes = with_plain_types(columns, names, str(path))
    kept = [i for i, name in enumerate(names) if not (_INDEX.fullmatch(name) and _counts_rows(columns[i]))]
    if len(kept) < len(names):
        notes.append("the row numbers that pandas kept beside the table (its index) are left out")
    named = _named_index(table.schema, names)
    if named:
        notes.append(f"the index of the pandas table is read as a column: {', '.join(map(repr, named))}")
    columns = [columns[i] for i in kept]
    return FileTable(with_names(columns, [names[i] for i in kept], str(path), notes), notes)


def _counts_rows(column: pa.ChunkedArray) -> bool:
    """Whether a column without a name holds whole numbers, each once: which rows these were in a longer table."""
    return pa.types.is_integer(column.type) and not column.null_count and len(pc.unique(column)) == len(column)


def _named_index(schema: pa.Schema, names: Sequence[str]) -> list[str]:
    index = _pandas(schema).get("index_columns")
    named = [name for name in index if isinstance(name, str)] if isinstance(index, list) else []
    return [name for name in named if name in names and not _INDEX.fullmatch(name)]
