"""The order of the training examples: given by the seed and the epoch, the same for every engine and every trial."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAST_OF_LAST, ENOUGH = 0.5, 32
"""A last minibatch is at least half full, or has so many rows: the statistics of a few are far from the data's."""


def even_batch_size(batch_size: int, rows: Sequence[int]) -> int:
    """Return the largest size up to ``batch_size``, and above half of it, whose last minibatch is no handful of rows.

    The last of an epoch's minibatches moves batch normalization's averages as much as a full one does: after 5 rows of
    12805, or after a single one, which has no variance, they are far from the data's.

    Args:
        batch_size: the size that was wanted.
        rows: how many there are in each of the trainings, which all get one size; where none is good for all of them,
            the one whose emptiest last minibatch is the fullest.

    >>> even_batch_size(256, [12805]), 12805 % 256, 12805 % 255
    (255, 5, 55)
    >>> even_batch_size(32, [1078]), even_batch_size(16, [241])
    (32, 13)
    """

    def emptiest(size: int) -> float:
        return min((count % size or size) / min(size, ENOUGH / LEAST_OF_LAST) for count in rows)

    sizes = range(batch_size, batch_size // 2, -1)
    return next((size for size in sizes if emptiest(size) >= LEAST_OF_LAST), max(sizes, key=emptiest))


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
