"""Read CSV, TSV and Parquet files into a :data:`~tfcourse.data.table.Table`, refusing what cannot be right."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse.data.table import Table
from tfcourse.errors import UserError

_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


def read_table(path: Path) -> Table:
    """Return the table in a ``.csv``, ``.tsv`` (either also ``.gz``) or ``.parquet`` file; texts are trimmed.

    Raises:
        UserError: if the file is empty, holds no rows, is not UTF-8, has another delimiter than its name
            says, ragged rows, or two columns of one name.
    """
    if path.suffix == ".parquet":
        return _read_parquet(path)
    return table_from_text(_decode(path), path)


def _decode(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise UserError(f"{str(path)!r} ends in .gz but is not a whole gzip file: {error}.") from None
    return decode(data, path)


def decode(data: bytes, path: Path) -> str:
    """Return UTF-8 bytes as text, or say which encoding to convert from."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "WINDOWS-1252"
        raise UserError(
            f"{str(path)!r} is not UTF-8 (byte {error.start}); it looks like {encoding}."
            f" Convert it with: iconv -f {encoding} -t UTF-8 {path.name} > utf8-{path.name}"
        ) from None


def table_from_text(text: str, path: Path) -> Table:
    """Return the table written in ``text``; ``path`` names it in messages and its suffix tells the delimiter."""
    import pandas as pd

    name = str(path)
    if not text.strip():
        raise UserError(f"{name!r} is empty; a table needs a header line and rows.")
    delimiter = "\t" if ".tsv" in path.suffixes[-2:] else ","
    header = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    _check_header([column.strip() for column in header], delimiter, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # it warns where it drops surplus fields
            frame = pd.read_csv(
                io.StringIO(text),
                sep=delimiter,
                dtype=str,
                keep_default_na=False,
                header=0,
                names=range(len(header)),
                index_col=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise UserError(f"{name!r} cannot be read as a table: {str(error).strip()}.") from None
    if not len(frame):
        raise UserError(f"{name!r} holds a header line but no rows.")
    return {
        column.strip(): np.array([str(value).strip() for value in frame[index].fillna("")], dtype=object)
        for index, column in enumerate(header)
    }


def _check_header(header: list[str], delimiter: str, name: str) -> None:
    if len(header) == 1:
        counts = Counter({other: header[0].count(other) for other in _DELIMITERS if other != delimiter})
        other, count = counts.most_common(1)[0]
        if count:
            raise UserError(
                f"{name!r} should be separated by {_DELIMITERS[delimiter]}, but its header is one column with"
                f" {count} {_DELIMITERS[other]}. Save it with commas as .csv or with tabs as .tsv."
            )
    repeated = [column for column, count in Counter(header).items() if count > 1]
    if repeated:
        raise UserError(
            f"{name!r} has {header.count(repeated[0])} columns called {repeated[0]!r}; give each its own name."
        )


def _read_parquet(path: Path) -> Table:
    import pandas as pd
    import pyarrow

    try:
        frame = pd.read_parquet(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{str(path)!r} cannot be read as Parquet: {error}.") from None
    if not len(frame):
        raise UserError(f"{str(path)!r} holds no rows.")
    return {str(column): _from_series(frame[column], str(column), path) for column in frame.columns}


def _from_series(series: Any, name: str, path: Path) -> np.ndarray[Any, Any]:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(series):
        return series.dt.strftime("%Y-%m-%d %H:%M:%S").fillna("").to_numpy(dtype=object)
    if pd.api.types.is_numeric_dtype(series):  # booleans are 0 and 1
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    values = ["" if value is None or value is pd.NA or value != value else value for value in series]
    nested = next((value for value in values if isinstance(value, (list, dict, tuple, np.ndarray, bytes))), None)
    if nested is not None:
        raise UserError(
            f"{str(path)!r}: column {name!r} holds {type(nested).__name__} values; only numbers, texts and dates"
            f" can be read. Leave it out with --drop {name}."
        )
    return np.array([str(value).strip() for value in values], dtype=object)
