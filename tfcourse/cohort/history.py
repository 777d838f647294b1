"""The history of one member: its curves, its weights, and when it stops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras

from tfcourse.cohort.member import Arrays, State


@dataclass(frozen=True)
class Stopping:
    """When a member stops early, as ``keras.callbacks.EarlyStopping`` does.

    Args:
        monitor: the curve it looks at.
        patience: epochs without improvement after which it stops; None never stops.
        min_delta: the least change that is an improvement; as in Keras, its sign does not matter.
        restore_best_weights: whether it ends with the weights of its best epoch, stopped early or not.
    """

    monitor: str = "val_loss"
    patience: int | None = None
    min_delta: float = 0.0
    restore_best_weights: bool = False

    def improves(self, value: float, best: float | None) -> bool:
        """Return whether ``value`` is better than ``best``: higher for an accuracy, lower for a loss."""
        if best is None:
            return True
        if "acc" in self.monitor:
            return value - abs(self.min_delta) > best
        return value + abs(self.min_delta) < best


class MemberHistory(keras.callbacks.History):
    """The ``keras.callbacks.History`` of one member, with its weights.

    Attributes:
        index: position of the member among those given to ``fit_together``.
        history: name of each curve → its values, one an epoch.
        epoch: the epochs trained, from 0.
        best_epoch: the epoch with the best monitored value, None before the first.
        diverged: whether its loss, in training or on the validation examples, became infinite or not a number; it then
            stopped at that epoch's end.
        seconds: its share of the time its cohorts took, compile time included.
        lost: why an executor could not train it, in words; empty if it did.

    >>> import numpy, tfcourse
    >>> pairs = [(tfcourse.NetworkSpec(4, 2), tfcourse.OptimizerSpec("sgd", rate)) for rate in (0.1, 0.2)]
    >>> x, y = numpy.eye(8, 4, dtype="float32"), numpy.arange(8) % 2
    >>> histories = tfcourse.fit_together(pairs, x, y, epochs=2, monitor="loss")
    >>> best = min(histories, key=lambda history: history.logs["loss"])
    >>> best.index, best.best_epoch, best.epoch, sorted(best.history), [weight.shape for weight in best.weights]
    (1, 1, [0, 1], ['accuracy', 'loss'], [(4, 2), (2,)])
    """

    def __init__(self, index: int, stopping: Stopping, epochs: int) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.params = {"epochs": epochs, "steps": 0, "verbose": 0}
        self.index = index
        self.stopping = stopping
        self.best_epoch: int | None = None
        self.diverged = False
        self.seconds = 0.0
        self.finished = False
        self.lost = ""
        self._best: float | None = None
        self._wait = 0
        self._best_weights: Arrays | None = None
        self._state: Callable[[], State] = lambda: State([], [], [])

    @property
    def steps(self) -> int:
        """Minibatches trained so far."""
        return len(self.epoch) * self.params["steps"]

    @property
    def logs(self) -> dict[str, float]:
        """The last epoch's values."""
        return {name: values[-1] for name, values in self.history.items()}

    @property
    def state(self) -> State:
        """The member's weights and its optimizer's averages now; the final ones once it ended."""
        return self._state()

    @property
    def weights(self) -> Arrays:
        """The member's weights now, in the order of ``keras.Model.get_weights``; the final ones once it ended."""
        return self.state.weights

    def stop(self) -> None:
        """End this member's training after the present epoch (for use in ``on_epoch_end``)."""
        self.finished = True

    def record(
        self,
        epoch: int,
        logs: dict[str, float],
        state: Callable[[], State],
        weights: Callable[[], Arrays] | None = None,
    ) -> None:
        """Take in the values of an epoch and decide whether the member goes on, as EarlyStopping would.

        Args:
            epoch: which.
            logs: its values.
            state: gives a copy of the member's state after it.
            weights: gives the weights of that state, where that is less work.
        """
        self._state = state
        self.epoch.append(epoch)
        for name, latest in logs.items():
            self.history.setdefault(name, []).append(latest)
        if epoch + 1 >= self.params["epochs"]:
            self.finished = True
        if not all(math.isfinite(latest) for latest in logs.values()):
            self.diverged = self.finished = True
        value = logs.get(self.stopping.monitor)
        if value is None:
            return
        self._wait += 1
        if self.stopping.improves(value, self._best):
            self._best = value
            self.best_epoch, self._wait = epoch, 0
            if self.stopping.restore_best_weights:
                self._best_weights = weights() if weights is not None else state().weights
        elif self.stopping.patience is not None and self._wait >= self.stopping.patience and epoch > 0:
            self.finished = True

    def end(self) -> State:
        """Fix the final state: that of the best epoch when asked for, and let go of the cohort's arrays."""
        final = self._state()
        if self.stopping.restore_best_weights and self._best_weights is not None:
            final = State(self._best_weights, final.first, final.second)
        self.ended_with(final)
        return final

    def ended_with(self, final: State) -> None:
        """Fix the final state, which is known."""
        self.finished, self._best_weights = True, None
        self._state = lambda: final
