"""The whole state of a training as arrays: weights, optimizer, dropout's random numbers, running metrics."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfcourse.errors import UserError


def variables_of(model: keras.Model) -> dict[str, list[Any]]:
    """Return the variables of a compiled model by group; those of ``model`` hold dropout's random state too."""
    own = [*model.weights, *(v for v in model.variables if not any(v is weight for weight in model.weights))]
    return {"model": own, "optimizer": list(model.optimizer.variables), "metrics": list(model.metrics_variables)}


def snapshot(model: keras.Model) -> dict[str, NDArray[Any]]:
    """Return copies of all variables by name."""
    return {
        f"{group}/{number}": np.array(keras.ops.convert_to_numpy(variable))
        for group, variables in variables_of(model).items()
        for number, variable in enumerate(variables)
    }


def restore(model: keras.Model, arrays: dict[str, NDArray[Any]], *, groups: tuple[str, ...]) -> None:
    """Set the variables of some groups; an optimizer's memory that was not there yet becomes zero.

    Raises:
        UserError: if the arrays are not those of this model.
    """
    for group, variables in variables_of(model).items():
        if group not in groups:
            continue
        there = [name for name in arrays if name.startswith(f"{group}/")]
        if group == "model" and len(there) != len(variables):
            raise UserError(
                f"The checkpoint has {len(there)} variables, the model {len(variables)}: it is of another model."
                " Give the model that the folder was begun with, or another folder."
            )
        for number, variable in enumerate(variables):
            value = arrays.get(f"{group}/{number}")
            if value is not None and tuple(value.shape) != tuple(variable.shape):
                raise UserError(
                    f"The checkpoint has {tuple(value.shape)} where the model has {tuple(variable.shape)}"
                    f" ({variable.path}): it is of another model. Give the model that the folder was begun with."
                )
            if value is not None:
                variable.assign(value)
            elif group == "optimizer":
                variable.assign(np.zeros(variable.shape, dtype=variable.dtype))


def finite(arrays: dict[str, NDArray[Any]]) -> bool:
    """Say whether every weight is finite."""
    return all(
        bool(np.isfinite(value).all())
        for name, value in arrays.items()
        if name.startswith("model/") and np.issubdtype(value.dtype, np.floating)
    )


def largest_difference(ours: dict[str, NDArray[Any]], theirs: dict[str, NDArray[Any]]) -> float:
    """Return the largest absolute difference of two states' weights and optimizer; infinite if they do not match.

    An optimizer's memory that one of them does not have is zero in it.

    >>> a, b = {"model/0": np.ones(2), "metrics/0": np.zeros(1)}, {"model/0": np.full(2, 1.5)}
    >>> largest_difference(a, b)
    0.5
    >>> largest_difference(a, {**a, "optimizer/2": np.zeros(3)})
    0.0
    """
    largest = 0.0
    for name in {*ours, *theirs}:
        mine, yours = ours.get(name), theirs.get(name)
        if name.startswith("optimizer/") and (mine is None or yours is None):
            mine, yours = (np.zeros(1) if value is None else value for value in (mine, yours))
        elif name.startswith("metrics/"):
            continue
        elif mine is None or yours is None or mine.shape != yours.shape:
            return float("inf")
        if mine.size:
            largest = max(largest, float(np.abs(mine.astype(np.float64) - yours.astype(np.float64)).max()))
    return largest
