"""Permutation importance: how much worse a model becomes on held-out rows when a column's values are shuffled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from tfcourse.explain.blocks import Places

Predict = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""From rows of the feature matrix, shape (rows, width), to class probabilities, shape (rows, classes)."""


class ColumnImportance(TypedDict):
    """What shuffling one column costs on the rows that were asked.

    ``log_loss`` is what is added to it on average, ``interval`` its 95 % interval, ``accuracy`` the share of rows that
    are no longer right.
    """

    column: str
    log_loss: float
    interval: tuple[float, float]
    accuracy: float


def permutation_importance(
    predict: Predict,
    x: NDArray[np.float32],
    y: NDArray[np.int64],
    blocks: Mapping[str, Places],
    *,
    repeats: int,
    seed: int,
) -> list[ColumnImportance]:
    """Return the importance of every column of the table, the most important first.

    I_j = mean over rows and repeats of −log p(y | x with column j from another row) + log p(y | x) (Breiman 2001;
    Fisher, Rudin and Dominici 2019). Its interval is I_j ± 1.96 s / √rows, s being the standard deviation of the rows'
    own means: it says how far other rows of the same kind may differ, where
    :func:`sklearn.inspection.permutation_importance` tells how far other shuffles of these rows may.

    Args:
        predict: the model.
        x: rows that it was not trained on, shape (rows, width).
        y: their class numbers, shape (rows,).
        blocks: the matrix columns of each column of the table.
        repeats: how often each column is shuffled.
        seed: of the shuffles; column by column in the order of ``blocks``.

    >>> def predict(x): return np.stack([x[:, 0], 1 - x[:, 0]], axis=1).astype(float)
    >>> x = np.array([[0.9, 5.0], [0.1, 7.0]] * 50, np.float32)
    >>> found = permutation_importance(
    ...     predict, x, np.array([0, 1] * 50), {"a": np.array([0]), "b": np.array([1])}, repeats=5, seed=0)
    >>> [(each["column"], round(each["log_loss"], 1), round(each["accuracy"], 1)) for each in found]
    [('a', 1.1, 0.5), ('b', 0.0, 0.0)]
    """
    random = np.random.default_rng(seed)
    rows = len(x)
    loss, right = _scores(predict(x), y)
    found: list[ColumnImportance] = []
    for name, places in blocks.items():
        shuffled = np.tile(x, (repeats, 1))
        order = np.concatenate([random.permutation(rows) for _ in range(repeats)])
        shuffled[:, places] = x[np.ix_(order, places)]
        losses, rights = _scores(predict(shuffled), np.tile(y, repeats))
        added = (losses.reshape(repeats, rows) - loss).mean(axis=0)
        lost = (right.astype(float) - rights.reshape(repeats, rows)).mean(axis=0)
        mean, error = float(added.mean()), float(added.std(ddof=1) / np.sqrt(rows)) if rows > 1 else 0.0
        interval = (mean - 1.96 * error, mean + 1.96 * error)
        found.append({"column": name, "log_loss": mean, "interval": interval, "accuracy": float(lost.mean())})
    return sorted(found, key=lambda each: -each["log_loss"])


def _scores(probabilities: NDArray[np.float64], y: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the log-loss of each row and whether it is right."""
    true = np.maximum(probabilities[np.arange(len(y)), y], 1e-12)
    return -np.log(true), probabilities.argmax(axis=1) == y
