"""A Keras layer as the engine's layers, and its variables in their order."""

from __future__ import annotations

from typing import Any

import keras

from tfcourse.cohort.layers import ACTIVATIONS, Activation, BatchNormalization, Dense, Dropout, Layer
from tfcourse.cohort.refusal import NotFusableError, refuse_unless_equal, refuse_unless_plain

# Arguments that a cohort follows, or that change nothing once a layer is built. All others must be at their default.
OF_ANY_LAYER = ("name", "dtype", "input_shape", "input_dim")
FOLLOWED = {
    # A variable keeps its own initializer and regularizer; alpha means nothing without a rank.
    keras.layers.Dense: (
        "units", "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer", "lora_alpha",
    ),
    keras.layers.BatchNormalization: (
        "axis", "momentum", "epsilon", "center", "scale", "beta_initializer", "gamma_initializer",
        "moving_mean_initializer", "moving_variance_initializer", "renorm_clipping", "renorm_momentum",
    ),
    keras.layers.Activation: ("activation",),
    keras.layers.Softmax: ("axis",),
    keras.layers.ReLU: (),
    keras.layers.Dropout: ("rate", "seed"),
    keras.layers.Flatten: ("data_format",),
}  # fmt: skip


def translated(layer: keras.layers.Layer, shape: tuple[Any, ...]) -> tuple[list[Layer], list[keras.Variable], bool]:
    """Return our layers for a Keras layer, its variables in our order, and whether it is a softmax.

    Args:
        layer: a layer that was called.
        shape: of its input, the batch first.

    Raises:
        NotFusableError: with the layer's name and the reason, if it is of another kind or has a setting of its own.
    """
    what, kind, units = f"layer {layer.name!r}", type(layer), shape[-1]
    if kind not in FOLLOWED:
        raise NotFusableError(f"{what} cannot be trained in a cohort: {kind.__name__} is not supported.")
    if not layer.trainable:
        raise NotFusableError(f"{what} cannot be trained in a cohort: it is frozen (trainable=False).")
    refuse_other_dtypes(layer, what)
    refuse_unless_plain(layer, (*OF_ANY_LAYER, *FOLLOWED[kind]), what)
    if len(shape) != 2:
        raise NotFusableError(f"{what} cannot be trained in a cohort: its input {shape} is not flat.")
    found: list[Layer] = []
    own: dict[str, keras.Variable] = {}
    softmax = kind is keras.layers.Softmax
    if kind is keras.layers.Dense:
        refuse_unless_equal(layer.lora_enabled, False, "lora_enabled", what)
        # Once a layer is built, Keras goes by its variables, not by its units, use_bias and regularizer.
        own = {"kernel": layer.kernel} | ({"bias": layer.bias} if layer.bias is not None else {})
        width = int(layer.kernel.shape[-1])
        activation, softmax = activation_of(layer.activation, width, what)
        found = [Dense(width, layer.bias is not None, l2_of(layer.kernel.regularizer, what)), *activation]
    elif kind is keras.layers.BatchNormalization:
        own = {"gamma": layer.gamma} if layer.scale else {}
        own |= {"beta": layer.beta} if layer.center else {}
        own |= {"moving_mean": layer.moving_mean, "moving_variance": layer.moving_variance}
        if layer.epsilon <= 0:  # a unit of padding has no variance
            raise NotFusableError(f"{what} cannot be trained in a cohort: its epsilon is {layer.epsilon}.")
        found = [BatchNormalization(layer.momentum, layer.epsilon, layer.center, layer.scale)]
    elif kind is keras.layers.Activation:
        found, softmax = activation_of(layer.activation, units, what)
    elif kind is keras.layers.ReLU:
        found = [Activation("relu", units)]
    elif kind is keras.layers.Dropout:
        if not 0 <= layer.rate < 1:
            raise NotFusableError(f"{what} cannot be trained in a cohort: its rate is {layer.rate}.")
        found = [Dropout(layer.rate)]
    if hasattr(layer, "axis") and layer.axis not in (-1, 1):
        raise NotFusableError(f"{what} cannot be trained in a cohort: its axis is {layer.axis}.")
    _refuse_other_variables(layer, own, what)
    return found, list(own.values()), softmax


def refuse_other_dtypes(layer: keras.layers.Layer, what: str) -> None:
    """Raise NotFusableError if a layer or a model does not compute in float32."""
    policy = layer.dtype_policy
    if type(policy) is not keras.DTypePolicy or policy.name != "float32":
        raise NotFusableError(f"{what} cannot be trained in a cohort: its dtype is {policy.name}.")


def _refuse_other_variables(layer: keras.layers.Layer, own: dict[str, keras.Variable], what: str) -> None:
    """Raise NotFusableError if the layer has variables beside its ``own``, or one that training treats another way."""
    for variable in layer.weights:
        if not any(variable is each for each in own.values()):
            raise NotFusableError(f"{what} cannot be trained in a cohort: it has a variable {variable.name!r}.")
    if len(layer.weights) != len(own):
        raise NotFusableError(f"{what} cannot be trained in a cohort: its variables were replaced.")
    for name, variable in own.items():
        allowed = {
            "trainable": not name.startswith("moving_"), "dtype": "float32", "constraint": None,
            "overwrite_with_gradient": False,
        }  # fmt: skip
        allowed |= {} if name == "kernel" else {"regularizer": None}
        for attribute, value in allowed.items():
            refuse_unless_equal(getattr(variable, attribute, value), value, attribute, f"{name} of {what}")


def activation_of(function: Any, units: int, what: str) -> tuple[list[Layer], bool]:
    """Return our layers for an activation of Keras's on so many units, and whether it is a softmax."""
    if function is keras.activations.softmax:
        return [], True
    if function is keras.activations.linear:
        return [], False
    # By identity, because a function of the user's own may have the name of one of Keras's.
    name = next((name for name in ACTIVATIONS if keras.activations.get(name) is function), None)
    if name is None:
        given = getattr(function, "__name__", type(function).__name__)
        raise NotFusableError(f"{what} cannot be trained in a cohort: activation {given!r} is not supported.")
    return [Activation(name, units)], False


def l2_of(regularizer: Any, what: str) -> float:
    """Return the factor of an L2 regularizer, 0 for none."""
    if regularizer is None:
        return 0.0
    if type(regularizer) is keras.regularizers.L2:
        return float(regularizer.l2)
    if type(regularizer) is keras.regularizers.L1L2 and not float(regularizer.l1):
        return float(regularizer.l2)
    name = type(regularizer).__name__
    raise NotFusableError(f"{what} cannot be trained in a cohort: kernel_regularizer {name} is not supported.")
