"""The effects of columns as further columns of a table of predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tfcourse.data.table import Table
from tfcourse.data.table_features import TableFeatures
from tfcourse.explain.dependence import values_said
from tfcourse.explain.shapley import RowEffects


def explained_header(effects: RowEffects, most: int) -> list[str]:
    """Return the names of the further columns: the average probability, then name, value and effect of each column."""
    ranks = range(1, min(most, len(effects.columns)) + 1)
    return ["average_probability", *(f"{part}_{rank}" for rank in ranks for part in ("column", "value", "effect"))]


def explained_rows(effects: RowEffects, features: TableFeatures, table: Table, most: int) -> Iterator[list[Any]]:
    """Return what stands in them, row by row: the columns that moved the label's probability most, these first.

    Args:
        effects: of all columns.
        features: how the run reads its data.
        table: the rows as they were read.
        most: how many columns to name.
    """
    columns = {column.name: column for column in features.columns}
    said = {name: values_said(table[name], columns[name]) for name in effects.columns}
    for row, average in enumerate(effects.average):
        cells: list[Any] = [f"{average:.7g}"]
        for place in effects.leading(row, most):
            name = effects.columns[place]
            value = said[name][row]
            cells += [name, "" if value is None else value, f"{effects.effects[row, place]:+.4g}"]
        yield cells


def words_of_method(effects: RowEffects, background: int, whose: str) -> str:
    """Return how the effects were found, in a line.

    Args:
        effects: the effects.
        background: how many rows they compare with.
        whose: rows of what these are.
    """
    error = effects.errors.max(initial=0.0)
    how = f"from {effects.orders} random orders of the columns (standard error at most {error:.1g})"
    return (
        f"effects are Shapley values of the label's probability, {how if effects.orders else 'exact'}, against"
        f" {background} rows of {whose}"
    )
