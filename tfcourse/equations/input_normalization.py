r"""Normalizing the inputs (slides B1), in the course's layout: x is (n, m), a column is an example.

Keras's layout is the transpose, (m, n): ``keras.layers.Normalization(axis=-1)`` on ``x.T`` is the same map.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def statistics(x: ArrayLike) -> tuple[Array, Array]:
    r"""Return the mean μ and the variance σ² of each feature over the m examples.

    .. math:: \mu = \frac{1}{m} \sum_i x^{(i)}, \qquad \sigma^2 = \frac{1}{m} \sum_i (x^{(i)} - \mu)^2

    The slide squares x element by element after x ← x − μ, which is the same thing. Compute both on the
    training set, and use these very numbers on the test set too.

    Args:
        x: shape (n, m); Keras: (m, n).

    Returns:
        μ and σ², each of shape (n, 1).

    >>> mu, variance = statistics([[1.0, 3.0], [10.0, 30.0]])
    >>> mu.ravel().tolist(), variance.ravel().tolist()
    ([2.0, 20.0], [1.0, 100.0])
    """
    x = np.asarray(x, dtype=np.float64)
    mu = x.mean(axis=1, keepdims=True)
    return mu, np.square(x - mu).mean(axis=1, keepdims=True)


def normalize(x: ArrayLike, mu: Array, variance: Array) -> Array:
    r"""Return :math:`(x - \mu) / \sigma`, shape (n, m); a feature with σ = 0 becomes x − μ.

    Args:
        x: shape (n, m); Keras: (m, n).
        mu: μ of the training set, shape (n, 1).
        variance: σ² of the training set, shape (n, 1).

    >>> train = [[1.0, 3.0], [7.0, 7.0]]
    >>> normalize([[5.0], [7.0]], *statistics(train)).ravel().tolist()
    [3.0, 0.0]
    """
    sigma = np.sqrt(variance)
    return (np.asarray(x, dtype=np.float64) - mu) / np.where(sigma > 0, sigma, 1.0)
