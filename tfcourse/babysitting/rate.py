"""The learning rate of a training: read where it is, followed when others change it, written only when asked to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


class Rate:
    """α of the one optimizer that trains, as α₀ / (1 + d · epoch).

    It belongs to whoever changed it last: callbacks such as ``ReduceLROnPlateau`` write it too, and α₀ follows them. It
    is written here only by a change, on the way to an earlier state, and epoch by epoch where d is not 0.

    Args:
        optimizer: gives the optimizer; None where several train.
        decay: d; it is 0 beside a schedule of Keras's.
    """

    def __init__(self, optimizer: Callable[[], Any | None], decay: float) -> None:
        self._optimizer = optimizer
        self.decay = 0.0 if self.scheduled else decay
        self._epoch = 0
        self._initial: float | None = None
        self._known: float | None = None

    @property
    def scheduled(self) -> bool:
        """Whether Keras has a schedule of its own."""
        optimizer = self._optimizer()
        return optimizer is not None and not isinstance(optimizer._learning_rate, keras.Variable | _Held)

    @property
    def now(self) -> float | None:
        """α of the next step, whoever decides it; None where several optimizers train."""
        optimizer = self._optimizer()
        return None if optimizer is None else float(np.asarray(optimizer.learning_rate))

    @property
    def initial(self) -> float | None:
        """α₀; None while Keras has a schedule of its own, or where several optimizers train."""
        now = None if self.scheduled else self.now
        if now is not None and now != self._known:
            self._initial, self._known = now * (1.0 + self.decay * self._epoch), now
        return None if now is None else self._initial

    def at(self, epoch: int) -> float | None:
        """Return α in epoch ``epoch``, counted from 0; None as for :attr:`initial`."""
        initial = self.initial
        return None if initial is None else initial / (1.0 + self.decay * epoch)

    def begin_epoch(self, epoch: int) -> None:
        """Decay to epoch ``epoch``, counted from 0; nothing is written where d is 0."""
        initial = self.initial
        self._epoch = epoch
        if initial is not None and self.decay:
            self.put(initial, self.decay, epoch)

    def put(self, initial: float | None, decay: float, epoch: int) -> None:
        """Put α₀ and d into force; where α₀ is None, give way to the schedule that was there before."""
        optimizer = self._optimizer()
        if optimizer is None:
            return
        there = optimizer._learning_rate
        if initial is None:
            if isinstance(there, _Held):
                optimizer.learning_rate, self.decay = there.instead_of, 0.0
            return
        self._initial, self.decay, self._epoch = initial, decay, epoch
        rate = initial / (1.0 + decay * epoch)
        if isinstance(there, keras.Variable):
            there.assign(rate)
        elif isinstance(there, _Held):
            there.rate.assign(rate)
        else:  # Keras lets a schedule be replaced by another schedule only
            optimizer.learning_rate = _Held(rate, there)
        self._known = self.now


@keras.saving.register_keras_serializable("tfcourse")
class _Held(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that stays at the rate that was set last, instead of the one that was there."""

    def __init__(self, rate: float, instead_of: Any = None) -> None:
        self.rate, self.instead_of = keras.Variable(rate, trainable=False, dtype="float32"), instead_of

    def __call__(self, step: Any) -> Any:
        return self.rate.value

    def get_config(self) -> dict[str, Any]:
        return {"rate": float(np.asarray(self.rate))}
