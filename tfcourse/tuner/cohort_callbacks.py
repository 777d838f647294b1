"""A trial's Keras callbacks inside a cohort: called at the ends of its epochs, with its own model or a stand-in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.cohort import MemberHistory
from tfcourse.cohort.from_keras_optimizer import slots_of
from tfcourse.cohort.member import Member, State

BATCH_METHODS = (
    "on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin",
    "on_test_batch_end",
)  # fmt: skip
RATE_CHANGERS = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
# These look at the logs alone, so a spec's trial needs no Keras model for them.
READ_LOGS = (keras.callbacks.EarlyStopping, keras.callbacks.CSVLogger, keras.callbacks.TerminateOnNaN)
ARRAYS = ("averages_of_the_optimizer", "weights")


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
        elif isinstance(callback, keras.callbacks.BackupAndRestore) or any(
            _has(callback, method) for method in BATCH_METHODS
        ):
            return f"callback {name} is called at each batch"
    return None


def reason_against_monitor(callbacks: Sequence[Any], curves: Collection[str]) -> str | None:
    """Return why a callback cannot look at what it monitors among the ``curves`` of a member, None if all can.

    >>> reason_against_monitor([keras.callbacks.EarlyStopping("val_loss")], {"loss", "accuracy"})
    "callback EarlyStopping monitors 'val_loss', which a cohort does not compute here"
    """
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor not in curves:
            return f"callback {type(callback).__name__} monitors {monitor!r}, which a cohort does not compute here"
    return None


def _has(callback: Any, method: str) -> bool:
    """Return whether a callback does something in ``method``: by its class, or as a ``LambdaCallback`` does."""
    base = getattr(keras.callbacks.Callback, method)
    return getattr(type(callback), method, None) is not base or method in vars(callback)


def need_a_model(callbacks: Sequence[Any]) -> bool:
    """Return whether a callback may look at more than the epoch's values."""
    return not all(type(callback) in READ_LOGS for callback in callbacks)


class StandIn:
    """What callbacks see of a trial that has no Keras model: whether it shall stop, and its weights."""

    def __init__(self) -> None:
        self.stop_training = False
        self.history_of_member: MemberHistory | None = None

    def get_weights(self) -> list[Any]:
        """Return the member's weights."""
        return [] if self.history_of_member is None else self.history_of_member.weights

    def set_weights(self, weights: list[Any]) -> None:
        """Do nothing: the best epoch's weights are kept for the tuner's objective, as in KerasTuner."""


class EpochCallbacks:
    """The callbacks of one member, in a ``keras.callbacks.CallbackList`` that calls them as ``Model.fit`` does.

    A ``CSVLogger`` is called for all epochs when the member has ended, so that members do not write one file at a time.

    Attributes:
        changed: what a callback did that a cohort cannot follow, such as "changed the learning rate"; None for nothing.

    Args:
        callbacks: the trial's own copies.
        model: its Keras model, or a stand-in.
        params: what Keras tells callbacks of the training: ``verbose``, ``epochs`` and ``steps``.
        synchronize: puts a member's state, and the minibatches that it has trained, into the model; None when the
            callbacks do not look at them.
        show: has the model's metrics say these values, as after training or validation; None for the same reason.
    """

    def __init__(
        self,
        callbacks: Sequence[Any],
        model: Any,
        params: dict[str, Any],
        synchronize: Callable[[State, int], None] | None = None,
        show: Callable[[dict[str, float]], None] | None = None,
    ) -> None:
        later = [callback for callback in callbacks if type(callback) is keras.callbacks.CSVLogger]
        now = [callback for callback in callbacks if callback not in later]
        self._given = now
        self.model, self.synchronize, self._show = model, synchronize, show or (lambda values: None)
        self.changed: str | None = None
        self._last: tuple[State, int] = (State([], [], []), 0)
        # Comparing weights at each epoch takes a while; Keras's own callbacks leave them alone.
        self._of_others = any(
            isinstance(callback, keras.callbacks.LambdaCallback) or not type(callback).__module__.startswith("keras.")
            for callback in callbacks
        )
        for callback in callbacks:
            if getattr(callback, "mode", None) == "auto" and hasattr(callback, "monitor"):
                # Keras finds the direction among the metrics of a model that has been trained; ours has not.
                callback.mode = "max" if "acc" in callback.monitor else "min"
        self._now = keras.callbacks.CallbackList(now, add_history=True, model=model, **params)
        self._later = keras.callbacks.CallbackList(later, model=model, **params)
        model.stop_training = False
        self._call("on_train_begin")
        self._begin_epoch(0)

    def epoch_end(self, history: MemberHistory) -> None:
        """Call the callbacks for the last epoch of ``history``, and stop the member when one of them says so."""
        if isinstance(self.model, StandIn):
            self.model.history_of_member = history
        if self.synchronize is not None:
            self._last = history.state, history.steps
            self.synchronize(*self._last)
        logs = history.logs
        self._show({name: value for name, value in logs.items() if not name.startswith("val_")})
        if validation := {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}:
            self._call("on_test_begin")
            self._show(validation)
            self._call("on_test_end", validation)
        self._call("on_epoch_end", history.epoch[-1], logs)
        if self.model.stop_training or self.changed is not None:
            history.stop()

    def next_epoch(self, history: MemberHistory) -> None:
        """Call the callbacks for the beginning of the next epoch, if the member goes on."""
        if not history.finished:
            self._show(dict.fromkeys(history.history, 0.0))
            self._begin_epoch(history.epoch[-1] + 1)
        if self.changed is not None:
            history.stop()

    def train_end(self, history: MemberHistory) -> None:
        """Call the callbacks for the end of the training; the model has the last epoch's state, as in Keras."""
        if self.synchronize is not None:
            self.synchronize(*self._last)
        self._now.on_train_end(history.logs)
        self._later.on_train_begin()
        for place, epoch in enumerate(history.epoch):
            self._later.on_epoch_begin(epoch)
            self._later.on_epoch_end(epoch, {name: values[place] for name, values in history.history.items()})
        self._later.on_train_end(history.logs)

    def _begin_epoch(self, epoch: int) -> None:
        self._call("on_epoch_begin", epoch)
        if self.model.stop_training:
            self.changed = "stopped an epoch before its end"

    def _call(self, method: str, *arguments: Any) -> None:
        """Call the callbacks, and note what they have changed."""
        looks = any(_has(callback, method) for callback in self._given)
        before = self._changeable() if looks else {}
        getattr(self._now, method)(*arguments)
        for name, value in (self._changeable() if looks else {}).items():
            same = _equal_arrays(before[name], value) if name in ARRAYS else before[name] == value
            if not same:
                self.changed = f"changed the {name.replace('_', ' ')}"

    def _changeable(self) -> dict[str, Any]:
        """Return what a callback could change in the model: the optimizer's settings and averages, and the weights."""
        if isinstance(self.model, StandIn):
            return {}
        optimizer = self.model.optimizer
        found: dict[str, Any] = {**optimizer.get_config(), "steps_of_the_optimizer": int(optimizer.iterations)}
        if self._of_others:
            averages = [slot.numpy() for slots in slots_of(optimizer) for slot in slots.values()]
            found |= dict(zip(ARRAYS, (averages, self.model.get_weights()), strict=True))
        return found


def callbacks_of(
    callbacks: Sequence[Any], model: keras.Model | None, member: Member, params: dict[str, Any]
) -> EpochCallbacks | None:
    """Return the callbacks of ``member``, begun, which look at ``model`` if there is one; None where there are none."""
    if not callbacks:
        return None
    if model is None:
        return EpochCallbacks(callbacks, StandIn(), params)
    before = member.optimizer.iterations

    def synchronize(state: State, steps: int) -> None:
        model.optimizer.iterations.assign(before)
        member.finish(state, steps)

    def show(values: dict[str, float]) -> None:
        if model._compile_metrics is not None and not model._compile_metrics.built:
            logits = np.zeros((1, member.classes), np.float32)
            model._compile_metrics.build(np.zeros(1, np.int64) if member.sparse else logits, logits)
        metrics = [("loss", model._loss_tracker)]
        metrics += [(str(member.accuracy), metric) for metric in getattr(model._compile_metrics, "metrics", [])]
        for name, metric in metrics:
            metric.reset_state()
            keras.metrics.Mean.update_state(metric, values[name])  # of an accuracy, the mean that it keeps

    return EpochCallbacks(callbacks, model, params, synchronize, show)


def in_model(model: keras.Model, weights: list[Any]) -> list[Any]:
    """Return ``weights`` of the trained layers after those of the input layers, which training does not change."""
    whole = model.get_weights()
    return [*whole[: len(whole) - len(weights)], *weights]


def _equal_arrays(before: Sequence[Any], after: Sequence[Any]) -> bool:
    return all(np.array_equal(old, new, equal_nan=True) for old, new in zip(before, after, strict=True))
