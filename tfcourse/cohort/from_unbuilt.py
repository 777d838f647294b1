"""Compiled Keras models that are not built yet as members: read from their layers' settings, without a variable.

Only what most people write is read: a Sequential model from a flat ``keras.Input`` on, of layers that
:mod:`tfcourse.cohort.from_keras_layers` knows, with initializers of Keras's own. Anything else is built by Keras and
read by :mod:`tfcourse.cohort.from_keras`, which also has the words for what a cohort cannot train.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.from_keras import check_model, input_layers
from tfcourse.cohort.from_keras_compile import accuracy_of, loss_of
from tfcourse.cohort.from_keras_layers import FOLLOWED, OF_ANY_LAYER, activation_of, l2_of, refuse_other_dtypes
from tfcourse.cohort.from_keras_optimizer import optimizer_of
from tfcourse.cohort.layers import Activation, BatchNormalization, Dense, Dropout, Layer
from tfcourse.cohort.member import Member, State
from tfcourse.cohort.refusal import NotFusableError, refuse_unless_plain

Draw = Callable[[], NDArray[np.float32]]
CONSTANT: dict[type, float | None] = {
    keras.initializers.Zeros: 0.0, keras.initializers.Ones: 1.0, keras.initializers.Constant: None,
}  # fmt: skip
"""Initializers that give one number everywhere, and which; None is their ``value``."""
RANDOM = (
    keras.initializers.VarianceScaling, keras.initializers.GlorotUniform, keras.initializers.GlorotNormal,
    keras.initializers.HeUniform, keras.initializers.HeNormal, keras.initializers.LecunUniform,
    keras.initializers.LecunNormal, keras.initializers.RandomNormal, keras.initializers.RandomUniform,
    keras.initializers.TruncatedNormal,
)  # fmt: skip
"""Initializers that give the same weights whenever they are asked, if their seed is a number."""


def member_of_unbuilt(model: keras.Sequential, *, seed: int = 0) -> Member | None:
    """Return the member whose training is ``model.fit``, None if only a model that is built tells.

    Args:
        model: compiled, not built.
        seed: of the dropout masks.

    >>> model = keras.Sequential([keras.layers.Dense(3)])
    >>> member_of_unbuilt(model) is None  # without an Input
    True
    """
    try:
        return _read(model, seed)
    except NotFusableError:
        return None


def _read(model: keras.Sequential, seed: int) -> Member | None:
    first, *chain = model._layers
    if not isinstance(first, keras.layers.InputLayer) or first.output.dtype != "float32" or not chain:
        return None
    shape = first.output.shape
    if len(shape) != 2 or shape[1] is None or any(each.weights for each in chain):
        return None
    check_model(model, built=False)
    refuse_unless_plain(model, ("name", "dtype", "layers", "inputs", "outputs"), "the model")
    layers: list[Layer] = []
    draws: list[Draw] = []
    softmax, width = False, int(shape[1])
    for layer in chain:
        if softmax:
            return None
        what, kind = f"layer {layer.name!r}", type(layer)
        if kind not in FOLLOWED or not layer.trainable:
            return None
        refuse_other_dtypes(layer, what)
        refuse_unless_plain(layer, (*OF_ANY_LAYER, *FOLLOWED[kind]), what)
        if kind is keras.layers.Dense:
            if layer.lora_enabled:
                return None
            own = [_drawn(layer.kernel_initializer, (width, layer.units))]
            own += [_drawn(layer.bias_initializer, (layer.units,))] * bool(layer.use_bias)
            width = layer.units
            activation, softmax = activation_of(layer.activation, width, what)
            found = [Dense(width, layer.use_bias, l2_of(layer.kernel_regularizer, what)), *activation]
        elif kind is keras.layers.BatchNormalization:
            if layer.epsilon <= 0 or layer.axis not in (-1, 1):
                return None
            names = ["gamma"] * layer.scale + ["beta"] * layer.center + ["moving_mean", "moving_variance"]
            own = [_drawn(getattr(layer, f"{name}_initializer"), (width,)) for name in names]
            found = [BatchNormalization(layer.momentum, layer.epsilon, layer.center, layer.scale)]
        else:
            own = []
            found, softmax = _without_weights(layer, width, what)
        if any(draw is None for draw in own):
            return None
        layers += found
        draws += [draw for draw in own if draw is not None]
    if not isinstance(layers[-1], Dense) or layers[-1].units < 2:
        return None
    sparse = loss_of(model, softmax)
    return Member(
        layers=tuple(layers),
        inputs=int(shape[1]),
        optimizer=optimizer_of(model.optimizer),
        start=lambda: State.initial([draw() for draw in draws]),
        seed=seed,
        sparse=sparse,
        accuracy=accuracy_of(model, sparse),
        input_layers=input_layers([], first.output),
    )


def _without_weights(layer: Any, width: int, what: str) -> tuple[list[Layer], bool]:
    """Return our layers for one that has no weights, and whether it is a softmax."""
    if isinstance(layer, keras.layers.Activation):
        return activation_of(layer.activation, width, what)
    if isinstance(layer, keras.layers.ReLU):
        return [Activation("relu", width)], False
    if isinstance(layer, keras.layers.Dropout) and 0 <= layer.rate < 1:
        return [Dropout(layer.rate)], False
    if isinstance(layer, keras.layers.Softmax) and layer.axis in (-1, 1):
        return [], True
    raise NotFusableError(f"{what} is to be built first.")


def _drawn(initializer: Any, shape: tuple[int, ...]) -> Draw | None:
    """Return what gives a variable's first values, None if another call, or an earlier one, might give others."""
    kind = type(initializer)
    if kind in CONSTANT:
        value = CONSTANT[kind]
        return lambda: np.full(shape, initializer.value if value is None else value, np.float32)
    if kind not in RANDOM or not isinstance(initializer.seed, int):
        return None
    return lambda: np.asarray(keras.ops.convert_to_numpy(initializer(shape, dtype="float32")))
