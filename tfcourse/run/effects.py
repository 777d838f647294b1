"""What moved an exported model's answers: the Shapley values of the columns of rows, for commands and classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.table import Table
from tfcourse.data.table_features import TableFeatures
from tfcourse.explain.blocks import blocks_of
from tfcourse.explain.shapley import BACKGROUND, RowEffects, explain_rows
from tfcourse.run.exported import network_of, probabilities_of


def effects_of(model: Any, features: TableFeatures, rows: Table, compared: NDArray[np.float32]) -> RowEffects:
    """Return what moved the probability of each row's most probable label.

    Args:
        model: the loaded exported model.
        features: the map of its matrix, from :func:`tfcourse.run.exported.features_of`.
        rows: as they were read.
        compared: the matrix of rows to compare with, shape (rows, width); so many of them are drawn as it takes.

    Raises:
        UserError: as :func:`tfcourse.run.exported.network_of`.
    """
    network = network_of(model, features)
    return explain_rows(
        lambda x: probabilities_of(network, x).astype(np.float64),
        features.transform(rows),
        compared[np.random.default_rng(0).permutation(len(compared))[:BACKGROUND]],
        blocks_of(features),
    )
