r"""Batch normalization (slides B2-B8; Ioffe and Szegedy 2015), in the course's layout.

z is (n, m): a row is a unit, a column an example of the minibatch; γ and β are (n, 1). Keras's layout is the
transpose, z (m, n) and γ, β (n,), so ``forward(z, gamma, beta)[0].T`` is what a
``keras.layers.BatchNormalization`` gives for ``z.T`` in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

EPSILON = 1e-3  # Keras's default; the paper leaves it open.


@dataclass(frozen=True)
class Cache:
    """What the backward pass needs: the normalized z (n, m), √(σ² + ε) and γ, both (n, 1)."""

    z_norm: Array
    deviation: Array
    gamma: Array


def statistics(z: ArrayLike) -> tuple[Array, Array]:
    r"""Return the minibatch's mean and variance of each unit, (n, 1) each, from z (n, m).

    .. math:: \mu = \frac{1}{m} \sum_i z^{(i)}, \qquad \sigma^2 = \frac{1}{m} \sum_i (z^{(i)} - \mu)^2

    >>> [s.ravel().tolist() for s in statistics([[1.0, 3.0]])]
    [[2.0], [1.0]]
    """
    z = np.asarray(z, dtype=np.float64)
    mu = z.mean(axis=1, keepdims=True)
    return mu, np.square(z - mu).mean(axis=1, keepdims=True)


def forward(z: ArrayLike, gamma: ArrayLike, beta: ArrayLike, epsilon: float = EPSILON) -> tuple[Array, Cache]:
    r"""Return z̃ (n, m) of a training minibatch, and the cache for :func:`backward`.

    .. math:: z_{norm} = \frac{z - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad \tilde z = \gamma z_{norm} + \beta

    A bias added to z before this changes nothing: μ takes it out again, which is why the layer before has
    none (B4) and β does its work.

    Args:
        z: shape (n, m); Keras: (m, n).
        gamma: γ, shape (n, 1); Keras: (n,).
        beta: β, shape (n, 1); Keras: (n,).
        epsilon: ε > 0 added to the variance.

    >>> z_tilde, _ = forward([[1.0, 3.0]], gamma=[[2.0]], beta=[[10.0]], epsilon=1e-12)
    >>> z_tilde.round(6).tolist()
    [[8.0, 12.0]]
    """
    z, gamma, beta = (np.asarray(value, dtype=np.float64) for value in (z, gamma, beta))
    mu, variance = statistics(z)
    deviation = np.sqrt(variance + epsilon)
    z_norm = (z - mu) / deviation
    return gamma * z_norm + beta, Cache(z_norm, deviation, gamma)


def backward(dz_tilde: ArrayLike, cache: Cache) -> tuple[Array, Array, Array]:
    r"""Return the gradients dz (n, m), dγ (n, 1) and dβ (n, 1) of a cost J, given dz̃ = ∂J/∂z̃ (n, m).

    .. math::
        d\gamma = \sum_i d\tilde z^{(i)} z_{norm}^{(i)}, \qquad
        d\beta = \sum_i d\tilde z^{(i)}, \qquad
        dz = \frac{\gamma}{\sqrt{\sigma^2 + \varepsilon}}
             \left( d\tilde z - \tfrac{1}{m} d\beta - \tfrac{1}{m} z_{norm} \, d\gamma \right)

    The paper's chain of sums through μ and σ², collected. dz sums to 0 over the minibatch, so the gradient of
    a bias before batch norm is 0 as well (B4).

    >>> _, cache = forward([[1.0, 2.0, 6.0]], [[1.0]], [[0.0]])
    >>> dz, dgamma, dbeta = backward([[1.0, 0.0, 0.0]], cache)
    >>> abs(float(dz.sum())) < 1e-12, float(dbeta[0, 0])
    (True, 1.0)
    """
    dz_tilde = np.asarray(dz_tilde, dtype=np.float64)
    m = dz_tilde.shape[1]
    dgamma = (dz_tilde * cache.z_norm).sum(axis=1, keepdims=True)
    dbeta = dz_tilde.sum(axis=1, keepdims=True)
    dz = cache.gamma / cache.deviation * (dz_tilde - dbeta / m - cache.z_norm * dgamma / m)
    return dz, dgamma, dbeta


def identity_parameters(z: ArrayLike, epsilon: float = EPSILON) -> tuple[Array, Array]:
    r"""Return the γ and β, (n, 1) each, for which z̃ = z: :math:`\gamma=\sqrt{\sigma^2+\varepsilon},\ \beta=\mu`.

    Batch norm can therefore undo itself if that is what the cost asks for: it takes no function away.

    >>> z = [[1.0, 2.0, 6.0]]
    >>> forward(z, *identity_parameters(z))[0].round(12).tolist()
    [[1.0, 2.0, 6.0]]
    """
    mu, variance = statistics(z)
    return np.sqrt(variance + epsilon), mu


def predict(
    z: ArrayLike, gamma: ArrayLike, beta: ArrayLike, mu: ArrayLike, variance: ArrayLike, epsilon: float = EPSILON
) -> Array:
    r"""Return z̃ (n, m) at test time, where μ and σ² are moving averages over the training minibatches (B8).

    Each column is mapped by itself, so one example gets the same z̃ alone or among others. The averages, (n, 1)
    each, are :func:`tfcourse.equations.moving_average.moving_average` of :func:`statistics`.

    >>> predict([[3.0]], [[2.0]], [[1.0]], mu=[[1.0]], variance=[[4.0]], epsilon=1e-12).round(6).tolist()
    [[3.0]]
    """
    z, gamma, beta, mu, variance = (np.asarray(v, dtype=np.float64) for v in (z, gamma, beta, mu, variance))
    return gamma * (z - mu) / np.sqrt(variance + epsilon) + beta
