"""Minimize a quadratic with a TensorFlow 1 session: ``python -m legacy_tf1.minimize`` (slides D2, D3).

The program of the course, on ``tf.compat.v1``: build a graph with a placeholder, then run it in a session.
``legacy_tf1.minimize_tf2`` is the same in TensorFlow 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from legacy_tf1 import command_line


def train(coefficients: Sequence[float], learning_rate: float, steps: int) -> list[float]:
    """Return w before training and after each of ``steps`` steps of gradient descent: ``steps + 1`` values.

    The cost is ``x[0][0] * w**2 + x[1][0] * w + x[2][0]``; its three coefficients are no part of the graph, they
    are fed to the placeholder x, of shape (3, 1), at every step.

    >>> [round(w, 4) for w in train([1, -10, 25], learning_rate=0.01, steps=2)]
    [0.0, 0.1, 0.198]
    """
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default():
        w = tf.Variable([0], dtype=tf.float32)
        x = tf.placeholder(tf.float32, [3, 1])
        cost = x[0][0] * w**2 + x[1][0] * w + x[2][0]
        step = tf.train.GradientDescentOptimizer(learning_rate).minimize(cost)
        init = tf.global_variables_initializer()
        feed = {x: [[c] for c in coefficients]}
        with tf.Session() as session:
            session.run(init)
            trajectory = [float(session.run(w)[0])]
            for _ in range(steps):
                session.run(step, feed_dict=feed)
                trajectory.append(float(session.run(w)[0]))
    return trajectory


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser; TensorFlow is not loaded."""
    return command_line.build_parser("legacy_tf1.minimize", "Minimize a*w^2 + b*w + c with a TensorFlow 1 session.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 2 for a mistake in the arguments."""
    return command_line.run(build_parser(), train, argv)


if __name__ == "__main__":
    sys.exit(main())
