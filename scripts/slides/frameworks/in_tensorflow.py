"""The two programs in TensorFlow's idiom."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tensorflow as tf


def minimize(steps: int) -> float:
    """Minimize (w − 5)² from 0 by gradient descent at 0.01."""
    w = tf.Variable(0.0)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            cost = (w - 5) ** 2
        w.assign_sub(0.01 * tape.gradient(cost, w))

    for _ in range(steps):
        step()
    return float(w)


def train(
    initial: list[np.ndarray], minibatches: Iterable[tuple[np.ndarray, np.ndarray]], rate: float, epsilon: float
) -> list[np.ndarray]:
    """Train Dense → batch norm → ReLU → Dense on softmax cross-entropy by gradient descent; return the weights."""
    W1, gamma, beta, W2, b = variables = [tf.Variable(value) for value in initial]

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            z = x @ W1
            mean, variance = tf.nn.moments(z, axes=[0])
            a = tf.nn.relu(tf.nn.batch_normalization(z, mean, variance, beta, gamma, epsilon))
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=a @ W2 + b)
            cost = tf.reduce_mean(losses)
        for variable, gradient in zip(variables, tape.gradient(cost, variables), strict=True):
            variable.assign_sub(rate * gradient)

    for x, y in minibatches:
        step(tf.constant(x), tf.constant(y))
    return [variable.numpy() for variable in variables]
