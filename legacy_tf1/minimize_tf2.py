"""Minimize a quadratic with TensorFlow 2's GradientTape: ``python -m legacy_tf1.minimize_tf2`` (slides D4)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from legacy_tf1 import command_line


def train(coefficients: Sequence[float], learning_rate: float, steps: int) -> list[float]:
    """Return w before training and after each of ``steps`` steps of gradient descent: ``steps + 1`` values.

    The cost is a plain function of w, differentiated as it runs; the coefficients are ordinary arguments.

    >>> [round(w, 4) for w in train([1, -10, 25], learning_rate=0.01, steps=2)]
    [0.0, 0.1, 0.198]
    """
    import tensorflow as tf

    w = tf.Variable([0.0])

    @tf.function
    def step(x: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            cost = x[0][0] * w**2 + x[1][0] * w + x[2][0]
        w.assign_sub(learning_rate * tape.gradient(cost, w))

    x = tf.constant([[c] for c in coefficients], tf.float32)
    trajectory = [float(w[0])]
    for _ in range(steps):
        step(x)
        trajectory.append(float(w[0]))
    return trajectory


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser; TensorFlow is not loaded."""
    return command_line.build_parser("legacy_tf1.minimize_tf2", "Minimize a*w^2 + b*w + c with GradientTape.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 2 for a mistake in the arguments."""
    return command_line.run(build_parser(), train, argv)


if __name__ == "__main__":
    sys.exit(main())
