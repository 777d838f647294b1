"""What a set of predictions is worth: accuracy with its interval, log-loss, macro-F1, confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def measure(
    probabilities: NDArray[Any], y: NDArray[np.int64], classes: Sequence[str], seen: NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """Return the measures of predicted probabilities, JSON-ready.

    Args:
        probabilities: shape (rows, classes).
        y: the true class numbers, shape (rows,).
        classes: the classes' names.
        seen: which rows stand in the training data too; where some do, the others are measured by themselves as well,
            in ``seen``.

    >>> measured = measure(np.array([[0.75, 0.25], [0.75, 0.25]]), np.array([0, 1]), ["a", "b"])
    >>> measured["accuracy"], round(measured["log_loss"], 4), measured["confusion"]
    (0.5, 0.837, [[1, 0], [1, 0]])
    """
    from sklearn.metrics import confusion_matrix, f1_score

    predicted = probabilities.argmax(axis=1)
    numbers = np.arange(len(classes))
    right = int((predicted == y).sum())
    low, high = accuracy_interval(right, len(y))
    measures = {
        "accuracy": right / len(y),
        "accuracy_interval": [low, high],
        "log_loss": log_loss(probabilities, y),
        "macro_f1": float(f1_score(y, predicted, labels=np.unique(y), average="macro", zero_division=0)),
        "n": len(y),
        "confusion": confusion_matrix(y, predicted, labels=numbers).tolist(),
    }
    if seen is not None and seen.any():
        others = None if seen.all() else measure(probabilities[~seen], y[~seen], classes)
        measures["seen"] = {"rows": int(seen.sum()), "others": others}
    return measures


def log_loss(probabilities: NDArray[Any], y: NDArray[np.int64], weights: NDArray[Any] | None = None) -> float:
    """Return the mean of −log of the true class's probability, which is kept from falling below 1e-12.

    >>> sure = np.array([[0.75, 0.25], [0.5, 0.5]])
    >>> round(log_loss(sure, np.array([0, 1])), 4), round(log_loss(sure, np.array([0, 1]), np.array([2.0, 0.0])), 4)
    (0.4904, 0.2877)
    """
    losses = -np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-12))
    return float(np.average(losses, weights=weights))


def accuracy_interval(right: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of an accuracy of ``right`` in ``n`` (Wilson 1927).

    >>> [round(bound, 3) for bound in accuracy_interval(90, 100)]
    [0.826, 0.945]
    """
    from scipy.stats import binomtest

    interval = binomtest(right, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)
