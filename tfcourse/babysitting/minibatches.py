"""The minibatches of a babysat training: their order is part of the state, and their size can change between two."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.data.minibatches import minibatch_order

ENDLESS = 10**9
"""Steps of an epoch as ``Model.fit`` is told; the babysitter ends the epoch when its rows have been seen."""


class Minibatches:
    """Rows in the order that seed and epoch give, a minibatch at a time from wherever the training is.

    Args:
        x: features, shape (rows, ...).
        y: class numbers, shape (rows,).
        batch_size: rows of a minibatch, from 1 to all; the last of an epoch may have fewer. It may be changed.
        seed: of the order of each epoch; see :func:`~tfcourse.data.minibatches.minibatch_order`.

    Attributes:
        one: the first row and its class.
        epoch: epochs that have ended.
        offset: rows of the present epoch that have been trained on.

    >>> minibatches = Minibatches(np.zeros((5, 1), np.float32), np.zeros(5), batch_size=2)
    >>> for _ in range(3):
    ...     minibatches.trained()
    >>> minibatches.epoch, minibatches.offset, minibatches.epoch_is_over
    (0, 5, True)
    """

    def __init__(self, x: NDArray[Any], y: NDArray[Any], batch_size: int, seed: int = 0) -> None:
        self.rows, self.batch_size, self.seed = len(x), batch_size, seed
        self.epoch = self.offset = 0
        self._handed_out = self._trained = 0
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))
        self.one = (x[:1], y[:1])
        features, labels = tf.constant(x), tf.constant(y)

        def next_minibatch(_: Any) -> tuple[Any, Any]:
            index = tf.ensure_shape(tf.numpy_function(self._next_rows, [], tf.int64), (None,))
            return tf.gather(features, index), tf.gather(labels, index)

        # Not a generator: TensorFlow would keep one alive for each call of fit.
        dataset = tf.data.Dataset.range(ENDLESS).map(next_minibatch)
        options = tf.data.Options()
        # Nothing may be fetched ahead: the next minibatch is decided when the last one has been trained on.
        options.experimental_optimization.inject_prefetch = False
        options.autotune.enabled = False
        options.threading.private_threadpool_size = 1
        self.dataset = dataset.with_options(options)

    @property
    def size_of_next(self) -> int:
        """Rows of the next minibatch."""
        return min(self.batch_size, self.rows - self.offset)

    @property
    def epoch_is_over(self) -> bool:
        """Whether every row of the present epoch has been trained on."""
        return self.offset >= self.rows

    def trained(self) -> None:
        """Go on past the minibatch that has been trained on."""
        self._trained += 1
        self.offset += self.size_of_next

    def begin_next_epoch(self) -> None:
        """Go on to the next epoch's first row."""
        self.epoch, self.offset = self.epoch + 1, 0

    def begin_fit(self) -> None:
        """Forget what was handed out and never trained on, since a call of ``fit`` begins to read anew."""
        self._handed_out = self._trained

    def check_not_ahead(self) -> None:
        """Make sure that no minibatch has been decided before the last one was trained on.

        Raises:
            RuntimeError: if one has, since then changes and reverts would come a step late.
        """
        if self._handed_out > self._trained:
            raise RuntimeError("A minibatch was fetched ahead of its step; the data pipeline must not prefetch.")

    def _next_rows(self) -> NDArray[np.int64]:
        self._handed_out += 1
        return self._present_order()[self.offset : self.offset + self.size_of_next]

    def _present_order(self) -> NDArray[np.int64]:
        if self._order[0] != self.epoch:
            self._order = (self.epoch, minibatch_order(self.seed, self.epoch, self.rows))
        return self._order[1]


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
