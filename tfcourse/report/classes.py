"""What a confusion matrix says of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def per_class(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return precision, recall, F1 and support of every class.

    precision = right / predicted as it, recall = right / truly it, F1 = 2 right / (predicted as it + truly it).

    Args:
        confusion: shape (classes, classes); rows are true, columns predicted.
        classes: the classes' names.

    Returns:
        one row a class; a measure is None where it would divide by zero.

    >>> row, _ = per_class([[3, 1], [2, 4]], ["a", "b"])
    >>> row["precision"], row["recall"], round(row["f1"], 4), row["support"]
    (0.6, 0.75, 0.6667, 4)
    """
    matrix = np.asarray(confusion, dtype=float)
    right, truly, predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    return [
        {
            "name": name,
            "precision": _share(right[k], predicted[k]),
            "recall": _share(right[k], truly[k]),
            "f1": _share(2 * right[k], predicted[k] + truly[k]),
            "support": int(truly[k]),
        }
        for k, name in enumerate(classes)
    ]


def shaded(confusion: Sequence[Sequence[int]]) -> list[list[dict[str, float]]]:
    """Return every count with its shade from 0 to 1: the root of its share of the true class's rows.

    The root makes rare mistakes visible.

    >>> shaded([[3, 1], [0, 0]])[0][1]
    {'count': 1, 'shade': 0.5}
    """
    return [[{"count": count, "shade": (count / (sum(row) or 1)) ** 0.5} for count in row] for row in confusion]


def most_confused(confusion: Sequence[Sequence[int]], classes: Sequence[str], most: int = 10) -> list[dict[str, Any]]:
    """Return the most frequent mistakes: which class was taken for which, and how often.

    >>> most_confused([[3, 1], [2, 4]], ["a", "b"])
    [{'true': 'b', 'predicted': 'a', 'count': 2}, {'true': 'a', 'predicted': 'b', 'count': 1}]
    """
    wrong = [
        (-count, row, column)
        for row, counts in enumerate(confusion)
        for column, count in enumerate(counts)
        if row != column and count
    ]
    return [
        {"true": classes[row], "predicted": classes[column], "count": -count}
        for count, row, column in sorted(wrong)[:most]
    ]


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
