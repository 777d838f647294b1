"""How good a model is in parts of the test split: where a column has one value, or lies in a quarter of its values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.table import Column, Table
from tfcourse.data.table_features import TableFeatures
from tfcourse.errors import UserError, did_you_mean
from tfcourse.explain.dependence import values_said
from tfcourse.run.measure import accuracy_interval, log_loss
from tfcourse.words import first_of

MOST_VALUES = 12
"""Of a column of more values the rarer ones are put together; of numbers, quarters are taken."""
QUARTERS = (0.25, 0.5, 0.75)


class Slice(TypedDict):
    """The ``n`` rows of the test split that have a ``value`` in a ``column``, and what the model is worth there."""

    column: str
    value: str
    n: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    log_loss: float


def check_columns(columns: Sequence[str], rows: Any) -> None:
    """Refuse columns that the rows of the test split do not have.

    Raises:
        UserError: naming the first, with the nearest name.
    """
    if columns and not isinstance(rows, dict):
        raise UserError("--slices is for tables; the data holds arrays.")
    for name in columns:
        if name not in rows:
            has = first_of([repr(each) for each in rows], 30)
            raise UserError(f"--slices: there is no column {name!r}.{did_you_mean(name, rows)} Its columns are {has}.")


def slices(
    probabilities: NDArray[Any], y: NDArray[np.int64], rows: Table, columns: Iterable[str], features: TableFeatures
) -> list[Slice]:
    """Return the measures of each part of the rows, column by column.

    Args:
        probabilities: shape (rows, classes).
        y: class numbers, shape (rows,).
        rows: the rows as they were read.
        columns: by which to cut them.
        features: how the columns are read.

    >>> from tfcourse.data.columns import CategoryColumn
    >>> features = TableFeatures((), (CategoryColumn("sex", ("f", "m")),))
    >>> sure = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]])
    >>> rows = {"sex": np.array(["f", "m", "m"], dtype=object)}
    >>> found = slices(sure, np.array([0, 1, 1]), rows, ["sex"], features)
    >>> [(each["value"], each["n"], each["accuracy"]) for each in found]
    [('f', 1, 1.0), ('m', 2, 0.5)]
    """
    known = {column.name: column for column in features.columns}
    found: list[Slice] = []
    for name in columns:
        values = rows[name]
        said = values_said(values, known[name]) if name in known else values.tolist()
        for value, part in _parts(values, said):
            right = int((probabilities[part].argmax(axis=1) == y[part]).sum())
            found.append(
                {
                    "column": name,
                    "value": value,
                    "n": len(part),
                    "accuracy": right / len(part),
                    "accuracy_interval": accuracy_interval(right, len(part)),
                    "log_loss": log_loss(probabilities[part], y[part]),
                }
            )
    return found


def _parts(values: Column, said: Sequence[Any]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield what each part of the rows has in common, in words, and which rows it holds."""
    missing = np.array([each is None or each == "" or each != each for each in said], dtype=bool)
    present = np.flatnonzero(~missing)
    different, first, codes = np.unique(values[present], return_index=True, return_inverse=True)
    words = [_written(said[row]) for row in present[first]]
    if len(different) > MOST_VALUES and values.dtype != object:
        quarter = np.searchsorted(np.quantile(values[present], QUARTERS), values[present])
        for number in np.unique(quarter):
            of_quarter = present[quarter == number]
            ends = (of_quarter[values[of_quarter].argmin()], of_quarter[values[of_quarter].argmax()])
            yield " to ".join(_written(said[row]) for row in ends), of_quarter
    else:
        counts = np.bincount(codes, minlength=len(different))
        shown = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
        for place in shown:
            yield words[place], present[codes == place]
        if len(rest := present[~np.isin(codes, shown)]):
            yield f"{len(different) - len(shown)} rarer values", rest
    if missing.any():
        yield "missing", np.flatnonzero(missing)


def _written(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
