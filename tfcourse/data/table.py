"""A table as it was read: named columns of float64 (NaN is missing) or of text, all of one length."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Table = dict[str, Column]

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>")
"""Texts that stand for a missing value, in every column."""


def rows_of(table: Table | NDArray[Any]) -> int:
    """Return the number of rows of a table or an array."""
    return len(next(iter(table.values()))) if isinstance(table, dict) else len(table)


def take(table: Table | NDArray[Any], rows: NDArray[np.int64]) -> Any:
    """Return the given rows of a table or an array.

    >>> take({"a": np.array([1.0, 2.0, 3.0])}, np.array([2, 0]))["a"].tolist()
    [3.0, 1.0]
    """
    return {name: column[rows] for name, column in table.items()} if isinstance(table, dict) else table[rows]


def is_text(column: Column) -> bool:
    """Say whether a column holds text rather than numbers."""
    return bool(column.dtype == object)


def is_missing(column: Column) -> NDArray[np.bool_]:
    """Return which values of a column are missing: NaN among numbers, a text of :data:`MISSING` among texts.

    >>> is_missing(np.array(["a", "?", ""], dtype=object)).tolist()
    [False, True, True]
    """
    return np.isin(column.astype(str), MISSING) if is_text(column) else np.isnan(column)


def to_numbers(column: Column) -> NDArray[np.float64]:
    """Return a column as numbers rounded to float32, NaN where it is missing or is not a number.

    Keras feeds models float32, so training must see the same rounded numbers as the exported model.
    """
    import pandas as pd

    if is_text(column):
        present = np.where(is_missing(column), np.array(None), column)
        column = pd.to_numeric(pd.Series(present, dtype=object), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):  # numbers beyond float32 become infinite, and are refused as such
        return column.astype(np.float32).astype(np.float64)


def as_text(column: Column) -> Column:
    """Return a column of numbers as texts, whole ones without a decimal point, missing ones empty; texts as they are.

    >>> as_text(np.array([2.0, 0.5, np.nan])).tolist()
    ['2', '0.5', '']
    """
    if is_text(column):
        return column
    texts = ["" if np.isnan(v) else str(int(v)) if float(v).is_integer() else str(v) for v in column.tolist()]
    return np.array(texts, dtype=object)
