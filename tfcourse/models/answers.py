"""What a network answers, without ``predict``, which traces a function first: that takes longer than a table's rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH, BATCH_OF_IMAGES = 4096, 512
"""Rows at once; what a convolution gives for an image is as large as many images."""


def answers_of(network: Any, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a Keras network gives for rows, shape (rows, units of its last layer).

    Args:
        network: from the feature matrix to logits or probabilities.
        x: the feature matrix, at least one row.

    >>> from tfcourse.models.builders import build_softmax_regression
    >>> answers_of(build_softmax_regression(4, 3), np.ones((5000, 4), np.float32)).shape
    (5000, 3)
    """
    batch = rows_at_once(network)
    return np.concatenate([answer_of(network, x[start : start + batch]) for start in range(0, len(x), batch)])


def rows_at_once(model: Any) -> int:
    """Return how many rows a model is to be asked at once.

    >>> from tfcourse.models.builders import build_softmax_regression
    >>> rows_at_once(build_softmax_regression(4, 3))
    4096
    """
    return BATCH_OF_IMAGES if _convolves(model) else BATCH


def _convolves(layer: Any) -> bool:
    return type(layer).__name__ == "Conv2D" or any(map(_convolves, getattr(layer, "layers", ())))


def answer_of(model: Any, batch: Any) -> NDArray[np.float32]:
    """Return what a Keras model gives for one batch, an array or columns by name, without tracing a function."""
    in_a_list = isinstance(getattr(model, "input", None), list)  # Keras warns of what is not in one, too
    return np.asarray(model([batch] if in_a_list else batch, training=False))
