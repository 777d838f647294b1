"""A trial's Keras callbacks inside a cohort: called at the ends of its epochs, with its own model or a stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from tfcourse.cohort import MemberHistory

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

    Args:
        callbacks: the trial's own copies.
        model: its Keras model, or a stand-in.
        epochs: epochs that will be trained at most.
        synchronize: puts a member's present weights into the model; None when the callbacks do not look at them.
    """

    def __init__(self, callbacks: Sequence[Any], model: Any, epochs: int, synchronize: Any = None) -> None:
        self.callbacks, self.model, self.synchronize = callbacks, model, synchronize
        self.rate_changed = False
        self._begun = False
        for callback in callbacks:
            if getattr(callback, "mode", None) == "auto" and hasattr(callback, "monitor"):
                # Keras finds the direction among the metrics of a model that has been trained; ours has not.
                callback.mode = "max" if "acc" in callback.monitor else "min"
            callback.set_params({"epochs": epochs, "verbose": 0, "steps": None})
            callback.set_model(model)
        model.stop_training = False
        self._call("on_train_begin")
        self._call("on_epoch_begin", 0)

    def epoch_end(self, history: MemberHistory) -> None:
        """Call the callbacks for the last epoch of ``history``, and stop the member when one of them says so."""
        if isinstance(self.model, StandIn):
            self.model.history = history
        if self.synchronize is not None:
            self.synchronize(history)
        before = self._rate()
        epoch = history.epoch[-1]
        self._call("on_epoch_end", epoch, dict(history.logs))
        self.rate_changed = self.rate_changed or before != self._rate()
        if self.model.stop_training or self.rate_changed:
            history.stop()
        if not history.finished:
            self._call("on_epoch_begin", epoch + 1)

    def train_end(self, history: MemberHistory) -> None:
        """Call the callbacks for the end of the training."""
        self._call("on_train_end", history.logs)

    def _rate(self) -> float | None:
        """Return the learning rate when it is a constant that a callback could change."""
        optimizer = getattr(self.model, "optimizer", None)
        rate = getattr(optimizer, "_learning_rate", None)
        return float(rate) if isinstance(rate, keras.Variable) else None

    def _call(self, method: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, method)(*arguments)
