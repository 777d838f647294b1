"""How many minibatches a call of Keras's training step has trained: ``steps_per_execution`` may make it several."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


class Steps:
    """Counts the minibatches between the two callbacks of a call.

    The last call of an epoch may train fewer than asked for, and where ``steps_per_epoch`` is no multiple Keras trains
    more than that; the optimizer's own count knows.
    """

    def __init__(self, model: keras.Model) -> None:
        optimizer = getattr(model, "optimizer", None)
        # A loss scaling leaves steps out, which its count leaves out too.
        self._optimizer = None if hasattr(optimizer, "inner_optimizer") else optimizer
        self._several = model.steps_per_execution != 1
        self._first = self._count = 0

    def begin(self, batch: int) -> None:
        """Take note of the first minibatch of a call."""
        self._first, self._count = batch, self._taken()

    def end(self, batch: int, of_epoch: Any) -> int:
        """Return how many minibatches were trained, at most up to number ``batch``.

        Args:
            batch: the last minibatch's number, as Keras tells it.
            of_epoch: how many an epoch has; None where it is not known.
        """
        most = max(1, batch + 1 - self._first)
        taken = self._taken() - self._count
        if most == 1 or 1 <= taken <= most:
            return min(most, max(1, taken))
        return max(1, min(most, int(of_epoch or most + self._first) - self._first))

    def _taken(self) -> int:
        if self._optimizer is None or not self._several:
            return 0
        return int(np.asarray(self._optimizer._iterations))
