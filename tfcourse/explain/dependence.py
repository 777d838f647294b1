"""Partial dependence: the average probability of a class when one column has the same value in every row."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.columns import CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.reading import dates
from tfcourse.data.table import Column
from tfcourse.explain.blocks import Places
from tfcourse.explain.importance import Predict

POINTS, MOST_CATEGORIES = 15, 10


class Dependence(TypedDict):
    """How a model's probabilities go with one column.

    ``values`` are numbers, or texts of categories, dates and of ``missing``; ``rows`` how many rows hold each, 0 for
    numbers, which seldom repeat; ``probabilities`` has one row a value and one number a class.
    """

    column: str
    kind: str
    values: list[Any]
    rows: list[int]
    probabilities: list[list[float]]


def partial_dependence(
    predict: Predict, x: NDArray[np.float32], places: Places, values: Column, column: NumberColumn | CategoryColumn
) -> Dependence | None:
    """Return the mean over rows of the probabilities with each row's value put in its place (Friedman 2001).

    Of numbers and dates, 15 quantiles of the values that there are, from the 2.5th percentile to the 97.5th; of
    categories, the ten most frequent. None if there are fewer than two.

    Args:
        predict: the model.
        x: the feature matrix of the rows that are averaged over, shape (rows, width).
        places: the column's in it.
        values: its values in these rows, shape (rows,).
        column: what becomes of it.

    >>> def predict(x): return np.stack([x[:, 0] / 8, 1 - x[:, 0] / 8], axis=1).astype(float)
    >>> x = np.array([[0, 1], [8, 2], [4, 2]], np.float32)
    >>> a = NumberColumn("a", 0.0, 1.0, has_missing=False)
    >>> found = partial_dependence(predict, x, np.array([0]), x[:, 0].astype(float), a)
    >>> found["values"], found["probabilities"]
    ([0.0, 4.0, 8.0], [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    """
    chosen, counts = _quantiles(values) if isinstance(column, NumberColumn) else _most_frequent(values)
    if len(chosen) < 2:
        return None
    alike = np.tile(x, (len(chosen), 1))
    alike[:, places] = np.repeat(x[np.ix_(chosen, places)], len(x), axis=0)
    probabilities = predict(alike).reshape(len(chosen), len(x), -1).mean(axis=1)
    kind = ("date" if column.is_date else "number") if isinstance(column, NumberColumn) else "category"
    return {
        "column": column.name,
        "kind": kind,
        "values": values_said(values[chosen], column),
        "rows": counts,
        "probabilities": [[float(f"{value:.6g}") for value in row] for row in probabilities.tolist()],
    }


def values_said(values: Column, column: NumberColumn | CategoryColumn | TextColumn) -> list[Any]:
    """Return values of a column as a person reads them: numbers, dates in ISO 8601, texts; None where missing.

    >>> born = NumberColumn("born", 0.0, 1.0, has_missing=False, is_date=True)
    >>> values_said(np.array([1.5, np.nan]), born), values_said(np.array([1.0, np.nan]), born)
    (['1970-01-02 12:00', None], ['1970-01-02', None])
    >>> values_said(np.array([0.75]), NumberColumn("at", 0.5, 0.1, False, is_date=True, ends=(0.25, 0.8)))
    ['18:00']
    """
    if not isinstance(column, NumberColumn):
        return [text or None for text in values.tolist()]
    if not column.is_date:
        return [None if np.isnan(value) else float(f"{value:.8g}") for value in values.tolist()]
    moments = dates.moments(values)
    if column.is_time_of_day:
        return [f"{moment:%H:%M}" if moment else None for moment in moments]
    days = all(not moment or (moment.hour, moment.minute) == (0, 0) for moment in moments)
    pattern = "%Y-%m-%d" if days else "%Y-%m-%d %H:%M"
    return [moment.strftime(pattern) if moment else None for moment in moments]


def _quantiles(values: Column) -> tuple[NDArray[np.int64], list[int]]:
    """Return rows that hold evenly spaced quantiles of the present values, each value once, the least first."""
    present = np.flatnonzero(~np.isnan(values))
    order = present[np.argsort(values[present], kind="stable")]
    if not len(order):
        return order, []
    share = np.linspace(0.025, 0.975, POINTS)
    rows = order[np.round(share * (len(order) - 1)).astype(int)]
    _, first = np.unique(values[rows], return_index=True)
    return rows[first], [0] * len(first)


def _most_frequent(values: Column) -> tuple[NDArray[np.int64], list[int]]:
    """Return a row that holds each of the most frequent texts, these first, and how many rows do."""
    different, first, counts = np.unique(values.astype(str), return_index=True, return_counts=True)
    del different
    best = np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
    return first[best], counts[best].tolist()
