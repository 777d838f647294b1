"""All that is said of what a model goes by, as ``result.json`` keeps it."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.columns import TextColumn
from tfcourse.data.features import Features
from tfcourse.data.prepare import Prepared
from tfcourse.data.table_features import TableFeatures
from tfcourse.explain.blocks import blocks_of
from tfcourse.explain.dependence import Dependence, partial_dependence
from tfcourse.explain.importance import ColumnImportance, Predict, permutation_importance
from tfcourse.explain.surest_mistakes import Mistake, surest_mistakes

MOST_ROWS, LEAST_ROWS, REPEATS = 2000, 100, 5
MOST_PREDICTIONS = 250_000
"""Rows that the model is asked in all: some seconds, however many networks it averages."""
LEADING, ROWS_AVERAGED = 6, 500


class Explanation(TypedDict):
    """What a model of a table goes by on the test split, ``rows`` rows of which were asked."""

    rows: int
    repeats: int
    importance: list[ColumnImportance]
    dependence: list[Dependence]
    surest_mistakes: list[Mistake]


def explain(
    predict: Predict,
    probabilities: NDArray[Any],
    prepared: Prepared,
    features: Features,
    matrix: NDArray[np.float32],
    seed: int,
) -> Explanation | None:
    """Return what a model goes by on the test split; None for arrays and for tables of very many columns.

    Args:
        predict: the model, from the feature matrix to probabilities.
        probabilities: what it says of the test split, shape (rows, classes).
        prepared: the data.
        features: the feature map of the model.
        matrix: the test split by it, shape (rows, width).
        seed: of the rows that are drawn and of the shuffles.
    """
    if not isinstance(features, TableFeatures) or not isinstance(prepared.test_rows, dict):
        return None
    blocks = blocks_of(features)
    test = prepared.test
    rows = min(len(test), MOST_ROWS, MOST_PREDICTIONS // (REPEATS * len(blocks)))
    if rows < min(LEAST_ROWS, len(test)):
        return None
    asked = np.sort(np.random.default_rng(seed).permutation(len(test))[:rows])
    x = matrix[asked]
    importance = permutation_importance(predict, x, test.y[asked], blocks, repeats=REPEATS, seed=seed)
    columns = {column.name: column for column in features.columns}
    leading = [columns[each["column"]] for each in importance[:LEADING]]
    averaged = asked[:: -(-rows // ROWS_AVERAGED)]
    dependence = [
        partial_dependence(
            predict, matrix[averaged], blocks[column.name], prepared.test_rows[column.name][averaged], column
        )
        for column in leading
        if not isinstance(column, TextColumn)
    ]
    return {
        "rows": rows,
        "repeats": REPEATS,
        "importance": importance,
        "dependence": [each for each in dependence if each is not None],
        "surest_mistakes": surest_mistakes(
            probabilities, test.y, prepared.classes, prepared.test_places, prepared.test_rows, leading
        ),
    }
