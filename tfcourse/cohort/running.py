"""A cohort in training: members in their places, and one epoch after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.cohort.dataset import Examples, order_of_epoch
from tfcourse.cohort.layers import Dense, Dropout
from tfcourse.cohort.layout import Layout
from tfcourse.cohort.member import Arrays, Member, OwnRows, State
from tfcourse.cohort.optimizers import resting
from tfcourse.cohort.plan import CohortPlan
from tfcourse.cohort.program import compiled
from tfcourse.cohort.stack import numbers, stack, unstack

# From this many features on, one product of the minibatch with all members' first kernels side by side is faster than
# one product a member, though the kernels must be laid side by side first: 12 % of a step at 784, -16 % at 64.
WIDE_INPUTS = 256


def layout_of(plan: CohortPlan, members: Sequence[Member], training: Examples, validation: Examples | None) -> Layout:
    """Return what the program of ``plan`` compiles in; ``members`` are all that may ever take a place in it."""
    layers = [layer for member in members for layer in member.layers]
    dense_first = isinstance(members[0].layers[0], Dense) and members[0].inputs >= WIDE_INPUTS
    # The last bits of a wide product depend on how many members lie side by side; fixed padding promises that none do.
    fixed = any(member.pad_to for member in members)
    own = members[0].rows
    rows, validation_rows = own.counts if own else (training.rows, validation.rows if validation else 0)
    return Layout(
        kinds=plan.kinds,
        least_depth=plan.least_depth,
        widths=plan.widths,
        classes=members[0].classes,
        inputs=members[0].inputs,
        places=plan.places,
        rows=rows,
        batch_size=plan.batch_size,
        validation_rows=validation_rows,
        sparse=training.sparse,
        penalized=any(isinstance(layer, Dense) and layer.l2 > 0 for layer in layers),
        dropping=any(isinstance(layer, Dropout) and layer.rate > 0 for layer in layers),
        side_by_side=dense_first and not fixed and own is None,
        squares=fixed or any(member.optimizer.squares for member in members),
        own_rows=own is not None,
    )


def layouts_of(
    plans: Sequence[CohortPlan], members: Sequence[Member], training: Examples, validation: Examples | None
) -> list[Layout]:
    """Return the layout of each plan; cohorts that share a program have one."""

    def program(plan: CohortPlan) -> tuple[object, ...]:
        return plan.program, members[plan.indices[0]].family

    groups: dict[tuple[object, ...], list[Member]] = {}
    for plan in plans:
        groups.setdefault(program(plan), []).extend(members[index] for index in plan.indices)
    of_program = {program(plan): plan for plan in plans}
    found = {key: layout_of(plan, groups[key], training, validation) for key, plan in of_program.items()}
    return [found[program(plan)] for plan in plans]


class RunningCohort:
    """Members that train together, all at the same epoch.

    Args:
        layout: of the compiled program.
        members: position among all members → member, at most ``layout.places``.
        states: their states, in the same order.
        epoch: the next epoch, from 0.
        jit_compile: whether XLA compiles the program.
        initial_epoch: the epoch at which this training began; the optimizers count their steps from there.
    """

    def __init__(
        self,
        layout: Layout,
        members: dict[int, Member],
        states: Sequence[State],
        epoch: int,
        jit_compile: bool,
        initial_epoch: int = 0,
    ) -> None:
        self.layout, self.members, self.epoch, self.jit_compile = layout, members, epoch, jit_compile
        self.initial_epoch = initial_epoch
        first = next(iter(members.values()))
        self.depth, self.family, self.input_layers = first.depth, first.family, first.input_layers
        everyone = list(members.values())
        self.places = {index: place for place, index in enumerate(members)}
        stacked = stack(everyone, states, layout.widths, layout.places)
        if not layout.squares:
            stacked["second"] = {}
        self._state: Any = tf.nest.map_structure(tf.constant, stacked)
        self._numbers = tf.nest.map_structure(tf.constant, numbers(everyone, layout.widths, layout.places))
        self._validation_rows: tf.Tensor | None = None
        if layout.own_rows:
            rows = np.zeros((layout.places, layout.validation_rows), np.int32)
            for index, own in self._own_rows():
                rows[self.places[index]] = own.validation
            self._validation_rows = tf.constant(rows)

    def _own_rows(self) -> list[tuple[int, OwnRows]]:
        return [(index, member.rows) for index, member in self.members.items() if member.rows is not None]

    def own_order(self) -> NDArray[np.int32]:
        """Return the rows of each minibatch of each member in the next epoch, shape (steps, places, B)."""
        layout = self.layout
        order = np.zeros((layout.steps, layout.places, layout.batch_size), np.int32)
        for index, own in self._own_rows():
            of_own = order_of_epoch(own.seed, self.epoch, layout.rows, layout.batch_size, True)
            order[:, self.places[index]] = own.train[of_own]
        return order

    def advance(
        self, data: tuple[tf.Tensor, ...], validation: tuple[tf.Tensor, ...] | None, order: NDArray[np.int32]
    ) -> dict[str, NDArray[np.float32]]:
        """Train one epoch and return the metrics, each an array by place."""
        steps = self.layout.steps
        first = (self.epoch - self.initial_epoch) * steps
        coefficients = np.empty((steps, 9, self.layout.places), np.float32)
        coefficients[:] = resting(steps)[:, :, None]
        for index, member in self.members.items():
            coefficients[:, :, self.places[index]] = member.optimizer.coefficients(first, steps)
        self._state, metrics = compiled(self.layout, self.jit_compile).epoch(
            self._state,
            self._numbers,
            data,
            validation,
            self._validation_rows,
            tf.constant(order),
            tf.constant(coefficients),
            tf.constant(self.epoch * steps, tf.int32),
        )
        self.epoch += 1
        return {name: values.numpy() for name, values in metrics.items()}

    def state(self, index: int) -> State:
        """Return a copy of one member's state."""
        return self._copied(index, ("weights", "first", "second"))

    def weights(self, index: int) -> Arrays:
        """Return a copy of one member's weights, a third of its state."""
        return self._copied(index, ("weights",)).weights

    def _copied(self, index: int, parts: Sequence[str]) -> State:
        # Looked at where they lie: ``numpy`` would copy the arrays of all members for those of one.
        arrays = tf.nest.map_structure(lambda tensor: np.asarray(memoryview(tensor)), self._state)
        place, layout = self.places[index], self.layout
        if not layout.squares and "second" in parts:
            arrays["second"] = tf.nest.map_structure(np.zeros_like, arrays["first"])
        return unstack(self.members[index], place, arrays, layout.kinds, layout.widths, parts)

    def without(self, finished: set[int]) -> None:
        """Let the finished members go; their places stay empty until the cohort is merged or shrunk."""
        self.members = {index: member for index, member in self.members.items() if index not in finished}
