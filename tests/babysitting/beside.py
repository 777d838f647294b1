"""What may stand beside a babysitter in anyone's ``fit``: networks, optimizers, callbacks, arguments."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.babysitting.babysitter import Babysitter

ROWS = 20
_random = np.random.default_rng(3)
X: NDArray[np.float32] = _random.normal(size=(ROWS, 3)).astype(np.float32)
Y: NDArray[np.int64] = (X[:, 0] > 0.2).astype(np.int64)
VALIDATION = (X[:7], Y[:7])
schedules = keras.optimizers.schedules

OPTIMIZERS: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "sgd, momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
    "sgd, accumulating": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: keras.optimizers.Adagrad(0.1),  # its memory does not begin at zero
    "ftrl": lambda: keras.optimizers.Ftrl(0.1),
    "nadam": lambda: keras.optimizers.Nadam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.01),
    "adam, averaged": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "adam, scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
    "adam, scheduled": lambda: keras.optimizers.Adam(schedules.ExponentialDecay(0.1, 3, 0.5)),
    "sgd, callable": lambda: keras.optimizers.SGD(lambda: 0.05),
}
CONSTANT = [name for name in OPTIMIZERS if name not in ("adam, scheduled", "sgd, callable")]


def network(optimizer: keras.optimizers.Optimizer | str, **compile_arguments: Any) -> keras.Model:
    """Return a network with batch norm and two different dropout rates, whose numbers are the same each time."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(3, "tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(2),
        ]
    )
    model.compile(
        OPTIMIZERS[optimizer]() if isinstance(optimizer, str) else optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **{"metrics": ["accuracy"], **compile_arguments},
    )
    return model


class WarmUp(keras.callbacks.Callback):
    """Raises the rate by hand, at each epoch or at each step, and another optimizer setting with it."""

    def __init__(self, when: str) -> None:
        super().__init__()
        self.when, self.epoch = when, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        if self.when == "epoch":
            self.model.optimizer.learning_rate = 0.01 * (epoch + 1)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self.when == "step":
            self.model.optimizer.learning_rate = 0.003 * (batch + 1) / (self.epoch + 1)


class Averaged(keras.callbacks.Callback):
    """Averages the weights of the epochs and puts the average in at the end, as stochastic weight averaging does."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.seen: list[list[NDArray[Any]]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(self.model.get_weights())

    def on_train_end(self, logs: Any = None) -> None:
        if self.seen:
            self.model.set_weights([np.mean(each, axis=0) for each in zip(*self.seen, strict=True)])


class Noise(keras.callbacks.Callback):
    """Draws from every global source of random numbers, as people's augmentation does."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        kernel = self.model.layers[1].kernel
        kernel.assign_add(keras.ops.convert_to_tensor(np.float32(0.001 * (np.random.rand() + random.random()))))
        kernel.assign_add(0.001 * keras.random.uniform(kernel.shape))


class Recorder(keras.callbacks.Callback):
    """Writes down every call that it gets, with its numbers and the learning rate."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def _note(self, name: str, number: Any, logs: Mapping[str, Any] | None) -> None:
        rate = float(np.asarray(self.model.optimizer.learning_rate))
        self.calls.append(f"{name} {number} {dict(logs or {})} {rate} {self.params}")


for _when in ("epoch_begin", "epoch_end", "train_batch_begin", "train_batch_end", "test_batch_end"):
    setattr(
        Recorder, f"on_{_when}", lambda self, number, logs=None, name=_when: self._note(name, number, logs)
    )  # fmt: skip
for _when in ("train_begin", "train_end", "test_begin", "test_end"):
    setattr(Recorder, f"on_{_when}", lambda self, logs=None, name=_when: self._note(name, None, logs))


def callback(name: str, folder: Path) -> keras.callbacks.Callback:
    """Return one of the callbacks in :data:`CALLBACKS`, new."""
    return CALLBACKS[name](folder)


CALLBACKS: dict[str, Callable[[Path], keras.callbacks.Callback]] = {
    "plateau": lambda _: keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0),
    "scheduler": lambda _: keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.7 * rate),
    "warm-up by epoch": lambda _: WarmUp("epoch"),
    "warm-up by step": lambda _: WarmUp("step"),
    "early stopping": lambda _: keras.callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True),
    "checkpoint": lambda folder: keras.callbacks.ModelCheckpoint(folder / "{epoch}.weights.h5", save_weights_only=True),
    "terminate": lambda _: keras.callbacks.TerminateOnNaN(),
    "backup": lambda folder: keras.callbacks.BackupAndRestore(folder / "backup"),
    "averaged": lambda _: Averaged(),
    "noise": lambda _: Noise(),
    "swap": lambda _: keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
}
SETS_THE_RATE = ("plateau", "scheduler", "warm-up by epoch", "warm-up by step")


def outcome(
    folder: Path, model: keras.Model, beside: Sequence[keras.callbacks.Callback], data: Sequence[Any], **fit: Any
) -> dict[str, Any]:
    """Train, and return all that can be told from outside, also what the next random numbers are."""
    recorder = Recorder()
    history = model.fit(*data, verbose=0, callbacks=[*beside, recorder], **fit)
    return {
        "weights": [np.asarray(value) for value in model.variables],
        "optimizer": [np.asarray(value) for value in model.optimizer.variables],
        "history": repr(history.history),
        "epochs": history.epoch,
        "calls": recorder.calls,
        "initial epoch": model._initial_epoch,
        "stopped": model.stop_training,
        "random": (random.random(), np.random.rand(), keras.random.uniform((2,)).numpy().tolist()),
        "tensorflow's random": tf.random.uniform((2,)).numpy().tolist(),
    }


def assert_same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Compare two outcomes to the last bit."""
    for name, mine in ours.items():
        if name in ("weights", "optimizer"):
            assert len(mine) == len(theirs[name]), name
            for a, b in zip(mine, theirs[name], strict=True):
                np.testing.assert_array_equal(a, b, err_msg=name)
        else:
            assert mine == theirs[name], name


def quiet(folder: Path, **options: Any) -> Babysitter:
    """Return a babysitter that says nothing."""
    return Babysitter(folder, say=lambda line: None, **options)
