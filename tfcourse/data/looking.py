"""A look at a table: how each column would be read, column by column, also where a run would refuse one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse.data import tablefile
from tfcourse.data.columns import CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.fit_table import fit_table
from tfcourse.data.reading.decide import Decided, Wishes, decide
from tfcourse.data.reading.decimal_mark import DecimalMark
from tfcourse.data.reading.each_column import each_column
from tfcourse.data.suspicions import odd_categories
from tfcourse.data.table import Column
from tfcourse.errors import UserError, did_you_mean


@dataclass(frozen=True)
class LookedAt:
    """One column as it would be read.

    Args:
        name: the column.
        line: how it is read, or why it is left out or refused.
        odd: what a person should look at.
        refused: whether a run would refuse it.
        missing: share of missing values, 0 to 1.
        decided: its reading and values; None if it is refused.
        column: what becomes of it; None if it is left out or refused.
    """

    name: str
    line: str
    odd: list[str] = field(default_factory=list)
    refused: bool = False
    missing: float = 0.0
    decided: Decided | None = None
    column: NumberColumn | CategoryColumn | TextColumn | None = None

    @property
    def values(self) -> Column | None:
        """Its values by the reading, if it has one."""
        return None if self.decided is None else self.decided.values

    @property
    def is_odd(self) -> bool:
        """Whether it should be looked at first."""
        return self.refused or bool(self.odd) or self.column is None


def look_at(
    path: Path, drop: tuple[str, ...] = (), wishes: Wishes | None = None, kept: tuple[str, ...] = ()
) -> tuple[list[LookedAt], list[str]]:
    """Return how every column of a table file would be read by all of its rows, and notes on the file.

    Raises:
        UserError: if the file cannot be read, or lacks a column of ``kept``.
    """
    read = tablefile.read_table(path)
    table = read.table.drop_columns([name for name in read.table.column_names if name in drop])
    for name in kept:
        if name not in table.column_names:
            raise UserError(f"--keep-columns: there is no column {name!r}.{did_you_mean(name, table.column_names)}")
    mark = DecimalMark(table)
    looked = each_column(lambda name, column: look_at_column(name, column, wishes, mark, kept), table)
    return looked, [f"{path.name}: {note}" for note in read.notes]


def look_at_column(
    name: str,
    column: Any,
    wishes: Wishes | None = None,
    beside: DecimalMark | None = None,
    kept: tuple[str, ...] = (),
) -> LookedAt:
    """Return how a column of an Arrow table would be read.

    >>> import pyarrow as pa
    >>> look_at_column("size", pa.chunked_array([["1,5", "2,25", "-"]])).line
    'number such as 1234,5, 2 different, 33.3% missing'
    """
    try:
        decided = decide(name, column, wishes, beside)
    except UserError as error:
        return LookedAt(name, f"REFUSED: {error}", refused=True)
    values = decided.values
    missing = float((values == "").mean() if values.dtype == object else np.isnan(values).mean())
    another = f"{name}\0"  # another column, so that one without use is no error
    table = {name: values, another: np.arange(len(values), dtype=float) % 2}
    features, lines = fit_table(table, np.arange(len(values)), {name: decided.reading}, kept)
    found = next((each for each in features.columns if each.name == name), None)
    odd = decided.odd + (odd_categories(values) if isinstance(found, CategoryColumn) else [])
    return LookedAt(name, lines[0].removeprefix(f"{name}: "), odd, False, missing, decided, found)
