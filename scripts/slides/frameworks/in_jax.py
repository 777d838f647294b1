"""The two programs in JAX's idiom."""

from __future__ import annotations

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np


def minimize(steps: int) -> float:
    """Minimize (w − 5)² from 0 by gradient descent at 0.01."""
    step = jax.jit(lambda w: w - 0.01 * jax.grad(lambda v: (v - 5) ** 2)(w))
    w = jnp.float32(0.0)
    for _ in range(steps):
        w = step(w)
    return float(w)


def train(
    initial: list[np.ndarray], minibatches: Iterable[tuple[np.ndarray, np.ndarray]], rate: float, epsilon: float
) -> list[np.ndarray]:
    """Train Dense → batch norm → ReLU → Dense on softmax cross-entropy by gradient descent; return the weights."""

    def cost(weights: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        W1, gamma, beta, W2, b = weights
        z = x @ W1
        z_norm = (z - z.mean(axis=0)) / jnp.sqrt(z.var(axis=0) + epsilon)
        logits = jax.nn.relu(gamma * z_norm + beta) @ W2 + b
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1).mean()

    @jax.jit
    def step(weights: list[jax.Array], x: jax.Array, y: jax.Array) -> list[jax.Array]:
        return jax.tree.map(lambda w, g: w - rate * g, weights, jax.grad(cost)(weights, x, y))

    weights = [jnp.asarray(value) for value in initial]
    for x, y in minibatches:
        weights = step(weights, x, y)
    return [np.asarray(value) for value in weights]
