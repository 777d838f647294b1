"""Columns that say something of the rows and are not learned from: which group a row is of, how much it counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.dataset import Dataset
from tfcourse.data.groups import group_numbers
from tfcourse.data.labelled_table import columns_of
from tfcourse.data.options import DataOptions
from tfcourse.data.table import Table
from tfcourse.errors import UserError, did_you_mean

Numbers = NDArray[np.int64]
Weights = NDArray[np.float32]


def without_group(dataset: Dataset, options: DataOptions) -> tuple[Dataset, Numbers | None]:
    """Return the data without the column of groups, unless it is to be read as well, and each row's group number.

    Raises:
        UserError: if there is no such column, or rows are split in the order of time.
    """
    name, x = options.group, dataset.x
    if name is None or not isinstance(x, dict):
        return dataset, None
    if options.split == "time":
        raise UserError("--group was given with --split time, which keeps rows in their order; give one of them.")
    _check_there("--group", name, x)
    named = group_numbers(x[name])
    if name in options.categorical:
        return dataset, named
    dataset.notes.append(f"rows with one {name!r} stay in one part of the split; it is not learned from")
    return _without(dataset, name), named


def without_weights(dataset: Dataset, options: DataOptions) -> tuple[Dataset, NDArray[np.float64] | None]:
    """Return the data without the column of weights, and each row's weight.

    Raises:
        UserError: if there is no such column, or it does not hold a weight, 0 or more, in every row.
    """
    name, x = options.weight, dataset.x
    if name is None or not isinstance(x, dict):
        return dataset, None
    _check_there("--weight", name, x)
    values = x[name]
    if values.dtype == object:
        raise UserError(f"--weight: column {name!r} is read as texts; each row needs a number, 0 or more.")
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        held = "nothing" if np.isnan(values[row]) else f"{values[row]:g}"
        raise UserError(f"--weight: column {name!r} holds {held} in row {row + 1}; each row needs a number, 0 or more.")
    dataset.notes.append(f"rows count by {name!r} in the losses of training and validation; it is not learned from")
    return _without(dataset, name), values.astype(np.float64)


def of_mean_one(weights: NDArray[np.float64], part: str) -> Weights:
    """Return the weights of a part of the rows, scaled so that a row counts 1 on average.

    So losses and learning rates mean the same as without weights.

    Raises:
        UserError: if all are 0.

    >>> of_mean_one(np.array([1.0, 3.0]), "training").tolist()
    [0.5, 1.5]
    """
    if not weights.sum():
        raise UserError(f"--weight: every row of the {part} part has zero weight; nothing could be learned there.")
    return (weights / weights.mean()).astype(np.float32)


def _check_there(flag: str, name: str, x: Table) -> None:
    if name not in x:
        near = did_you_mean(name, x)
        raise UserError(f"{flag}: there is no column {name!r} beside the target.{near} {columns_of(x)}")


def _without(dataset: Dataset, name: str) -> Dataset:
    test = dataset.test and ({k: v for k, v in dataset.test[0].items() if k != name}, dataset.test[1])  # type: ignore[union-attr]
    return replace(dataset, x={key: column for key, column in dataset.x.items() if key != name}, test=test)  # type: ignore[union-attr]
