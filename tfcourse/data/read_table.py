"""Read CSV, TSV and Parquet files into a :data:`~tfcourse.data.table.Table`, refusing what cannot be right."""

from __future__ import annotations

import csv
import gzip
import io
import shlex
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse.data.table import Table
from tfcourse.errors import UserError

_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_NO_TEXT = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet's own file; save it as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet's own file; save it as CSV (UTF-8)",
    b"\x1f\x8b": "a gzip file; give it a name that ends in .gz",
    b"PAR1": "a Parquet file; give it a name that ends in .parquet",
}
"""The first bytes of files that are not text, and what to do about them."""


def read_table(path: Path) -> Table:
    """Return the table in a ``.csv``, ``.tsv`` (either also ``.gz``) or ``.parquet`` file; texts are trimmed.

    Raises:
        UserError: if the file is empty, holds no rows, is not UTF-8, has another delimiter than its name
            says, ragged rows, or two columns of one name.
    """
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    return table_from_text(_decode(path), path)


def _decode(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix.lower() == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{str(path)!r} ends in .gz but is not a whole gzip file: {error}.") from None
    return decode(data, path)


def decode(data: bytes, path: Path) -> str:
    """Return UTF-8 bytes as text, or say which encoding to convert from."""
    for start, kind in _NO_TEXT.items():
        if data.startswith(start):
            raise UserError(f"{str(path)!r} is not text but {kind}.")
    try:
        text = data.decode("utf-8-sig")
        place = text.find("\0")
    except UnicodeDecodeError as error:
        text, place = "", error.start
    if place < 0:
        return text
    if text and data.count(0) < len(data) // 4:
        raise UserError(f"{str(path)!r} is not text: its byte {place} is zero. Save it again as CSV (UTF-8).")
    encoding, name = _other_encoding(data), shlex.quote(path.name)
    raise UserError(
        f"{str(path)!r} is not UTF-8 (byte {place}); it looks like {encoding}."
        f" Convert it with: iconv -f {encoding} -t UTF-8 {name} > {shlex.quote('utf8-' + path.name)}"
    )


def _other_encoding(data: bytes) -> str:
    """Return what bytes that are not UTF-8 are most likely: text in UTF-16 has a zero in every other byte."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    if b"\0" in data:
        return "UTF-16LE" if data[1::2].count(0) >= data[::2].count(0) else "UTF-16BE"
    return "WINDOWS-1252"


def table_from_text(text: str, path: Path) -> Table:
    """Return the table written in ``text``; ``path`` names it in messages and its suffix tells the delimiter."""
    name = str(path)
    delimiter = "\t" if ".tsv" in path.name.lower() else ","
    header, *rows = _rows(text, delimiter, name) or [[]]
    if not header:
        raise UserError(f"{name!r} is empty; a table needs a header line and rows.")
    if not rows:
        raise UserError(f"{name!r} holds a header line but no rows.")
    columns = zip(header, zip(*rows, strict=True), strict=True)
    return {column: np.array(values, dtype=object) for column, values in columns}


def _rows(text: str, delimiter: str, name: str) -> list[list[str]]:
    """Return the header and the rows, all of one length, their texts trimmed; blank lines are skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            one_column = bool(rows) and len(rows[0]) == 1
            if not row or (len(row) == 1 and not row[0].strip() and not one_column):
                continue
            rows.append([value.strip() for value in row])
            if len(rows) == 1:
                _check_header(rows[0], delimiter, name)
            if len(row) != len(rows[0]):
                raise UserError(
                    f"{name!r} ends line {reader.line_num} after {_fields(len(row))}, but its header names"
                    f" {len(rows[0])} columns. Each row needs a field a column; a text that holds"
                    f" {_DELIMITERS[delimiter]} must stand in double quotes."
                )
    except csv.Error as error:
        raise UserError(
            f"{name!r} cannot be read at line {reader.line_num}: {error}. A text in double quotes must end with one,"
            " and a double quote inside it must be written twice."
        ) from None
    return rows


def _fields(count: int) -> str:
    return f"{count} field{'s' * (count != 1)}"


def _check_header(header: list[str], delimiter: str, name: str) -> None:
    if len(header) == 1:
        counts = Counter({other: header[0].count(other) for other in _DELIMITERS if other != delimiter})
        other, count = counts.most_common(1)[0]
        if count:
            raise UserError(
                f"{name!r} should be separated by {_DELIMITERS[delimiter]}, but its header is one column with"
                f" {count} {_DELIMITERS[other]}. Save it with commas as .csv or with tabs as .tsv."
            )
    _check_names(header, name)


def _check_names(columns: Sequence[str], name: str) -> None:
    column, count = Counter(columns).most_common(1)[0] if columns else ("", 1)
    if count > 1:
        raise UserError(f"{name!r} has {count} columns called {column!r}; give each its own name.")


def _read_parquet(path: Path) -> Table:
    import pandas as pd
    import pyarrow
    import pyarrow.parquet

    try:
        _check_names(pyarrow.parquet.read_schema(path).names, str(path))
        frame = pd.read_parquet(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{str(path)!r} cannot be read as Parquet: {str(error).rstrip('.')}.") from None
    if not len(frame):
        raise UserError(f"{str(path)!r} holds no rows.")
    return {str(column): _from_series(frame[column], str(column), path) for column in frame.columns}


def _from_series(series: Any, name: str, path: Path) -> np.ndarray[Any, Any]:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(series):
        return series.dt.strftime("%Y-%m-%d %H:%M:%S").fillna("").to_numpy(dtype=object)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    nested = next((value for value in series if isinstance(value, (list, dict, tuple, np.ndarray, bytes))), None)
    if nested is not None:
        raise UserError(
            f"{str(path)!r}: column {name!r} holds values of type {type(nested).__name__}; only numbers, texts and"
            " dates can be read. Save the file without it."
        )
    # Booleans become the texts True and False, as they are in a CSV.
    texts = [str(value).strip() for value in series.astype(object).where(series.notna(), "")]
    return np.array(texts, dtype=object)
