"""Split rows into training, validation and test parts, equal rows staying together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.table import Table
from tfcourse.errors import UserError

Rows = NDArray[np.int64]

_PARTS_NEEDED = 3


@dataclass(frozen=True)
class Split:
    """Row numbers of the training, validation and test parts; the test part is empty if it is another file."""

    train: Rows
    validation: Rows
    test: Rows


def equal_rows(x: Table | NDArray[Any]) -> Rows:
    """Return a group number for each row, the same for rows that are equal in every value.

    >>> equal_rows(np.array([[1, 2], [3, 4], [1, 2]])).tolist()
    [0, 1, 0]
    """
    import pandas as pd

    if isinstance(x, dict):
        frame = pd.DataFrame(x)
        groups = frame.groupby(list(frame.columns), dropna=False, sort=False).ngroup()
        return np.asarray(groups, dtype=np.int64)
    flat = np.ascontiguousarray(x.reshape(len(x), -1))
    rows = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
    codes, _ = pd.factorize(np.unique(rows, return_inverse=True)[1])
    return np.asarray(codes, dtype=np.int64)


def split_stratified(
    groups: Rows, y: Rows, classes: Sequence[str], *, seed: int, test: float, validation: float
) -> Split:
    """Split so that every class has its share in every part, and rows of one group stay in one part.

    Args:
        groups: group number of each row, from :func:`equal_rows`.
        y: class number of each row.
        classes: the classes' names, for messages.
        seed: which random split.
        test: share of the test part, in [0, 1); 0 leaves it empty.
        validation: share of the validation part, in (0, 1).

    Raises:
        UserError: if a class has fewer than 3 different rows.

    >>> split = split_stratified(np.arange(10), np.zeros(10, int), ["a"], seed=0, test=0.2, validation=0.2)
    >>> len(split.train), len(split.validation), len(split.test)
    (6, 2, 2)
    """
    _, first_row = np.unique(groups, return_index=True)
    group_class = y[first_row]  # rows equal in all but the label follow the label of the first
    random = np.random.default_rng([seed, 0])
    part_of_group = np.zeros(len(first_row), dtype=np.int64)
    for number, name in enumerate(classes):
        members = random.permutation(np.flatnonzero(group_class == number))
        if len(members) < _PARTS_NEEDED:
            raise UserError(too_few(name, int((y == number).sum()), len(members)))
        test_count = max(1, round(test * len(members))) if test else 0
        validation_count = max(1, round(validation * len(members)))
        part_of_group[members[:test_count]] = 2
        part_of_group[members[test_count : test_count + validation_count]] = 1
    part = part_of_group[groups]
    return Split(*(np.flatnonzero(part == number) for number in range(3)))


def too_few(name: str, rows: int, different: int) -> str:
    """Return the message for a class that cannot be in all three parts."""
    counted = f"{rows} row{'s' * (rows != 1)}" + (f", {different} of them different" if different < rows else "")
    return (
        f"Class {name!r} has only {counted}; at least 3 different rows are needed, for training, validation and"
        " test. Leave the class's rows out, merge it with another class, or add rows."
    )


def split_time(y: Rows, classes: Sequence[str], *, test: float, validation: float) -> Split:
    """Split rows in their order: the first part trains, the next validates, the last tests.

    Raises:
        UserError: if a class first appears after the training part.

    >>> split_time(np.zeros(10, int), ["a"], test=0.2, validation=0.2).test.tolist()
    [8, 9]
    """
    rows = len(y)
    test_start = rows - round(test * rows)
    train_end = test_start - max(1, round(validation * rows))
    late = np.setdiff1d(np.unique(y), y[:train_end])
    if len(late):
        raise UserError(
            f"--split time: class {classes[late[0]]!r} does not appear among the first {train_end} rows, which train."
            " Use --split stratified, or leave the class's rows out."
        )
    order = np.arange(rows)
    return Split(order[:train_end], order[train_end:test_start], order[test_start:])
