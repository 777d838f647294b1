"""A trial's Keras callbacks inside a cohort: called at the ends of its epochs, with its own model or a stand-in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.cohort import MemberHistory
from tfcourse.cohort.member import Member

BATCH_METHODS = (
    "on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin",
    "on_test_batch_end",
)  # fmt: skip
RATE_CHANGERS = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
# These look at the logs alone, so a spec's trial needs no Keras model for them.
READ_LOGS = (keras.callbacks.EarlyStopping, keras.callbacks.CSVLogger, keras.callbacks.TerminateOnNaN)


def reason_against(callbacks: Sequence[Any]) -> str | None:
    """Return why a cohort cannot honour one of ``callbacks``, None when it can honour all.

    >>> reason_against([keras.callbacks.EarlyStopping()])
    >>> reason_against([keras.callbacks.ReduceLROnPlateau()])
    'callback ReduceLROnPlateau changes the learning rate'
    """
    for callback in callbacks:
        name = type(callback).__name__
        if isinstance(callback, RATE_CHANGERS):
            return f"callback {name} changes the learning rate"
        if isinstance(callback, keras.callbacks.TensorBoard):
            if callback.update_freq != "epoch" or callback._should_trace or callback.embeddings_freq:
                return "callback TensorBoard writes or profiles batches"
        elif isinstance(callback, keras.callbacks.TerminateOnNaN):
            continue  # A member whose loss is no number stops anyway.
        elif (
            isinstance(callback, keras.callbacks.BackupAndRestore)
            or any(
                getattr(type(callback), method, None) is not getattr(keras.callbacks.Callback, method)
                for method in BATCH_METHODS
            )
            or (
                isinstance(callback, keras.callbacks.LambdaCallback)
                and any(method in vars(callback) for method in BATCH_METHODS)
            )
        ):
            return f"callback {name} is called at each batch"
    return None


def need_a_model(callbacks: Sequence[Any]) -> bool:
    """Return whether a callback may look at more than the epoch's values."""
    return not all(type(callback) in READ_LOGS for callback in callbacks)


class StandIn:
    """What callbacks see of a trial that has no Keras model: whether it shall stop, and its weights."""

    def __init__(self) -> None:
        self.stop_training = False
        self.history: MemberHistory | None = None

    def get_weights(self) -> list[Any]:
        """Return the member's weights."""
        return [] if self.history is None else self.history.weights

    def set_weights(self, weights: list[Any]) -> None:
        """Do nothing: the best epoch's weights are kept for the tuner's objective, as in KerasTuner."""


class EpochCallbacks:
    """The callbacks of one member.

    A ``CSVLogger`` is called for all epochs when the member has ended, so that members do not write one file at a time.

    Attributes:
        changed: what a callback changed that a cohort cannot follow, such as "the learning rate"; None for nothing.

    Args:
        callbacks: the trial's own copies.
        model: its Keras model, or a stand-in.
        epochs: epochs that will be trained at most.
        synchronize: puts a member's present weights into the model; None when the callbacks do not look at them.
    """

    def __init__(self, callbacks: Sequence[Any], model: Any, epochs: int, synchronize: Any = None) -> None:
        self.later = [callback for callback in callbacks if type(callback) is keras.callbacks.CSVLogger]
        self.callbacks = [callback for callback in callbacks if callback not in self.later]
        self.model, self.synchronize = model, synchronize
        self.changed: str | None = None
        # Comparing weights at each epoch takes a while; Keras's own callbacks leave them alone.
        self._of_others = any(
            isinstance(callback, keras.callbacks.LambdaCallback) or not type(callback).__module__.startswith("keras.")
            for callback in callbacks
        )
        for callback in callbacks:
            if getattr(callback, "mode", None) == "auto" and hasattr(callback, "monitor"):
                # Keras finds the direction among the metrics of a model that has been trained; ours has not.
                callback.mode = "max" if "acc" in callback.monitor else "min"
            callback.set_params({"epochs": epochs, "verbose": 0, "steps": None})
            callback.set_model(model)
        model.stop_training = False
        before = self._changeable()
        self._call("on_train_begin")
        self._call("on_epoch_begin", 0)
        self._compare(before)

    def epoch_end(self, history: MemberHistory) -> None:
        """Call the callbacks for the last epoch of ``history``, and stop the member when one of them says so."""
        if isinstance(self.model, StandIn):
            self.model.history = history
        if self.synchronize is not None:
            self.synchronize(history)
        before = self._changeable()
        epoch = history.epoch[-1]
        self._call("on_epoch_end", epoch, dict(history.logs))
        if not (history.finished or self.model.stop_training):
            self._call("on_epoch_begin", epoch + 1)
        self._compare(before)
        if self.model.stop_training or self.changed is not None:
            history.stop()

    def train_end(self, history: MemberHistory) -> None:
        """Call the callbacks for the end of the training."""
        self._call("on_train_end", history.logs)
        for callback in self.later:
            callback.on_train_begin()
            for place, epoch in enumerate(history.epoch):
                callback.on_epoch_end(epoch, {name: values[place] for name, values in history.history.items()})
            callback.on_train_end(history.logs)

    def _changeable(self) -> dict[str, Any]:
        """Return what a callback could change in the model: the optimizer's settings, and the weights."""
        if isinstance(self.model, StandIn):
            return {}
        found: dict[str, Any] = dict(self.model.optimizer.get_config())
        return found | ({"weights": self.model.get_weights()} if self._of_others else {})

    def _compare(self, before: dict[str, Any]) -> None:
        """Note what a callback has changed since ``before``."""
        for name, value in self._changeable().items():
            same: Callable[[Any, Any], bool] = _equal_arrays if name == "weights" else (lambda old, new: old == new)
            if not same(before[name], value):
                self.changed = f"the {name.replace('_', ' ')}"

    def _call(self, method: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, method)(*arguments)


def callbacks_of(
    callbacks: Sequence[Any], model: keras.Model | None, member: Member, epochs: int
) -> EpochCallbacks | None:
    """Return the callbacks of ``member``, begun, which look at ``model`` if there is one; None where there are none."""
    if not callbacks:
        return None
    if model is None:
        return EpochCallbacks(callbacks, StandIn(), epochs)
    before = member.optimizer.iterations

    def synchronize(history: MemberHistory) -> None:
        model.set_weights(in_model(model, history.weights))
        model.optimizer.iterations.assign(before + history.steps)

    return EpochCallbacks(callbacks, model, epochs, synchronize)


def in_model(model: keras.Model, weights: list[Any]) -> list[Any]:
    """Return ``weights`` of the trained layers after those of the input layers, which training does not change."""
    whole = model.get_weights()
    return [*whole[: len(whole) - len(weights)], *weights]


def _equal_arrays(before: Sequence[Any], after: Sequence[Any]) -> bool:
    return all(np.array_equal(old, new, equal_nan=True) for old, new in zip(before, after, strict=True))
