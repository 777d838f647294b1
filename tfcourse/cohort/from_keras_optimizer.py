"""A Keras optimizer as the engine's coefficients, and its averages and step count in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.cohort.optimizers import Optimizer
from tfcourse.cohort.refusal import NotFusableError, refuse_unless_equal, refuse_unless_plain
from tfcourse.errors import UserError
from tfcourse.models.spec import OptimizerSpec

# Keras's names of the averages m and v, per optimizer.
SLOTS = {
    keras.optimizers.SGD: ("sgd", "momentums", None),
    keras.optimizers.RMSprop: ("rmsprop", None, "_velocities"),
    keras.optimizers.Adam: ("adam", "_momentums", "_velocities"),
    keras.optimizers.AdamW: ("adamw", "_momentums", "_velocities"),
}
# Arguments that a cohort follows, or that mean nothing without use_ema; all others must be at their default.
FOLLOWED = ("name", "learning_rate", "weight_decay", "ema_momentum", "ema_overwrite_frequency")
NUMBERS = {
    keras.optimizers.SGD: ("momentum", "nesterov"),
    keras.optimizers.RMSprop: ("rho", "epsilon"),
    keras.optimizers.Adam: ("beta_1", "beta_2", "epsilon"),
    keras.optimizers.AdamW: ("beta_1", "beta_2", "epsilon"),
}


def optimizer_of(optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable] = ()) -> Optimizer:
    """Return the engine's optimizer for a Keras one, at its present step.

    Args:
        optimizer: of Keras.
        variables: what it is to train.

    Raises:
        NotFusableError: if it is of another kind, uses what a cohort cannot do, or was built for other variables.

    >>> optimizer_of(keras.optimizers.Adam(0.5)).spec.name
    'adam'
    """
    kind = type(optimizer)
    if kind not in SLOTS:
        raise NotFusableError(
            f"optimizer {kind.__name__} cannot be trained in a cohort; SGD, RMSprop, Adam and AdamW can."
        )
    refuse_unless_plain(optimizer, (*FOLLOWED, *NUMBERS[kind]), f"optimizer {kind.__name__}")
    for name in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern"):
        refuse_unless_equal(getattr(optimizer, name, None) or None, None, name.strip("_"), f"optimizer {kind.__name__}")
    known = {id(variable) for variable in optimizer._trainable_variables}
    if optimizer.built and any(id(variable) not in known for variable in variables):
        raise NotFusableError(
            f"optimizer {kind.__name__} cannot be trained in a cohort: it was built for other variables."
        )
    rate, schedule = optimizer._learning_rate, None
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate, schedule = 1.0, _rates(rate)
    elif callable(rate) and not isinstance(rate, keras.Variable):
        raise NotFusableError(
            f"optimizer {kind.__name__} with a function for its learning rate cannot train in a cohort."
        )
    values = {name: getattr(optimizer, name) for name in NUMBERS[kind]}
    if optimizer.built and values.get("momentum") and not optimizer.momentums:
        raise NotFusableError("optimizer SGD cannot be trained in a cohort: it was built before it had its momentum.")
    try:
        spec = OptimizerSpec(SLOTS[kind][0], float(rate), **values)
    except UserError as error:
        raise NotFusableError(f"optimizer {kind.__name__} cannot be trained in a cohort: {error}") from error
    return Optimizer(spec, schedule, float(optimizer.weight_decay or 0.0), int(optimizer.iterations))


def _rates(schedule: Any) -> Callable[[NDArray[np.int64]], NDArray[np.float32]]:
    """Return the schedule as a function of many steps; it is called with one at a time, as Keras calls it."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def rates(steps: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(lambda step: tf.cast(schedule(step), tf.float32), steps, fn_output_signature=tf.float32)

    return lambda steps: rates(tf.constant(steps, tf.int64)).numpy()


def slots_of(optimizer: keras.optimizers.Optimizer) -> tuple[dict[int, keras.Variable], dict[int, keras.Variable]]:
    """Return the averages m and v by the ``id`` of their variable; empty where there are none (yet)."""
    _, *names = SLOTS[type(optimizer)]
    first, second = (getattr(optimizer, name) if name and optimizer.built else [] for name in names)
    order = [id(variable) for variable in optimizer._trainable_variables]
    return dict(zip(order, first, strict=False)), dict(zip(order, second, strict=False))


def restore_slots(
    optimizer: keras.optimizers.Optimizer,
    variables: Sequence[keras.Variable],
    first: Mapping[int, NDArray[np.float32]],
    second: Mapping[int, NDArray[np.float32]],
    steps: int,
) -> None:
    """Put the averages, by the ``id`` of their variable, into the optimizer and count ``steps`` more."""
    if not optimizer.built:
        optimizer.build(variables)
    for slots, values in zip(slots_of(optimizer), (first, second), strict=True):
        for variable in variables:
            if id(variable) in slots:
                slots[id(variable)].assign(values[id(variable)])
    optimizer.iterations.assign_add(steps)
