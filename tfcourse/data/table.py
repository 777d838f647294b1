"""A table whose columns have been read: float64 (NaN is missing) or texts (empty is missing), all of one length."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Table = dict[str, Column]


def rows_of(table: Table | NDArray[Any]) -> int:
    """Return the number of rows of a table or an array."""
    return len(next(iter(table.values()))) if isinstance(table, dict) else len(table)


def take(table: Table | NDArray[Any], rows: NDArray[np.int64]) -> Any:
    """Return the given rows of a table or an array.

    >>> take({"a": np.array([1.0, 2.0, 3.0])}, np.array([2, 0]))["a"].tolist()
    [3.0, 1.0]
    """
    return {name: column[rows] for name, column in table.items()} if isinstance(table, dict) else table[rows]


def is_missing(column: Column) -> NDArray[np.bool_]:
    """Return which values of a column are missing.

    >>> is_missing(np.array(["a", ""], dtype=object)).tolist(), is_missing(np.array([np.nan])).tolist()
    ([False, True], [True])
    """
    return np.asarray(column == "") if column.dtype == object else np.isnan(column)
