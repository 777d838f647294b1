"""A Keras optimizer as the engine's coefficients, and its averages and step count in and out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.cohort.optimizers import Optimizer
from tfcourse.cohort.plan import NotFusableError
from tfcourse.errors import UserError
from tfcourse.models.spec import OptimizerSpec

# Keras's names of the averages m and v, per optimizer.
SLOTS = {
    keras.optimizers.SGD: ("sgd", "momentums", None),
    keras.optimizers.RMSprop: ("rmsprop", None, "_velocities"),
    keras.optimizers.Adam: ("adam", "_momentums", "_velocities"),
    keras.optimizers.AdamW: ("adamw", "_momentums", "_velocities"),
}
REFUSED = (
    "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "loss_scale_factor", "gradient_accumulation_steps",
    "amsgrad", "centered", "_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern",
)  # fmt: skip
NUMBERS = ("momentum", "nesterov", "rho", "beta_1", "beta_2", "epsilon")


def optimizer_of(optimizer: keras.optimizers.Optimizer) -> Optimizer:
    """Return the engine's optimizer for a Keras one, at its present step.

    Raises:
        NotFusableError: if it is of another kind or uses what a cohort cannot do.

    >>> optimizer_of(keras.optimizers.Adam(0.5)).spec.name
    'adam'
    """
    kind = type(optimizer)
    if kind not in SLOTS:
        raise NotFusableError(
            f"optimizer {kind.__name__} cannot be trained in a cohort; SGD, RMSprop, Adam and AdamW can."
        )
    for name in REFUSED:
        if getattr(optimizer, name, None):
            raise NotFusableError(f"optimizer {kind.__name__} with {name.strip('_')} cannot be trained in a cohort.")
    if kind is keras.optimizers.RMSprop and optimizer.momentum:
        raise NotFusableError("optimizer RMSprop with momentum cannot be trained in a cohort.")
    rate, schedule = optimizer._learning_rate, None
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate, schedule = 1.0, _rates(rate)
    elif callable(rate) and not isinstance(rate, keras.Variable):
        raise NotFusableError(
            f"optimizer {kind.__name__} with a function for its learning rate cannot train in a cohort."
        )
    values = {name: getattr(optimizer, name) for name in NUMBERS if hasattr(optimizer, name)}
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


def slots_of(optimizer: keras.optimizers.Optimizer) -> tuple[Sequence[keras.Variable], Sequence[keras.Variable]]:
    """Return the averages m and v of each trainable variable; empty where there are none (yet)."""
    _, first, second = SLOTS[type(optimizer)]
    if not optimizer.built:
        return [], []
    return (getattr(optimizer, first) if first else []), (getattr(optimizer, second) if second else [])


def restore_slots(
    optimizer: keras.optimizers.Optimizer,
    variables: Sequence[keras.Variable],
    first: Sequence[NDArray[np.float32]],
    second: Sequence[NDArray[np.float32]],
    steps: int,
) -> None:
    """Put the averages of ``variables`` into the optimizer and count ``steps`` more."""
    if not optimizer.built:
        optimizer.build(variables)
    for slots, values in zip(slots_of(optimizer), (first, second), strict=True):
        for slot, value in zip(slots, values, strict=False):
            slot.assign(value)
    optimizer.iterations.assign_add(steps)
