"""Convolutional networks trained together, as products of patches with stacked kernels, beside one ``Model.fit`` each.

    python scripts/benchmarks/convnet_cohort.py

Made-up images of 28 x 28 pixels, two blocks under a softmax head, gradient descent. Both ways take the same steps;
compiling is not counted. Told are the processor's seconds of one network's step, all cores together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfcourse import ConvNetSpec, OptimizerSpec, build_convnet

MEMBERS, BATCH, STEPS, SIDE, CLASSES, FILTERS = 8, 128, 20, 28, 10, (16, 32)
RATE, EPSILON = 0.01, 1e-3


def patches(a: Any) -> Any:
    """Return the 3 x 3 pixels around each pixel, shape (..., height, width, 9 channels)."""
    padded = tf.pad(a, [[0, 0]] * (len(a.shape) - 3) + [[1, 1], [1, 1], [0, 0]])
    height, width = a.shape[-3], a.shape[-2]
    return tf.concat([padded[..., i : i + height, j : j + width, :] for i in range(3) for j in range(3)], axis=-1)


def block(seen: Any, kernel: Any, gamma: Any, beta: Any) -> Any:
    """Return what a block of each member makes of patches, shape (members, rows, height / 2, width / 2, filters)."""
    height, width = seen.shape[-3], seen.shape[-2]
    flat = tf.reshape(seen, [*seen.shape[:-4], -1, seen.shape[-1]])  # of the first block one for all members
    z = tf.reshape(flat @ kernel, [MEMBERS, BATCH, height // 2, 2, width // 2, 2, kernel.shape[-1]])
    z = tf.reduce_max(z, axis=(3, 5))
    mean, variance = tf.nn.moments(z, [1, 2, 3], keepdims=True)
    return tf.nn.relu(gamma * (z - mean) * tf.math.rsqrt(variance + EPSILON) + beta)


def together(compiled: bool) -> Callable[[Any, Any], Any]:
    """Return a step of gradient descent of all members."""
    random = np.random.default_rng(0)
    weights, channels = [], 1
    for filters in FILTERS:
        weights.append(tf.Variable(random.normal(0, 0.1, (MEMBERS, 9 * channels, filters)).astype("float32")))
        for start in (1.0, 0.0):
            weights.append(tf.Variable(np.full((MEMBERS, 1, 1, 1, filters), start, "float32")))
        channels = filters
    features = (SIDE // 4) ** 2 * FILTERS[-1]
    weights.append(tf.Variable(random.normal(0, 0.01, (MEMBERS, features, CLASSES)).astype("float32")))
    weights.append(tf.Variable(np.zeros((MEMBERS, 1, CLASSES), "float32")))

    @tf.function(jit_compile=compiled)
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            a = block(patches(x), *weights[:3])
            a = block(patches(a), *weights[3:6])
            logits = tf.reshape(a, [MEMBERS, BATCH, features]) @ weights[6] + weights[7]
            labels = tf.broadcast_to(y, [MEMBERS, BATCH])
            losses = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits), axis=1)
            loss = tf.reduce_sum(losses)
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(RATE * gradient)
        return losses

    return step


def main() -> None:
    """Measure both ways, in turn, and print the least of three times."""
    random = np.random.default_rng(1)
    x = random.normal(size=(BATCH * STEPS, SIDE, SIDE, 1)).astype("float32")
    y = random.integers(0, CLASSES, BATCH * STEPS)
    batches = [(tf.constant(x[i : i + BATCH]), tf.constant(y[i : i + BATCH])) for i in range(0, len(x), BATCH)]
    keras.utils.set_random_seed(0)
    spec = ConvNetSpec((SIDE, SIDE, 1), CLASSES, FILTERS)
    model = build_convnet(spec, OptimizerSpec("sgd", RATE), seed=0)

    def alone() -> None:
        model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)

    def cohort(step: Callable[[Any, Any], Any]) -> Callable[[], None]:
        return lambda: [step(*batch) for batch in batches][-1].numpy()

    ways = {
        "Model.fit": (alone, 1),
        "together": (cohort(together(False)), MEMBERS),
        "together, compiled by XLA": (cohort(together(True)), MEMBERS),
    }
    least = dict.fromkeys(ways, np.inf)
    for turn in range(4):
        for name, (train, members) in ways.items():
            began = time.process_time()
            train()
            if turn:  # the first one compiles
                least[name] = min(least[name], (time.process_time() - began) / STEPS / members)
    for name, seconds in least.items():
        print(f"{name}: {1000 * seconds:.0f} ms a network's step, {least['Model.fit'] / seconds:.2f} x as fast")


if __name__ == "__main__":
    main()
