"""Train one network through ``Model.fit``: the reference way, whole curves and the best epoch's weights kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.data.minibatches import minibatch_order
from tfcourse.data.prepare import Prepared
from tfcourse.models.answers import rows_at_once
from tfcourse.models.networks import AnySpec, build_network
from tfcourse.models.spec import OptimizerSpec
from tfcourse.space.objective import Objective


@dataclass(frozen=True)
class TrainingData:
    """Feature matrices, shape (rows, features) float32, and class numbers, shape (rows,), of two parts.

    How much rows count, shape (rows,), is given for both parts or, where they count alike, for none.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    x_validation: NDArray[np.float32]
    y_validation: NDArray[np.int64]
    weights: NDArray[np.float32] | None = None
    weights_validation: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, prepared: Prepared) -> Self:
        """Return the training and the validation part of a run's data."""
        train, validation = prepared.train, prepared.validation
        return cls(train.x, train.y, validation.x, validation.y, train.weights, validation.weights)

    @property
    def validation(self) -> tuple[NDArray[Any], ...]:
        """The validation part as ``Model.fit`` takes it."""
        part = (self.x_validation, self.y_validation)
        return part if self.weights_validation is None else (*part, self.weights_validation)


def never() -> bool:
    """Return that nobody has interrupted."""
    return False


@dataclass(frozen=True)
class Schedule:
    """How long to train.

    Args:
        epochs: the most epochs.
        patience: epochs without a better validation loss after which training stops.
        objective: ``val_loss`` or ``val_accuracy``: which epoch is the best.
        order_seed: the seed of the minibatch order, shared by all trials of a search.
        deadline: moment of ``time.monotonic()`` after which the current epoch is the last.
        interrupted: tells after each epoch whether to stop everything with a KeyboardInterrupt.
        repeats: seeds that each trial is trained from; their mean is its score.
        halving: whether the trials drawn together are thinned at a few epochs, the better third going on each time.
    """

    epochs: int
    patience: int
    objective: str = "val_loss"
    order_seed: int = 0
    deadline: float = math.inf
    interrupted: Callable[[], bool] = never
    repeats: int = 1
    halving: bool = False


@dataclass
class Training:
    """What came of one training.

    Args:
        curves: ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``: one value an epoch, finite throughout.
        best_epoch: the best epoch, from 0; -1 if there is none.
        weights: the best epoch's weights, in the order of ``Model.get_weights``.
        diverged: in words, why training was given up; empty if it was not.
    """

    curves: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    weights: list[NDArray[Any]] = field(default_factory=list)
    diverged: str = ""

    def score(self, objective: str) -> float:
        """Return the objective at the best epoch."""
        return self.curves[objective][self.best_epoch]


def fit_network(
    network: AnySpec,
    optimizer: OptimizerSpec,
    examples: TrainingData,
    schedule: Schedule,
    *,
    batch_size: int,
    seed: int,
) -> Training:
    """Build a network, train it until it stops improving, and return what came of it.

    Args:
        network: the network.
        optimizer: its optimizer.
        examples: what it trains and validates on.
        schedule: for how long.
        batch_size: minibatch size.
        seed: the seed of the initial weights and dropout masks.
    """
    keras.backend.clear_session()  # models of earlier trials would stay in memory
    model = build_network(network, optimizer, seed=seed)
    watch = _Watch(schedule, optimizer.learning_rate)
    model.fit(
        minibatches(examples, batch_size, schedule),
        epochs=schedule.epochs,
        steps_per_epoch=math.ceil(len(examples.x) / batch_size),
        shuffle=False,
        validation_data=examples.validation,
        validation_batch_size=rows_at_once(model),
        callbacks=[watch],
        verbose=0,
    )
    return watch.training


def minibatches(examples: TrainingData, batch_size: int, schedule: Schedule) -> tf.data.Dataset:
    """Return the minibatches of all epochs, one epoch after the other, in the order that the seed gives."""
    arrays = [tf.constant(each) for each in (examples.x, examples.y, examples.weights) if each is not None]
    count = len(examples.x)

    def orders() -> Iterator[NDArray[np.int64]]:
        for epoch in range(schedule.epochs):
            yield minibatch_order(schedule.order_seed, epoch, count)

    epochs = tf.data.Dataset.from_generator(orders, output_signature=tf.TensorSpec((count,), tf.int64))
    rows = epochs.flat_map(lambda order: tf.data.Dataset.from_tensor_slices(order).batch(batch_size))
    return rows.map(lambda index: tuple(tf.gather(each, index) for each in arrays)).prefetch(2)


class _Watch(keras.callbacks.Callback):
    """Keep curves and the best epoch's weights; stop when nothing improves, on divergence and at the deadline."""

    def __init__(self, schedule: Schedule, learning_rate: float) -> None:
        super().__init__()
        self.schedule, self.learning_rate = schedule, learning_rate
        self.training = Training()
        self.best_objective = self.lowest_loss = math.inf
        self.waited = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self.schedule.interrupted():
            raise KeyboardInterrupt
        logs = {name: float(value) for name, value in (logs or {}).items()}
        if not all(math.isfinite(value) for value in logs.values()):
            self.training.diverged = f"the loss was no longer finite in epoch {epoch + 1}"
            self.model.stop_training = True
            return
        for name, value in logs.items():
            self.training.curves.setdefault(name, []).append(value)
        objective = logs[self.schedule.objective] * Objective(self.schedule.objective).sign
        if objective < self.best_objective:
            self.best_objective, self.training.best_epoch = objective, epoch
            self.training.weights = self.model.get_weights()
        self.waited = 0 if logs["val_loss"] < self.lowest_loss else self.waited + 1
        self.lowest_loss = min(self.lowest_loss, logs["val_loss"])
        if self.waited >= self.schedule.patience or time.monotonic() > self.schedule.deadline:
            self.model.stop_training = True
