"""The whole state of a training as arrays: weights, optimizers, dropout's random numbers, running metrics.

Weights and metrics are named by their place. A variable of an optimizer is named by what it is and by the place of the
weight that it is of (``optimizer/3/momentum``): its own place moves when a momentum comes later or a schedule goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfcourse.babysitting.optimizers import OWN, leaves, optimizers_of
from tfcourse.errors import UserError

Arrays = dict[str, NDArray[Any]]
OPTIMIZER, BUILT = "optimizer/", "built/"


def weights_of(model: keras.Model) -> list[Any]:
    """Return the model's variables: its weights, then dropout's random state and the like."""
    weights = list(model.weights)
    known = set(map(id, weights))
    return weights + [variable for variable in model.variables if id(variable) not in known]


def snapshot(model: keras.Model) -> Arrays:
    """Return copies of all variables by name, and on which weights each optimizer was built."""
    weights = weights_of(model)
    arrays = {f"model/{place}": _array(variable) for place, variable in enumerate(weights)}
    arrays |= {f"metrics/{place}": _array(variable) for place, variable in enumerate(model.metrics_variables)}
    place_of = {id(variable): place for place, variable in enumerate(weights)}
    for name, optimizer in optimizers_of(model).items():
        arrays |= {key: _array(variable) for key, variable in _named(name, optimizer, weights).items()}
        if optimizer.built:
            built_on = [place_of.get(id(variable), -1) for variable in optimizer._trainable_variables]
            arrays[f"{BUILT}{name}"] = np.array(built_on, dtype=np.int64)
    return arrays


def _array(variable: Any) -> NDArray[Any]:
    array = np.array(keras.ops.convert_to_numpy(variable))
    return array.astype(np.float32) if array.dtype.kind == "V" else array  # bfloat16 is unknown to NumPy's files


def _named(of: str, optimizer: Any, weights: Sequence[Any]) -> dict[str, Any]:
    """Return an optimizer's variables by name."""
    prefix = OPTIMIZER if of == OWN else f"{OPTIMIZER}{of}/"
    places: dict[str, int] = {}
    for place, weight in enumerate(weights):
        places.setdefault(weight.path.replace("/", "_"), place)
    # Nadam has a variable without a name of its own, which Keras numbers through.
    alone = {
        id(value): name.strip("_")
        for each in (optimizer, *leaves(optimizer))
        for name, value in vars(each).items()
        if isinstance(value, keras.Variable)
    }
    named = [(alone.get(id(each)) or _name(each.name, places), each) for each in optimizer.variables]
    found: dict[str, Any] = {}
    for name, variable in named:
        key, number = prefix + name, 1
        while key in found:  # of several wrapped optimizers, or of weights that share a name
            number += 1
            key = f"{prefix}{name}~{number}"
        found[key] = variable
    return found


def _name(name: str, places: dict[str, int]) -> str:
    """Return ``3/momentum`` for the momentum of the fourth weight; the name as it is if it is of none.

    >>> _name("dense_1_kernel_momentum", {"dense": 0, "dense_1_kernel": 3}), _name("iteration", {"dense": 0})
    ('3/momentum', 'iteration')
    """
    cut = len(name)
    while (cut := name.rfind("_", 0, cut)) > 0:
        if name[:cut] in places:
            return f"{places[name[:cut]]}/{name[cut + 1 :]}"
    return name


def make_ready(model: keras.Model, arrays: Arrays) -> None:
    """Build the optimizers that were built when the state was kept, on the same weights.

    Raises:
        UserError: if the arrays are not those of this model.
    """
    weights = weights_of(model)
    _check(arrays, weights)
    for name, optimizer in optimizers_of(model).items():
        built_on = arrays.get(f"{BUILT}{name}")
        if optimizer.built:
            continue
        if built_on is not None:
            optimizer.build([weights[place] for place in built_on if place >= 0])
        elif name == OWN and _by_place(arrays):
            optimizer.build(model.trainable_variables)


def _check(arrays: Arrays, weights: Sequence[Any]) -> None:
    there = sum(name.startswith("model/") for name in arrays)
    if there != len(weights):
        raise UserError(
            f"The checkpoint has {there} variables, the model {len(weights)}: it is of another model."
            " Give the model that the folder was begun with, or another folder."
        )
    for place, weight in enumerate(weights):
        _check_shape(arrays[f"model/{place}"], weight)


def _check_shape(value: NDArray[Any], variable: Any) -> None:
    if tuple(value.shape) != tuple(variable.shape):
        raise UserError(
            f"The checkpoint has {tuple(value.shape)} where the model has {tuple(variable.shape)}"
            f" ({variable.path}): it is of another model. Give the model that the folder was begun with."
        )


def restore_weights(model: keras.Model, arrays: Arrays) -> None:
    """Set the model's variables; nothing is set if they are another model's.

    Raises:
        UserError: if they are.
    """
    weights = weights_of(model)
    _check(arrays, weights)
    for place, weight in enumerate(weights):
        weight.assign(arrays[f"model/{place}"])


def restore_metrics(model: keras.Model, arrays: Arrays) -> None:
    """Set the running metrics, those that are there."""
    for place, variable in enumerate(model.metrics_variables):
        if (value := arrays.get(f"metrics/{place}")) is not None and value.shape == tuple(variable.shape):
            variable.assign(value)


def restore_optimizers(model: keras.Model, arrays: Arrays) -> None:
    """Set the optimizers' variables, after the weights; a memory that was not there yet is as at its beginning.

    Raises:
        UserError: if the arrays are not those of this model, or a beginning cannot be made again.
    """
    arrays = in_names(model, arrays)
    weights = weights_of(model)
    for name, optimizer in optimizers_of(model).items():
        named = _named(name, optimizer, weights)
        missing = set(named) - set(arrays)
        was_built = f"{BUILT}{name}" in arrays
        first = _at_its_beginning(name, optimizer, weights) if missing and not was_built and optimizer.built else {}
        for key, variable in named.items():
            value = arrays.get(key, first.get(key))
            if value is None:
                value = np.zeros(variable.shape, np.float32)
            _check_shape(value, variable)
            variable.assign(keras.ops.cast(value, variable.dtype))


def _at_its_beginning(name: str, optimizer: Any, weights: Sequence[Any]) -> Arrays:
    """Return the values that Keras gives an optimizer's variables when it builds it: not all are zero."""
    try:
        fresh = type(optimizer).from_config(optimizer.get_config())
        fresh.build(list(optimizer._trainable_variables))
    except Exception as error:  # whatever somebody's own optimizer raises
        raise UserError(
            f"The optimizer cannot be made again as it began ({type(error).__name__}: {error}). Go back to a state"
            " after the first step; or give the optimizer a get_config and a from_config that make it again."
        ) from None
    return {key: _array(variable) for key, variable in _named(name, fresh, weights).items()}


def in_names(model: keras.Model, arrays: Arrays) -> Arrays:
    """Return a state with the optimizer's variables by name, also one that was kept with their places."""
    if not _by_place(arrays):
        return arrays
    optimizer, weights = optimizers_of(model)[OWN], weights_of(model)
    renamed = dict(arrays)
    for place, key in enumerate(_named(OWN, optimizer, weights)):
        if (value := renamed.pop(f"{OPTIMIZER}{place}", None)) is not None:
            renamed[key] = value
    return {**renamed, f"{BUILT}{OWN}": np.empty(0, np.int64)}


def _by_place(arrays: Arrays) -> bool:
    return any(key.removeprefix(OPTIMIZER).isdigit() for key in arrays if key.startswith(OPTIMIZER))


def finite(arrays: Arrays) -> bool:
    """Say whether every weight is finite."""
    return all(
        bool(np.isfinite(value).all())
        for name, value in arrays.items()
        if name.startswith("model/") and np.issubdtype(value.dtype, np.floating)
    )


def largest_difference(ours: Arrays, theirs: Arrays) -> float:
    """Return the largest absolute difference of two states' weights and optimizers; infinite if they do not match.

    An optimizer's memory that one of them does not have is zero in it.

    >>> a, b = {"model/0": np.ones(2), "metrics/0": np.zeros(1)}, {"model/0": np.full(2, 1.5)}
    >>> largest_difference(a, b)
    0.5
    >>> largest_difference(a, {**a, "optimizer/0/momentum": np.zeros(3)})
    0.0
    """
    largest = 0.0
    for name in {*ours, *theirs}:
        mine, yours = ours.get(name), theirs.get(name)
        if name.startswith(("metrics/", BUILT)):
            continue
        if name.startswith(OPTIMIZER) and (mine is None or yours is None):
            mine, yours = (np.zeros(1) if value is None else value for value in (mine, yours))
        elif mine is None or yours is None or mine.shape != yours.shape:
            return float("inf")
        if mine.size:
            largest = max(largest, float(np.abs(mine.astype(np.float64) - yours.astype(np.float64)).max()))
    return largest
