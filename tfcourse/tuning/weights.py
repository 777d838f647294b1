"""Which settings a bagged model is made of, and how much each counts: greedy selection (Caruana et al. 2004)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfcourse.run.measure import log_loss

ROUNDS = 20


def greedy_weights(
    probabilities: Sequence[NDArray[np.float64]], y: NDArray[np.int64], counts: NDArray[np.float32] | None = None
) -> list[float]:
    """Return the weight of each setting, 0 for one that does not help; they sum to 1.

    One setting after the other is added to the average, any of them again, each time the one with which the log-loss
    is lowest (the first of equals), for :data:`ROUNDS` rounds. The shortest average with the lowest log-loss counts.

    Args:
        probabilities: what each setting says of rows that it did not train on, shape (rows, classes).
        y: their class numbers, shape (rows,).
        counts: how much each row counts, shape (rows,); None for alike.

    >>> sure, unsure = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.6, 0.4], [0.4, 0.6]])
    >>> greedy_weights([unsure, sure], np.array([0, 1]))
    [0.0, 1.0]
    """
    total = np.zeros_like(probabilities[0])
    chosen: list[int] = []
    losses: list[float] = []
    for size in range(1, ROUNDS + 1):
        tried = [log_loss((total + each) / size, y, counts) for each in probabilities]
        best = int(np.argmin(tried))
        total = total + probabilities[best]
        chosen.append(best)
        losses.append(tried[best])
    length = int(np.argmin(losses)) + 1
    return (np.bincount(chosen[:length], minlength=len(probabilities)) / length).tolist()
