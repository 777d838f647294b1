"""The held-out rows of which a model is surest and wrong: slips in the labels, or what it has not learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.columns import CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.table import Table
from tfcourse.explain.dependence import values_said


class Mistake(TypedDict):
    """A row that is taken for another class.

    ``row`` counts from 1 in the file, rows without a label left out; ``probability`` is that of ``predicted``,
    ``of_label`` that of ``label``; ``values`` are what the row holds in the columns that matter most.
    """

    row: int
    label: str
    predicted: str
    probability: float
    of_label: float
    values: dict[str, Any]


def surest_mistakes(
    probabilities: NDArray[Any],
    y: NDArray[np.int64],
    classes: Sequence[str],
    rows: NDArray[np.int64],
    table: Table,
    columns: Sequence[NumberColumn | CategoryColumn | TextColumn],
    most: int = 10,
) -> list[Mistake]:
    """Return the rows that are wrong with the highest probability, that one first.

    Args:
        probabilities: shape (rows, classes).
        y: class numbers, shape (rows,).
        classes: the classes' names.
        rows: the place of each row in its file, from 0.
        table: the rows as they were read.
        columns: those whose values are told.
        most: at most so many.

    >>> a = NumberColumn("a", 0.0, 1.0, has_missing=False)
    >>> table = {"a": np.array([1.0, 2.0, 3.0])}
    >>> sure = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8]])
    >>> surest_mistakes(sure, np.array([1, 1, 1]), ["no", "yes"], np.array([7, 8, 9]), table, [a], most=1)
    [{'row': 9, 'label': 'yes', 'predicted': 'no', 'probability': 0.9, 'of_label': 0.1, 'values': {'a': 2.0}}]
    """
    predicted = probabilities.argmax(axis=1)
    highest = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != y)
    surest = wrong[np.argsort(-highest[wrong], kind="stable")][:most]
    values = {column.name: values_said(table[column.name][surest], column) for column in columns}
    return [
        {
            "row": int(rows[row]) + 1,
            "label": classes[y[row]],
            "predicted": classes[predicted[row]],
            "probability": float(f"{highest[row]:.6g}"),
            "of_label": float(f"{probabilities[row, y[row]]:.6g}"),
            "values": {name: each[place] for name, each in values.items()},
        }
        for place, row in enumerate(surest.tolist())
    ]
