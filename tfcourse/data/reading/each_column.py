"""The same for every column of a table, on all cores where the table is large."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

LARGE = 100_000
"""From how many cells on threads pay: Arrow and NumPy let other threads run while they work."""
T = TypeVar("T")


def each_column(function: Callable[[str, Any], T], table: Any) -> list[T]:
    """Return what a function of name and column returns for every column of an Arrow table, in their order.

    Raises:
        Exception: what the function raises for the first column for which it raises.

    >>> import pyarrow as pa
    >>> each_column(lambda name, column: (name, len(column)), pa.table({"a": [1, 2], "b": [3, 4]}))
    [('a', 2), ('b', 2)]
    """
    names = table.column_names
    columns = [table.column(place) for place in range(len(names))]
    if table.num_rows * len(names) < LARGE:
        return list(map(function, names, columns))
    with ThreadPoolExecutor(min(len(names), os.cpu_count() or 1)) as pool:
        return list(pool.map(function, names, columns))
