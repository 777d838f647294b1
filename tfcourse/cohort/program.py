"""The compiled program of a cohort: one epoch of k members over data that stays on the device.

The examples are gathered inside a loop over the minibatches, by an order that is given from outside, and the validation
pass follows in the same call. Nothing in it mixes two members: each operation works along k, so that a member that
turns NaN changes no other. Cohorts of several depths may take turns in one program: each passes by what it lacks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfcourse.cohort.kept import KeptFunction
from tfcourse.cohort.kinds import Batch, Pass, trained_vectors
from tfcourse.cohort.layout import Layout, cheapest_of
from tfcourse.cohort.optimizers import update
from tfcourse.cohort.stack import VECTORS, kernel_name

Weights = dict[str, tf.Tensor]
Moving = list[dict[str, tf.Tensor]]
State = dict[str, Any]
EVALUATION_ROWS = 512

_programs: dict[tuple[Layout, bool], Program] = {}


def compiled(layout: Layout, jit_compile: bool) -> Program:
    """Return the program of ``layout``, the same object each time, so that it is compiled once a process."""
    key = layout, jit_compile
    return _programs.get(key) or _programs.setdefault(key, Program(*key))


def is_compiled(layout: Layout, jit_compile: bool) -> bool:
    """Say whether there is a program of ``layout`` already."""
    return (layout, jit_compile) in _programs


def cheapest(layout: Layout, jit_compile: bool, *, fixed: bool, epochs: int) -> Layout:
    """Return the layout to train in instead of ``layout``: a compiled one that holds it and costs little more.

    The arguments are those of :func:`tfcourse.cohort.layout.cheapest_of`.
    """
    there = [other for other, jit in list(_programs) if jit == jit_compile]
    return cheapest_of(there, layout, fixed=fixed, epochs=epochs)


class Program:
    """One epoch of a cohort as a compiled function.

    Args:
        layout: what is compiled in.
        jit_compile: whether XLA compiles it; otherwise it runs as a TensorFlow graph.

    Attributes:
        compile_seconds: what its first epoch took, compile time included, where it was compiled; 0 before.
    """

    def __init__(self, layout: Layout, jit_compile: bool) -> None:
        self.layout = layout
        self.compile_seconds = 0.0
        # An object of its own: TensorFlow counts by code how often it is traced, and would warn of the fifth program.
        epoch = tf.function(functools.partial(self._epoch), jit_compile=jit_compile, autograph=False)
        self.epoch = KeptFunction(epoch, layout) if jit_compile else epoch

    def first_epoch_took(self, seconds: float) -> None:
        """Note what the first epoch took here; other cohorts may have begun it at the same time and waited for it."""
        kept = self.epoch.seconds if isinstance(self.epoch, KeptFunction) else 0.0
        self.compile_seconds = max(self.compile_seconds, seconds, kept)

    def _epoch(
        self,
        state: State,
        numbers: dict[str, Any],
        data: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
        validation: tuple[tf.Tensor, tf.Tensor, tf.Tensor] | None,
        validation_rows: tf.Tensor | None,
        order: tf.Tensor,
        coefficients: tf.Tensor,
        clock: tf.Tensor,
    ) -> tuple[State, dict[str, tf.Tensor]]:
        """Return the state after one epoch, and the epoch's metrics, each (k,).

        Args:
            state: ``weights``, ``first``, ``second`` and ``moving``, as :func:`tfcourse.cohort.stack.stack` gives them.
            numbers: the members' run-time numbers: ``layers``, a dictionary a layer, ``noise`` (k,), and ``depth``, the
                cohort's number of hidden blocks.
            data: features (m, n), labels (m,) or (m, C), weights of the examples (m,).
            validation: the same for the validation examples.
            validation_rows: each member's own among them, shape (k, rows); None if it validates on all.
            order: the rows of each minibatch, shape (steps, B), or (steps, k, B) where each member has its own.
            coefficients: the optimizers' numbers, shape (steps, 9, k).
            clock: steps taken in earlier epochs, a scalar; the dropout masks depend on it.
        """
        layout = self.layout
        zeros = tf.zeros(layout.places)

        def body(t: tf.Tensor, state: State, loss: tf.Tensor, correct: tf.Tensor) -> tuple[Any, ...]:
            state, step_loss, step_correct = self._step(state, numbers, data, order[t], coefficients[t], t, clock + t)
            return t + 1, state, loss + step_loss, correct + step_correct

        _, state, loss, correct = tf.while_loop(
            lambda t, *_: t < layout.steps, body, (tf.constant(0), state, zeros, zeros), parallel_iterations=1
        )
        metrics = {"loss": loss / layout.rows, "accuracy": correct / layout.rows}
        if validation is not None:
            loss, correct = self._evaluate(state, numbers, validation, validation_rows)
            metrics |= {"val_loss": loss, "val_accuracy": correct}
        return state, metrics

    def _step(
        self,
        state: State,
        numbers: dict[str, Any],
        data: tuple[tf.Tensor, ...],
        order: tf.Tensor,
        coefficients: tf.Tensor,
        t: tf.Tensor,
        clock: tf.Tensor,
    ) -> tuple[State, tf.Tensor, tf.Tensor]:
        layout = self.layout
        x, y, w = (tf.gather(each, order) for each in data)
        count, batch = tf.constant(float(layout.batch_size)), Batch()
        if layout.rows % layout.batch_size:
            last = layout.rows - (layout.steps - 1) * layout.batch_size
            count = tf.where(t < layout.steps - 1, count, float(last))
            real = tf.cast(tf.range(layout.batch_size, dtype=tf.float32) < count, tf.float32)
            batch, w = Batch((real / count)[:, None]), w * real
        else:
            real = tf.ones(layout.batch_size)
        with tf.GradientTape() as tape:
            tape.watch(state["weights"])
            logits, moving = self._forward(state, numbers, x, batch, clock)
            losses = _cross_entropy(logits, self._targets(y))
            loss = tf.reduce_sum(losses * w, axis=1) / count + self._penalty(state["weights"], numbers)
            total = tf.reduce_sum(loss)
        gradients = tape.gradient(total, state["weights"])
        weights, first, second = self._updated(state, gradients, coefficients, numbers["depth"])
        hits = tf.reduce_sum(self._hits(logits, y) * real, axis=1)
        state = {"weights": weights, "moving": moving, "first": first, "second": second}
        return state, loss * count, hits

    def _forward(
        self, state: State, numbers: dict[str, Any], x: tf.Tensor, batch: Batch | None, clock: tf.Tensor
    ) -> tuple[tf.Tensor, Moving]:
        """Return the logits (k, B, C) of x and the moved statistics; ``batch`` is None for evaluation.

        x is (B, n), or (k, B, n) where each member has rows of its own; so are the first axes of what is gathered.
        """
        layout = self.layout
        as_it_is = layout.side_by_side or layout.own_rows
        a = x if as_it_is else tf.broadcast_to(x[None], (layout.places, *x.shape))
        moving: Moving = []
        vectors = self._vectors(state["weights"])
        for block, indices in enumerate(layout.blocks):

            def there(a: tf.Tensor = a, indices: range = indices) -> tuple[tf.Tensor, Moving]:
                return self._block(state, vectors, numbers, a, batch, clock, indices)

            if layout.optional(block):
                still = [dict(state["moving"][index]) if batch is not None else {} for index in indices]
                a, moved = _one_or_other(numbers["depth"] > block, there, (a, still))
            else:
                a, moved = there()
            moving += moved
        return a[..., : layout.classes], moving

    def _block(
        self,
        state: State,
        vectors: list[dict[str, tf.Tensor]],
        numbers: dict[str, Any],
        a: tf.Tensor,
        batch: Batch | None,
        clock: tf.Tensor,
        indices: range,
    ) -> tuple[tf.Tensor, Moving]:
        """Return what the layers ``indices`` make of ``a``, and their moved statistics."""
        moving: Moving = []
        for index in indices:
            kind = self.layout.kinds[index]
            weights = {**vectors[index], **state["moving"][index]}
            if kind.begins_block:
                weights["kernel"] = state["weights"][kernel_name(index)]
            now = Pass(batch, numbers["noise"], clock, index, self.layout.dropping)
            a, moved = kind.forward(a, weights, numbers["layers"][index], now)
            moving.append(moved)
        return a, moving

    def _vectors(self, weights: Weights) -> list[dict[str, tf.Tensor]]:
        """Return each layer's trained vectors, (k, 1, units), from where they lie side by side."""
        found: list[dict[str, tf.Tensor]] = [{} for _ in self.layout.kinds]
        vectors = trained_vectors(self.layout.kinds, self.layout.widths)
        if vectors:
            parts = tf.split(weights[VECTORS], [units for *_, units in vectors], axis=2)
            for (index, name, _), part in zip(vectors, parts, strict=True):
                found[index][name] = part
        return found

    def _updated(
        self, state: State, gradients: Weights, coefficients: tf.Tensor, depth: tf.Tensor
    ) -> tuple[Weights, ...]:
        """Return the new weights, m and v (none without v); those of blocks that the cohort lacks stay as they are."""
        one_each = tf.unstack(coefficients[:, :, None, None])
        lacking = {
            kernel_name(indices[0]): block
            for block, indices in enumerate(self.layout.blocks)
            if self.layout.optional(block)
        }
        new: dict[str, tuple[tf.Tensor, ...]] = {}
        for name, weight in state["weights"].items():
            old = (weight, state["first"][name], *([state["second"][name]] if self.layout.squares else []))

            def step(name: str = name, old: tuple[tf.Tensor, ...] = old) -> tuple[tf.Tensor, ...]:
                return update(old[0], gradients[name], *old[1:], coefficients=one_each)

            def stay(old: tuple[tf.Tensor, ...] = old) -> tuple[tf.Tensor, ...]:
                return old

            new[name] = tf.cond(depth > lacking[name], step, stay) if name in lacking else step()
        return tuple({name: each[part] for name, each in new.items() if part < len(each)} for part in range(3))

    def _evaluate(
        self, state: State, numbers: dict[str, Any], validation: tuple[tf.Tensor, ...], own: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the loss and the accuracy on the validation examples, each (k,)."""
        layout = self.layout
        rows = layout.validation_rows
        chunk = -(-rows // -(-rows // EVALUATION_ROWS))  # chunks of one size, so that few rows are looked at twice
        loss = correct = tf.zeros(layout.places)

        def body(start: tf.Tensor, loss: tf.Tensor, correct: tf.Tensor) -> tuple[tf.Tensor, ...]:
            # The last chunk starts early enough to be whole; rows of the chunk before it do not count again.
            first = tf.minimum(start, rows - chunk)
            if own is None:
                x, y, w = (_rows(each, first, chunk) for each in validation)
            else:
                here = tf.slice(own, [0, first], [layout.places, chunk])
                x, y, w = (tf.gather(each, here) for each in validation)
            new = tf.cast(tf.range(chunk) >= start - first, tf.float32)
            logits, _ = self._forward(state, numbers, x, None, start)
            losses = tf.reduce_sum(_cross_entropy(logits, self._targets(y)) * (w * new), axis=1)
            return start + chunk, loss + losses, correct + tf.reduce_sum(self._hits(logits, y) * new, axis=1)

        _, loss, correct = tf.while_loop(
            lambda start, *_: start < rows, body, (tf.constant(0), loss, correct), parallel_iterations=1
        )
        return loss / rows + self._penalty(state["weights"], numbers), correct / rows

    def _targets(self, y: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(y, self.layout.classes) if self.layout.sparse else y

    def _hits(self, logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Return 1 where the largest logit is the label's, shape (k, B)."""
        labels = y if self.layout.sparse else tf.argmax(y, axis=-1, output_type=tf.int32)
        return tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == labels, tf.float32)

    def _penalty(self, weights: Weights, numbers: dict[str, Any]) -> tf.Tensor:
        """Return the L2 penalty of each member, shape (k,)."""
        penalty = tf.zeros(self.layout.places)
        if self.layout.penalized:
            for index, own in enumerate(numbers["layers"]):
                if self.layout.kinds[index].begins_block:
                    kernel = weights[kernel_name(index)]
                    penalty += own["l2"][:, 0, 0] * tf.reduce_sum(tf.square(kernel), axis=(1, 2))
        return penalty


def _cross_entropy(logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Return the cross-entropy of each example, shape (k, B), from logits (k, B, C) and targets (B, C)."""
    top = tf.stop_gradient(tf.reduce_max(logits, axis=-1, keepdims=True))
    shifted = logits - top
    return tf.math.log(tf.reduce_sum(tf.exp(shifted), axis=-1)) - tf.reduce_sum(shifted * targets, axis=-1)


def _one_or_other(
    which: tf.Tensor, one: Callable[[], tuple[tf.Tensor, Moving]], other: tuple[tf.Tensor, Moving]
) -> tuple[tf.Tensor, Moving]:
    """Return what ``one()`` does if ``which`` is true, ``other`` otherwise.

    The moved statistics pass as one tensor: their gradients are constants, and of several that enter a condition
    TensorFlow numbers one or the other first, so that a kept program would not be found again.
    """

    def together(a: tf.Tensor, moved: Moving) -> tuple[tf.Tensor, ...]:
        flat = tf.nest.flatten(moved)
        return (a, tf.stack(flat)) if flat else (a,)

    a, *stacked = tf.cond(which, lambda: together(*one()), lambda: together(*other))
    return a, tf.nest.pack_sequence_as(other[1], tf.unstack(stacked[0]) if stacked else [])


def _rows(each: tf.Tensor, first: tf.Tensor, count: int) -> tf.Tensor:
    return tf.slice(each, [first, *[0] * (len(each.shape) - 1)], [count, *each.shape[1:]])
