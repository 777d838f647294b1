"""Gradient descent of a batch-norm softmax network written by hand, in the course's layout (slides B5).

A network is the list w = [W1, γ1, β1, W2, ..., W, b] in which W[l] is (n[l], n[l-1]) and γ, β, b are (n[l], 1).
"""

from __future__ import annotations

import numpy as np

from tfcourse.equations import batch_norm, softmax
from tfcourse.models.spec import OptimizerSpec

Weights = list[np.ndarray]


def backpropagate(w: Weights, x: np.ndarray, y: np.ndarray) -> tuple[float, Weights]:
    """Return J and its gradients for w = [W1, γ1, β1, ..., W, b], W (n[l], n[l-1]); x (n, m), y (C, m)."""
    a, caches = x, []
    for i in range(0, len(w) - 2, 3):
        z_tilde, cache = batch_norm.forward(w[i] @ a, w[i + 1], w[i + 2])
        caches.append((a, z_tilde, cache))
        a = np.maximum(z_tilde, 0.0)
    z = w[-2] @ a + w[-1]
    dz = softmax.gradient(z, y) / x.shape[1]
    gradients = [dz @ a.T, dz.sum(axis=1, keepdims=True)]
    da = w[-2].T @ dz
    for i, (a_before, z_tilde, cache) in zip(range(len(w) - 5, -1, -3), reversed(caches), strict=True):
        dz, dgamma, dbeta = batch_norm.backward(da * (z_tilde > 0), cache)
        gradients = [dz @ a_before.T, dgamma, dbeta, *gradients]
        da = w[i].T @ dz
    return softmax.cost(z, y), gradients


def update(o: OptimizerSpec, w: Weights, v: Weights, s: Weights, gradients: Weights, t: int) -> None:
    """Change w by one step, the t-th from 1, of the optimizer; v and s are its averages of dW and dW².

    Keras rounds momentum, and β1 and β2 where it takes their powers, to float32 even in float64; so does this.
    """
    momentum, beta_1, beta_2 = (float(np.float32(value)) for value in (o.momentum, o.beta_1, o.beta_2))
    for i, g in enumerate(gradients):
        if o.name == "sgd":
            v[i] = momentum * v[i] - o.learning_rate * g
            w[i] = w[i] + v[i]
        elif o.name == "rmsprop":
            s[i] = o.rho * s[i] + (1 - o.rho) * g**2
            w[i] = w[i] - o.learning_rate * g / np.sqrt(s[i] + o.epsilon)
        else:  # ε is added as Keras does: to √s before its bias is corrected
            v[i], s[i] = o.beta_1 * v[i] + (1 - o.beta_1) * g, o.beta_2 * s[i] + (1 - o.beta_2) * g**2
            rate = o.learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            w[i] = w[i] - rate * v[i] / (np.sqrt(s[i]) + o.epsilon)
