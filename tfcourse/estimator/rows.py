"""Rows in memory, as people have them, under the rules of files: an Arrow table, or an array of images."""

from __future__ import annotations

import datetime
import numbers
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import check_array

from tfcourse.data.fit_table import numbers_rows
from tfcourse.data.reading.column import typed_numbers
from tfcourse.data.reading.decode import quick_numbers
from tfcourse.data.tablefile.arrow_types import with_plain_types
from tfcourse.data.tablefile.names import with_names
from tfcourse.errors import UserError
from tfcourse.files.writing import replacing

MOST_COLUMNS = 256
"""A wider array of numbers is taken as examples whose numbers are alike, as pixels are, and not column by column."""
INDEX = "Unnamed: 0"
"""What pandas calls the index of a file, which had no name there."""
Rows: TypeAlias = pa.Table | NDArray[Any]
_CELLS = (str, bytes, numbers.Number, np.generic, datetime.date, datetime.time, datetime.timedelta, type(None))


def is_frame(x: Any) -> bool:
    """Say whether ``x`` is a data frame: of pandas, polars, Arrow, or whatever gives its columns as Arrow does."""
    return hasattr(x, "__arrow_c_stream__")


def rows_of(x: Any) -> Rows:
    """Return rows as a table of named columns, or, where their numbers are alike, as an array.

    Args:
        x: a data frame; a sparse matrix; or an array of shape (rows, columns), or (rows, height, width[, channels]).

    Raises:
        TypeError: if a cell of an array is no text, number, date or time.
        ValueError: if it is empty, has too few dimensions, or holds infinite or complex numbers.

    >>> rows_of([[1.0, 2.0], [3.0, float("nan")]]).to_pydict()
    {'x0': [1.0, 3.0], 'x1': [2.0, None]}
    >>> rows_of(np.zeros((2, 8, 8))).shape
    (2, 8, 8)
    """
    if is_frame(x):
        if not (table := _table_of(x)).num_columns:
            raise UserError("X has no columns; give at least one to learn from.")
        if not table.num_rows:
            raise UserError(
                f"Found array with 0 sample(s) (shape={table.shape}) while a minimum of 1 is required by X."
            )
        return table
    if sparse.issparse(x):
        x = check_array(x, accept_sparse="csr", ensure_all_finite="allow-nan").toarray()
    x = check_array(x, dtype=None, allow_nd=True, ensure_all_finite="allow-nan")
    if x.ndim > 2 or (x.shape[1] > MOST_COLUMNS and x.dtype.kind in "biuf" and np.isfinite(x).all()):
        return x
    names = [f"x{number}" for number in range(x.shape[1])]
    return pa.table([_column(x[:, number]) for number in range(x.shape[1])], names=names)


def write_rows(path: Path, rows: pa.Table) -> None:
    """Write a table as Parquet, atomically."""
    with replacing(path) as temporary:
        pyarrow.parquet.write_table(rows, temporary)


def as_read(rows: pa.Table) -> pa.Table:
    """Return a table as it is read from a file that holds it: plain types, texts and names trimmed."""
    columns, notes = with_plain_types(rows.columns, rows.column_names, "X")
    return with_names(columns, rows.column_names, "X", notes)


def row_numbers(rows: Rows) -> list[str]:
    """Return the named columns that number the rows: whoever gives a frame has chosen its columns.

    >>> row_numbers(pa.table({"dose": range(12), "Unnamed: 0": range(12), "x": [1.5] * 12}))
    ['dose']
    """
    if not isinstance(rows, pa.Table):
        return []
    table = as_read(rows)
    numbers = {name: typed_numbers(table.column(name)) for name in table.column_names if name != INDEX}
    numbers = {name: quick_numbers(table.column(name)) if it is None else it for name, it in numbers.items()}
    return [name for name, it in numbers.items() if it is not None and numbers_rows(name, it)]


def _table_of(frame: Any) -> pa.Table:
    if not isinstance(frame, pd.DataFrame):
        return pa.table(frame)
    dense = {name: kind.subtype for name, kind in frame.dtypes.items() if isinstance(kind, pd.SparseDtype)}
    if dense:
        frame = frame.astype(dense)
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        reason = error.args[-1] if error.args else error
        raise UserError(
            f"X: {reason}. A column holds values of one kind: texts, numbers, booleans, dates or times; make it so, as"
            " by frame['NAME'].astype(str)."
        ) from None
    return table.replace_schema_metadata()


def _column(values: NDArray[Any]) -> pa.Array:
    if values.dtype != object:
        return pa.array(values.astype(str) if values.dtype.kind in "US" else values, from_pandas=True)
    for value in values:
        if not isinstance(value, _CELLS):
            raise TypeError(f"argument must be a string or a number, not {type(value).__name__!r}")
    try:
        return pa.array(values.tolist(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers and texts, which a file would hold as texts
        return pa.array([None if value is None or value != value else str(value) for value in values])
