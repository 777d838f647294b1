"""A small problem to babysit, people who act at given steps, and the training by hand that it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfcourse.babysitting.babysitter import Babysitter
from tfcourse.babysitting.commands import send
from tfcourse.babysitting.minibatches import Minibatches
from tfcourse.data.minibatches import minibatch_order
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

ROWS, FEATURES, CLASSES = 40, 5, 3
_random = np.random.default_rng(7)
X: NDArray[np.float32] = _random.normal(size=(ROWS, FEATURES)).astype(np.float32)
Y: NDArray[np.int64] = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 0.5)
VALIDATION = (X[:10], Y[:10])


def network(optimizer: OptimizerSpec | None = None, units: tuple[int, ...] = (6,), dropout: float = 0.2) -> keras.Model:
    """Return a small network, always with the same initial weights."""
    return build_mlp(NetworkSpec(FEATURES, CLASSES, units, dropout=dropout), optimizer or OptimizerSpec(), seed=3)


def minibatches(batch_size: int = 8) -> Minibatches:
    """Return its data: five minibatches of eight an epoch."""
    return Minibatches(X, Y, batch_size, seed=11)


class Person(keras.callbacks.Callback):
    """Somebody who does something once a step has ended, steps counted as they are trained, reverted ones too."""

    def __init__(self, acts: Mapping[int, Callable[[], object]]) -> None:
        super().__init__()
        self.acts, self.steps = dict(acts), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.steps += 1
        self.acts.get(self.steps, lambda: None)()


def babysit(
    folder: Path,
    epochs: int,
    acts: Mapping[int, Callable[[], object]] | None = None,
    *,
    model: keras.Model | None = None,
    batch_size: int = 8,
    **options: Any,
) -> tuple[keras.Model, Babysitter, list[str]]:
    """Train the small network, with a person who acts, and return it, its babysitter and what that said."""
    said: list[str] = []
    model = model or network()
    sitter = Babysitter(folder, minibatches=minibatches(batch_size), epochs=epochs, say=said.append, **options)
    sitter.train(model, callbacks=[Person(acts or {})], validation_data=VALIDATION)
    return model, sitter, said


def asks(folder: Path, kind: str, **fields: Any) -> Callable[[], object]:
    """Return what sends a command."""
    return lambda: send(folder, kind, **{"note": "", **fields})


def rows_of(epoch: int) -> NDArray[np.int64]:
    """Return the order in which an epoch, from 0, sees the rows."""
    return minibatch_order(11, epoch, ROWS)


def softmax_regression_by_hand(
    weights: list[NDArray[Any]], steps: list[tuple[NDArray[np.int64], float, float, float]]
) -> list[NDArray[Any]]:
    """Train softmax regression by gradient descent with momentum in NumPy (slides C6: dz = ŷ − y).

    Args:
        weights: W, shape (features, classes), and b.
        steps: for each, the rows, α, β and the weight decay.
    """
    w, b = (weight.astype(np.float64) for weight in weights)
    v_w, v_b = np.zeros_like(w), np.zeros_like(b)
    for rows, rate, momentum, decay in steps:
        x, y = X[rows].astype(np.float64), np.eye(CLASSES)[Y[rows]]
        z = x @ w + b
        t = np.exp(z - z.max(axis=1, keepdims=True))
        dz = (t / t.sum(axis=1, keepdims=True) - y) / len(rows)
        w, b = w - w * decay * rate, b - b * decay * rate
        v_w, v_b = momentum * v_w - rate * x.T @ dz, momentum * v_b - rate * dz.sum(axis=0)
        w, b = w + v_w, b + v_b
        if momentum == 0:  # nothing is remembered
            v_w, v_b = np.zeros_like(w), np.zeros_like(b)
    return [w, b]
