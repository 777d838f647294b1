r"""The softmax layer, its loss and its gradient (slides C1-C6), in the course's layout.

z, Ŷ and Y are (C, m): a column is an example, Y holds one 1 in each column. Keras's layout is the transpose,
(m, C): ``keras.losses.CategoricalCrossentropy(from_logits=True)`` on ``y.T`` and ``z.T`` is :func:`cost`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def softmax(z: ArrayLike) -> Array:
    r"""Return the probabilities :math:`a = t / \sum_j t_j` with :math:`t = e^z`, shape (C, m) (C1).

    The largest z of each column is taken off first; it cancels in the ratio, and no exponential overflows.

    Args:
        z: logits, shape (C, m); Keras: (m, C).

    >>> softmax([[5.0], [2.0], [-1.0], [3.0]]).round(3).ravel().tolist()
    [0.842, 0.042, 0.002, 0.114]
    """
    z = np.asarray(z, dtype=np.float64)
    t = np.exp(z - z.max(axis=0, keepdims=True))
    return t / t.sum(axis=0, keepdims=True)


def hard_max(z: ArrayLike) -> Array:
    """Return 1 at the largest logit of each column and 0 elsewhere, shape (C, m); the first one on a tie (C3).

    >>> hard_max([[5.0], [2.0], [-1.0], [3.0]]).ravel().tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    z = np.asarray(z, dtype=np.float64)
    return one_hot(z.argmax(axis=0), z.shape[0])


def one_hot(labels: ArrayLike, classes: int) -> Array:
    """Return Y, shape (C, m), from labels 0...C − 1, shape (m,).

    >>> one_hot([2, 0], classes=3).tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    """
    return np.eye(classes)[:, np.asarray(labels)]


def losses(z: ArrayLike, y: ArrayLike) -> Array:
    r"""Return the loss of each example, shape (m,), from the logits (C5).

    .. math:: L(\hat y, y) = -\sum_j y_j \log \hat y_j = \log \sum_j e^{z_j} - \sum_j y_j z_j

    The right side never takes the logarithm of a rounded softmax, so it is finite for any finite z.

    Args:
        z: logits, shape (C, m); Keras: (m, C).
        y: Y, shape (C, m), columns sum to 1.

    >>> losses([[1000.0], [-1000.0]], [[0.0], [1.0]]).tolist()
    [2000.0]
    """
    z, y = np.asarray(z, dtype=np.float64), np.asarray(y, dtype=np.float64)
    shifted = z - z.max(axis=0, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=0)) - (y * shifted).sum(axis=0)


def cost(z: ArrayLike, y: ArrayLike) -> float:
    r"""Return :math:`J = \frac{1}{m} \sum_i L(\hat y^{(i)}, y^{(i)})` of logits and Y, both (C, m) (C5).

    >>> round(cost([[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]), 6)  # log 2: both classes as likely
    0.693147
    """
    return float(losses(z, y).mean())


def gradient(z: ArrayLike, y: ArrayLike) -> Array:
    r"""Return :math:`dz = \hat y - y`, shape (C, m): the gradient of each example's own loss (C6).

    The gradient of the cost J is this divided by m.

    >>> gradient([[5.0], [2.0], [-1.0], [3.0]], [[0.0], [1.0], [0.0], [0.0]]).round(3).ravel().tolist()
    [0.842, -0.958, 0.002, 0.114]
    """
    return softmax(z) - np.asarray(y, dtype=np.float64)


def sigmoid(z: ArrayLike) -> Array:
    r"""Return :math:`1/(1+e^{-z})`, any shape: softmax with C = 2 is the sigmoid of :math:`z_1 - z_2` (C4).

    >>> float(sigmoid(0.0)), float(sigmoid(-1000.0))
    (0.5, 0.0)
    """
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def logistic_losses(z: ArrayLike, y: ArrayLike) -> Array:
    r"""Return the loss of logistic regression from its logit z and y in {0, 1}, any shape (C4).

    .. math:: L = -y \log \sigma(z) - (1-y) \log(1-\sigma(z)) = \max(z, 0) - z y + \log(1 + e^{-|z|})

    >>> logistic_losses([1000.0, -1000.0], [0.0, 0.0]).tolist()
    [1000.0, 0.0]
    """
    z, y = np.asarray(z, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return np.maximum(z, 0.0) - z * y + np.log1p(np.exp(-np.abs(z)))
