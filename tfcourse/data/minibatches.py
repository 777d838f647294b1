"""The order of the training examples: given by the seed and the epoch, the same for every engine and every trial."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def minibatch_order(seed: int, epoch: int, rows: int) -> NDArray[np.int64]:
    """Return the permutation in which epoch ``epoch`` (from 0) visits the training rows, shape (rows,).

    Minibatch i of batch size b holds rows ``order[i * b : (i + 1) * b]``; the last one may be short. Every
    trial of a search sees the same order, so that trials differ by their hyperparameters alone.

    >>> order = minibatch_order(seed=0, epoch=3, rows=5)
    >>> sorted(order.tolist())
    [0, 1, 2, 3, 4]
    >>> bool((order == minibatch_order(0, 3, 5)).all())
    True
    """
    return np.random.default_rng([seed, epoch]).permutation(rows)
