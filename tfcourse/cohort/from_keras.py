"""Compiled Keras models as members, and their trained weights back into them.

Whatever a cohort cannot train exactly as Keras would is refused with its reason, never approximated.
"""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.from_keras_compile import accuracy_of, loss_of
from tfcourse.cohort.from_keras_layers import refuse_other_dtypes, translated
from tfcourse.cohort.from_keras_optimizer import optimizer_of, restore_slots, slots_of
from tfcourse.cohort.layers import Dense, Layer
from tfcourse.cohort.member import Arrays, InputLayers, Member, State
from tfcourse.cohort.refusal import NotFusableError, refuse_replaced_methods, refuse_unless_equal, refuse_unless_plain
from tfcourse.errors import UserError

INPUT_LAYERS = (keras.layers.Flatten, keras.layers.Rescaling, keras.layers.Normalization)
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
    check_model(model)
    chain = _chain(model)
    leading = 0
    while leading < len(chain) and type(chain[leading][0]) in INPUT_LAYERS:
        layer = chain[leading][0]
        refuse_replaced_methods(layer, f"layer {layer.name!r}")
        refuse_unless_equal(layer.activity_regularizer, None, "activity_regularizer", f"layer {layer.name!r}")
        leading += 1
    layers: list[Layer] = []
    variables: list[keras.Variable] = []
    softmax = False
    for layer, shape in chain[leading:]:
        if softmax:
            raise NotFusableError(f"layer {layer.name!r} cannot be trained in a cohort: it follows the softmax.")
        fused, own, softmax = translated(layer, shape)
        layers += fused
        variables += own
    if not layers or not isinstance(layers[-1], Dense):
        raise NotFusableError("a cohort trains classifiers whose last layer is Dense, followed at most by a softmax.")
    _check_trained(model, variables)
    sparse = loss_of(model, softmax)
    if layers[-1].units < 2:  # Keras's accuracy is another one then
        raise NotFusableError("a cohort trains classifiers of at least 2 classes; the last layer has 1 unit.")
    return Member(
        layers=tuple(layers),
        inputs=int(chain[leading][1][-1]),
        optimizer=optimizer_of(model.optimizer, model.trainable_variables),
        start=lambda: _state(model, variables),
        seed=seed,
        sparse=sparse,
        accuracy=accuracy_of(model, sparse),
        input_layers=input_layers([layer for layer, _ in chain[:leading]], model.inputs[0]),
        finish=lambda state, steps: _finish(model, variables, state, steps),
    )


def check_model(model: keras.Model, *, built: bool = True) -> None:
    """Raise NotFusableError if the model itself, whatever its layers, is not trained as Keras's own class is."""
    if type(model) not in (keras.Sequential, keras.Model, keras.src.models.functional.Functional):
        raise NotFusableError(
            f"class {type(model).__name__!r} cannot be trained in a cohort: it may have code of its own."
        )
    if built and not model.built:
        raise NotFusableError("The model is not built; give it a keras.Input, or call model.build(shape).")
    if not getattr(model, "compiled", False):
        raise NotFusableError("The model is not compiled; call model.compile(optimizer, loss) first.")
    if not model.trainable:
        raise NotFusableError("the model cannot be trained in a cohort: it is frozen (trainable=False).")
    refuse_other_dtypes(model, "the model")
    refuse_unless_equal(keras.config.floatx(), "float32", "keras.config.floatx()", "the model")
    if model.train_function is not None:
        raise NotFusableError(
            "the model was trained by Keras since it was compiled, and would go on with the settings of then; call"
            " model.compile again (with model.optimizer, to keep its state)."
        )
    if getattr(model, "distribute_strategy", None) and model.distribute_strategy.num_replicas_in_sync > 1:
        raise NotFusableError("the model cannot be trained in a cohort: its distribute_strategy has several replicas.")


def _check_trained(model: keras.Model, variables: list[keras.Variable]) -> None:
    """Raise NotFusableError if Keras would train other variables than a cohort does."""
    ours = set(map(id, variables))
    for variable in model.trainable_variables:
        if id(variable) not in ours:
            raise NotFusableError(
                f"the model cannot be trained in a cohort: it trains {variable.name!r}, which is no layer's."
            )


def _chain(model: keras.Model) -> list[tuple[keras.layers.Layer, tuple[Any, ...]]]:
    """Return the layers in order, without the input layer, each with the shape of its input."""
    chain = [layer for layer in model.layers if type(layer) is not keras.layers.InputLayer]
    if not chain:
        raise NotFusableError("The model has no layers.")
    graph = model._functional if isinstance(model, keras.Sequential) else model
    for each in (model, graph):
        refuse_unless_plain(each, ("name", "dtype", "layers", "inputs", "outputs"), "the model")
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise NotFusableError("a model with several inputs or outputs cannot be trained in a cohort.")
    if isinstance(graph._inputs_struct, dict) or isinstance(graph._outputs_struct, dict):
        raise NotFusableError("a model whose inputs or outputs are a dict cannot be trained in a cohort.")
    tensor = graph.inputs[0]
    nodes = {id(node) for depth in graph._nodes_by_depth.values() for node in depth}
    found = []
    for layer in chain:
        calls = [node for node in layer._inbound_nodes if id(node) in nodes]
        if len(calls) != 1 or len(calls[0].input_tensors) != 1 or calls[0].input_tensors[0] is not tensor:
            raise NotFusableError(
                f"layer {layer.name!r} cannot be trained in a cohort: the layers are not a single chain."
            )
        arguments = calls[0].arguments
        given = {f"argument {place}": each for place, each in enumerate(arguments.args[1:], 2)} | arguments.kwargs
        for name in given.keys() - {"training"}:  # fit gives every layer its own
            refuse_unless_equal(given[name], None, f"call's {name}", f"layer {layer.name!r}")
        found.append((layer, tensor.shape))
        tensor = calls[0].outputs[0]
    if tensor is not graph.outputs[0]:
        raise NotFusableError("the layers are not a single chain from the input to the output.")
    return found


def input_layers(layers: list[keras.layers.Layer], inputs: keras.KerasTensor) -> InputLayers:
    """Return the map of the leading layers from ``inputs``; its key holds their settings and statistics."""
    dtype, shape = str(inputs.dtype), inputs.shape[1:]

    def apply(x: NDArray[Any]) -> NDArray[np.float32]:
        _check_shape(x.shape[1:], shape)
        parts = []
        for start in range(0, len(x), CHUNK):
            part: Any = x[start : start + CHUNK]
            part = part.astype(np.float32) if part.dtype == np.float64 else part  # before all else, as in fit
            part = part.astype(dtype, copy=False).astype(np.float32, copy=False)
            for layer in layers:
                part = layer(part)
            parts.append(np.asarray(part, np.float32))
        return np.ascontiguousarray(np.concatenate(parts))

    key: list[object] = [*([] if dtype == "float32" else [dtype]), *([] if len(shape) == 1 else [shape])]
    for layer in layers:
        config = {name: value for name, value in layer.get_config().items() if name != "name"}
        statistics = (layer.mean, layer.variance) if isinstance(layer, keras.layers.Normalization) else ()
        key += [type(layer).__name__, json.dumps(config, sort_keys=True, default=str)]
        key += [keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(each)).tobytes() for each in statistics]
    return InputLayers(apply, tuple(key))


def _check_shape(given: tuple[int, ...], taken: tuple[int | None, ...]) -> None:
    """Raise UserError if rows are of another shape than the model takes; like Keras, look over a last axis of 1."""
    if len(given) == len(taken) + 1:
        taken = (*taken, 1)
    elif len(given) == len(taken) - 1:
        given = (*given, 1)
    alike = len(given) == len(taken) and all(two in (one, None) for one, two in zip(given, taken, strict=True))
    if not alike and len(taken) > 1:  # with one axis, the number of features is told
        raise UserError(f"x has rows of shape {given}, but the model takes rows of shape {taken}.")


def _state(model: keras.Model, variables: list[keras.Variable]) -> State:
    weights: Arrays = [_array(variable) for variable in variables]
    state = State.initial(weights)
    for part, slots in zip((state.first, state.second), slots_of(model.optimizer), strict=True):
        found = [slots.get(id(variable)) for variable in variables]
        part[:] = [zero if slot is None else _array(slot) for slot, zero in zip(found, part, strict=True)]
    return state


def _finish(model: keras.Model, variables: list[keras.Variable], state: State, steps: int) -> None:
    for variable, value in zip(variables, state.weights, strict=True):
        variable.assign(value)
    averages = [dict(zip(map(id, variables), part, strict=True)) for part in (state.first, state.second)]
    restore_slots(model.optimizer, model.trainable_variables, averages[0], averages[1], steps)
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)  # none of a layer that was made with a rate of 0
        if generator is not None and layer.rate:  # as after fit, which draws once a step; what comes next draws others
            generator.state.assign(generator.state + np.array([0, steps], generator.state.dtype))


def _array(variable: keras.Variable) -> NDArray[np.float32]:
    return np.array(variable.numpy())
