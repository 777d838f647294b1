"""What may make a score too good: columns that give the target away, groups of rows, rows in the order of time."""

from __future__ import annotations

import shlex
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.reading.look_alike import alike_words
from tfcourse.data.split import Rows
from tfcourse.data.table import Table

GIVEN_AWAY = 0.995
"""A column that alone is right in more than this share of the validation rows gives the target away, likely."""
MOST_ROWS, MOST_COLUMNS = 2000, 300
LEAST_GROUPS, MOST_GROUP_SIZE, SAME_LABEL = 20, 50, 0.95
"""Values of a group: at least so many, each in 2 to 50 rows in the mean, whose labels agree in so large a share."""


def suspicions(table: Table, y: Rows, train: Rows, validation: Rows, dates: tuple[str, ...] = ()) -> list[str]:
    """Return a line for each thing that may make a score too good.

    Args:
        table: the columns that are used, decoded.
        y: class numbers, shape (rows,).
        train: the training rows.
        validation: the validation rows.
        dates: the columns that are dates.

    >>> y = np.array([0, 1] * 20)
    >>> suspicions({"answer": y * 3.0}, y, np.arange(20), np.arange(20, 40))
    ["'answer' alone is right in 100.0% of the validation rows: does it give the target away? If so, --drop answer"]
    """
    lines = []
    train, validation = train[:MOST_ROWS], validation[:MOST_ROWS]
    usual = np.bincount(y[validation]).max() / max(1, len(validation))
    for name, column in list(table.items())[:MOST_COLUMNS]:
        right = alone(column, y, train, validation)
        if right > max(GIVEN_AWAY, usual + (1 - usual) / 2):
            lines.append(
                f"{name!r} alone is right in {right:.1%} of the validation rows: does it give the target away?"
                f" If so, --drop {shlex.quote(name)}"
            )
        elif column.dtype == object and shares_labels(column, y):
            lines.append(
                f"rows of one {name!r} nearly always share their label: if new rows will be of other ones,"
                f" --group {shlex.quote(name)} keeps them in one part of the split"
            )
    for name in dates:
        days = table[name]
        if len(np.unique(days)) > LEAST_GROUPS and not np.isnan(days).any() and (np.diff(days) >= 0).all():
            lines.append(f"the rows are in the order of {name!r}: --split time would test on the latest ones")
    return lines


def odd_categories(column: NDArray[np.object_]) -> list[str]:
    """Return a line on the values of a category that look like one spelled twice, none if there are no such.

    >>> odd_categories(np.array(["yes", "Yes", "no", ""], dtype=object))[0].partition(" differ")[0]
    "the values 'Yes' (1 row) and 'yes' (1 row)"
    """
    counts = Counter(column.tolist())
    counts.pop("", None)
    return alike_words(counts, "a category", "values")


def alone(column: NDArray[np.float64] | NDArray[np.object_], y: Rows, train: Rows, validation: Rows) -> float:
    """Return in which share of the validation rows a small decision tree on one column is right."""
    from sklearn.tree import DecisionTreeClassifier

    if column.dtype == object:
        _, codes = np.unique(column, return_inverse=True)
        classes, counts = int(y.max()) + 1, int(codes.max()) + 1
        table = np.bincount(codes[train] * classes + y[train], minlength=counts * classes).reshape(counts, classes)
        return float((table.argmax(axis=1)[codes[validation]] == y[validation]).mean())
    numbers = np.asarray(column, dtype=np.float64)
    # Standardized first: trees take float32, in which 868000000 and 868000001 are alike.
    standard = (numbers - np.nanmean(numbers)) / (np.nanstd(numbers) or 1.0)
    values = np.nan_to_num(standard, nan=float(np.nanmin(standard)) - 1.0).reshape(-1, 1)
    tree = DecisionTreeClassifier(max_leaf_nodes=2 * (int(y.max()) + 1), random_state=0).fit(values[train], y[train])
    return float(tree.score(values[validation], y[validation]))


def shares_labels(column: NDArray[np.object_], y: Rows) -> bool:
    """Say whether the rows of each value nearly always have one label, as those of a patient or customer do."""
    values, codes, counts = np.unique(column, return_inverse=True, return_counts=True)
    if len(values) < LEAST_GROUPS or not 2 <= len(column) / len(values) <= MOST_GROUP_SIZE:
        return False
    repeated = counts[codes] > 1
    if repeated.mean() < 1 / 2:
        return False
    classes = int(y.max()) + 1
    table = np.bincount(codes * classes + y, minlength=len(values) * classes).reshape(len(values), classes)
    usual = np.bincount(y).max() / len(y)
    agreeing = table.max(axis=1)[counts > 1].sum() / counts[counts > 1].sum()
    return bool(agreeing > max(SAME_LABEL, usual + (1 - usual) * 0.8))
