"""Compiled Keras models as members, and their trained weights back into them.

Whatever a cohort cannot train exactly as Keras would is refused with its reason, never approximated.
"""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.from_keras_optimizer import optimizer_of, restore_slots, slots_of
from tfcourse.cohort.layers import ACTIVATIONS, Activation, BatchNormalization, Dense, Dropout, Layer
from tfcourse.cohort.member import Arrays, InputLayers, Member, State
from tfcourse.cohort.plan import NotFusableError

INPUT_LAYERS = (keras.layers.Flatten, keras.layers.Rescaling, keras.layers.Normalization)
# Whether each takes class numbers (True) or rows of probabilities.
LOSSES = {
    keras.losses.SparseCategoricalCrossentropy: True, keras.losses.sparse_categorical_crossentropy: True,
    keras.losses.CategoricalCrossentropy: False, keras.losses.categorical_crossentropy: False,
}  # fmt: skip
ACCURACIES = {
    "accuracy": None, "acc": None, "sparse_categorical_accuracy": True, "categorical_accuracy": False,
}  # fmt: skip
CHUNK = 4096


def member_of_model(model: keras.Model, *, seed: int = 0) -> Member:
    """Return the member whose training is ``model.fit``; when it ends, the model gets its weights.

    Args:
        model: compiled and built; Sequential or functional, its layers in a chain.
        seed: of the dropout masks.

    Raises:
        NotFusableError: with the reason, if the model has a part that a cohort cannot train.

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    >>> member_of_model(model).classes
    3
    """
    chain = _chain(model)
    if not getattr(model, "compiled", False):
        raise NotFusableError("The model is not compiled; call model.compile(optimizer, loss) first.")
    leading = 0
    while leading < len(chain) and type(chain[leading]) in INPUT_LAYERS:
        _refuse_set(chain[leading], "activity_regularizer")
        leading += 1
    layers: list[Layer] = []
    variables: list[keras.Variable] = []
    softmax = False
    for layer in chain[leading:]:
        if softmax:
            raise NotFusableError(f"layer {layer.name!r} cannot be trained in a cohort: it follows the softmax.")
        fused, own, softmax = _translated(layer)
        layers += fused
        variables += own
    if not layers or not isinstance(layers[-1], Dense):
        raise NotFusableError("a cohort trains classifiers whose last layer is Dense, followed at most by a softmax.")
    sparse = _loss(model, softmax)
    return Member(
        layers=tuple(layers),
        inputs=int(chain[leading].input.shape[-1]),
        optimizer=optimizer_of(model.optimizer),
        start=lambda: _state(model, variables),
        seed=seed,
        sparse=sparse,
        accuracy=_accuracy(model, sparse),
        input_layers=_input_layers(chain[:leading], str(chain[0].input.dtype)),
        finish=lambda state, steps: _finish(model, variables, state, steps),
    )


def _chain(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers in order, without the input layer."""
    if type(model) not in (keras.Sequential, keras.Model, keras.src.models.functional.Functional):
        raise NotFusableError(
            f"class {type(model).__name__!r} cannot be trained in a cohort: it may have code of its own."
        )
    if not model.built:
        raise NotFusableError("The model is not built; give it a keras.Input, or call model.build(shape).")
    chain = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    if not chain:
        raise NotFusableError("The model has no layers.")
    graph = model._functional if isinstance(model, keras.Sequential) else model
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise NotFusableError("a model with several inputs or outputs cannot be trained in a cohort.")
    tensor = graph.inputs[0]
    nodes = {id(node) for depth in graph._nodes_by_depth.values() for node in depth}
    for layer in chain:
        calls = [node for node in layer._inbound_nodes if id(node) in nodes]
        if len(calls) != 1 or len(calls[0].input_tensors) != 1 or calls[0].input_tensors[0] is not tensor:
            raise NotFusableError(
                f"layer {layer.name!r} cannot be trained in a cohort: the layers are not a single chain."
            )
        tensor = calls[0].outputs[0]
    if tensor is not graph.outputs[0]:
        raise NotFusableError("the layers are not a single chain from the input to the output.")
    return chain


def _translated(layer: keras.layers.Layer) -> tuple[list[Layer], list[keras.Variable], bool]:
    """Return our layers for a Keras layer, its variables in our order, and whether it is a softmax."""
    if not layer.trainable:
        raise NotFusableError(f"layer {layer.name!r} cannot be trained in a cohort: it is frozen (trainable=False).")
    if layer.dtype_policy.name != "float32":
        raise NotFusableError(
            f"layer {layer.name!r} cannot be trained in a cohort: its dtype is {layer.dtype_policy.name}."
        )
    if len(layer.input.shape) != 2:
        raise NotFusableError(
            f"layer {layer.name!r} cannot be trained in a cohort: its input {layer.input.shape} is not flat."
        )
    units = int(layer.input.shape[-1])
    _refuse_set(layer, "activity_regularizer")
    kind = type(layer)
    if kind is keras.layers.Dense:
        _refuse_set(layer, "bias_regularizer", "kernel_constraint", "bias_constraint", "lora_rank")
        dense = Dense(layer.units, layer.use_bias, _l2(layer))
        activation, softmax = _activation(layer, layer.activation, layer.units)
        return [dense, *activation], [layer.kernel, *([layer.bias] if layer.use_bias else [])], softmax
    if kind is keras.layers.BatchNormalization:
        _refuse_set(
            layer,
            "beta_regularizer",
            "gamma_regularizer",
            "beta_constraint",
            "gamma_constraint",
            "renorm",
            "synchronized",
        )
        if layer.axis not in (-1, 1):
            raise NotFusableError(f"layer {layer.name!r} cannot be trained in a cohort: its axis is {layer.axis}.")
        own = [layer.gamma] if layer.scale else []
        own += [layer.beta] if layer.center else []
        own += [layer.moving_mean, layer.moving_variance]
        if layer.epsilon <= 0:  # a unit of padding has no variance
            raise NotFusableError(f"layer {layer.name!r} cannot be trained in a cohort: its epsilon is 0.")
        return [BatchNormalization(layer.momentum, layer.epsilon, layer.center, layer.scale)], own, False
    if kind is keras.layers.Activation:
        fused, softmax = _activation(layer, layer.activation, units)
        return fused, [], softmax
    if kind is keras.layers.Softmax and layer.axis in (-1, 1):
        return [], [], True
    if kind is keras.layers.ReLU and (layer.max_value, layer.negative_slope, layer.threshold) == (None, 0.0, 0.0):
        return [Activation("relu", units)], [], False
    if kind is keras.layers.Dropout and layer.noise_shape is None and layer.rate < 1:
        return [Dropout(layer.rate)], [], False
    if kind is keras.layers.Flatten:
        return [], [], False
    raise NotFusableError(f"layer {layer.name!r} cannot be trained in a cohort: {kind.__name__} is not supported.")


def _refuse_set(layer: keras.layers.Layer, *names: str) -> None:
    for name in names:
        if getattr(layer, name, None):
            article = "an" if name[0] in "aeiou" else "a"
            raise NotFusableError(f"layer {layer.name!r} cannot be trained in a cohort: it has {article} {name}.")


def _activation(layer: keras.layers.Layer, function: Any, units: int) -> tuple[list[Layer], bool]:
    if function is keras.activations.softmax:
        return [], True
    if function is keras.activations.linear:
        return [], False
    # By identity, because a function of the user's own may have the name of one of Keras's.
    name = next((name for name in ACTIVATIONS if keras.activations.get(name) is function), None)
    if name is None:
        given = getattr(function, "__name__", type(function).__name__)
        raise NotFusableError(
            f"layer {layer.name!r} cannot be trained in a cohort: activation {given!r} is not supported."
        )
    return [Activation(name, units)], False


def _l2(layer: keras.layers.Dense) -> float:
    regularizer = layer.kernel_regularizer
    if regularizer is None:
        return 0.0
    if type(regularizer) is keras.regularizers.L2:
        return float(regularizer.l2)
    if type(regularizer) is keras.regularizers.L1L2 and not float(regularizer.l1):
        return float(regularizer.l2)
    name = type(regularizer).__name__
    raise NotFusableError(
        f"layer {layer.name!r} cannot be trained in a cohort: kernel_regularizer {name} is not supported."
    )


def _loss(model: keras.Model, softmax: bool) -> bool:
    """Return whether the loss takes class numbers (True) or rows of probabilities."""
    loss = keras.losses.get(model.loss) if isinstance(model.loss, str) else model.loss
    kind: Any = type(loss) if isinstance(loss, keras.losses.Loss) else loss
    config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
    sparse = next((sparse for known, sparse in LOSSES.items() if known is kind), None)
    if sparse is None:
        name = model.loss if isinstance(model.loss, str) else getattr(kind, "__name__", kind)
        raise NotFusableError(f"loss {name!r} cannot be trained in a cohort: only categorical cross-entropy can.")
    if config.get("reduction", "sum_over_batch_size") not in ("sum_over_batch_size", "mean"):
        raise NotFusableError(f"the loss's reduction={config['reduction']!r} cannot be trained in a cohort.")
    if config.get("label_smoothing") or config.get("ignore_class") is not None:
        raise NotFusableError("a loss with label_smoothing or ignore_class cannot be trained in a cohort.")
    if bool(config.get("from_logits", False)) == softmax:
        given = "a softmax head and from_logits=True" if softmax else "logits and a loss that expects probabilities"
        raise NotFusableError(
            f"{given} cannot be trained in a cohort; use a softmax head, or logits and from_logits=True."
        )
    if model.get_compile_config().get("loss_weights") is not None:
        raise NotFusableError("loss_weights cannot be trained in a cohort.")
    return sparse


def _accuracy(model: keras.Model, sparse: bool) -> str | None:
    """Return the name of the accuracy metric; any other metric is refused."""
    config = model.get_compile_config()
    if config.get("weighted_metrics"):
        raise NotFusableError("weighted_metrics cannot be computed in a cohort.")
    metrics = config.get("metrics") or []
    if isinstance(metrics, dict) and "class_name" not in metrics:
        raise NotFusableError("metrics by the output's name cannot be computed in a cohort; give metrics=['accuracy'].")
    metrics = metrics if isinstance(metrics, list) else [metrics]
    if not metrics:
        return None
    if len(metrics) > 1:
        raise NotFusableError("a cohort computes the loss and one accuracy metric; give metrics=['accuracy'].")
    [metric] = metrics
    if isinstance(metric, dict) and not isinstance(metric["config"], dict):
        raise NotFusableError(
            f"metric {metric['config']!r} given as a function cannot be computed in a cohort; 'accuracy' can."
        )
    if isinstance(metric, dict):
        kind, name = metric["class_name"], metric["config"]["name"]
        wanted = {"SparseCategoricalAccuracy": True, "CategoricalAccuracy": False}.get(kind)
        known = wanted is not None
    else:
        kind = name = str(metric)
        known, wanted = kind in ACCURACIES, ACCURACIES.get(kind)
    if not known or wanted not in (None, sparse):
        raise NotFusableError(f"metric {name!r} cannot be computed in a cohort; the accuracy that fits the loss can.")
    if "acc" not in name:
        raise NotFusableError(
            f"metric {name!r} cannot be computed in a cohort: only a name with 'acc' tells that higher is better."
        )
    return name


def _input_layers(layers: list[keras.layers.Layer], dtype: str) -> InputLayers:
    """Return the map of the leading layers from an input of ``dtype``; its key holds their settings and statistics."""

    def apply(x: NDArray[Any]) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(x), CHUNK):
            part: Any = np.asarray(x[start : start + CHUNK], dtype).astype(np.float32, copy=False)
            for layer in layers:
                part = layer(part)
            parts.append(np.asarray(part, np.float32))
        return np.ascontiguousarray(np.concatenate(parts))

    key: list[object] = [] if dtype == "float32" else [dtype]
    for layer in layers:
        config = {name: value for name, value in layer.get_config().items() if name != "name"}
        statistics = (layer.mean, layer.variance) if isinstance(layer, keras.layers.Normalization) else ()
        key += [type(layer).__name__, json.dumps(config, sort_keys=True, default=str)]
        key += [keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(each)).tobytes() for each in statistics]
    return InputLayers(apply, tuple(key))


def _state(model: keras.Model, variables: list[keras.Variable]) -> State:
    weights: Arrays = [_array(variable) for variable in variables]
    state = State.initial(weights)
    for part, slots in zip((state.first, state.second), slots_of(model.optimizer), strict=True):
        values = {id(variable): _array(slot) for variable, slot in zip(model.trainable_variables, slots, strict=False)}
        part[:] = [values.get(id(variable), zero) for variable, zero in zip(variables, part, strict=True)]
    return state


def _finish(model: keras.Model, variables: list[keras.Variable], state: State, steps: int) -> None:
    places = {id(variable): place for place, variable in enumerate(variables)}
    for variable, value in zip(variables, state.weights, strict=True):
        variable.assign(value)
    order = [places[id(variable)] for variable in model.trainable_variables]
    averages = [[part[place] for place in order] for part in (state.first, state.second)]
    restore_slots(model.optimizer, model.trainable_variables, averages[0], averages[1], steps)


def _array(variable: keras.Variable) -> NDArray[np.float32]:
    return np.array(variable.numpy())
