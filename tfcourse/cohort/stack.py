"""Members side by side: from k states to one array a weight, padded with zeros, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.layers import variables
from tfcourse.cohort.member import Member, State

Stacked = dict[str, list[dict[str, NDArray[Any]]]]


def stack(members: Sequence[Member], states: Sequence[State], widths: Sequence[int], places: int) -> Stacked:
    """Return the states of ``members`` in the first places, zeros in the others.

    The result has the arrays ``weights``, ``moving``, ``first`` and ``second``, each a dictionary a layer: kernels
    are (k, inputs, units) and vectors (k, 1, units), as wide as ``widths`` says.
    """
    stacked: Stacked = {"weights": [], "moving": [], "first": [], "second": []}
    position = 0
    inputs = members[0].inputs
    for layer, width in zip(members[0].layers, widths, strict=True):
        for part in stacked.values():
            part.append({})
        for variable in layer.variables(1):
            shape = (places, inputs if variable.name == "kernel" else 1, width)
            weights = _padded([state.weights[position] for state in states], shape)
            if variable.trainable:
                stacked["weights"][-1][variable.name] = weights
                stacked["first"][-1][variable.name] = _padded([state.first[position] for state in states], shape)
                stacked["second"][-1][variable.name] = _padded([state.second[position] for state in states], shape)
            else:
                stacked["moving"][-1][variable.name] = weights
            position += 1
        inputs = width
    return stacked


def _padded(arrays: Sequence[NDArray[np.float32]], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    whole = np.zeros(shape, np.float32)
    for place, array in enumerate(arrays):
        array = array.reshape(-1, array.shape[-1])
        whole[place, : array.shape[0], : array.shape[1]] = array
    return whole


def unstack(member: Member, place: int, stacked: Stacked) -> State:
    """Return the state of ``member`` in its own widths, copied out of ``place``."""
    state = State([], [], [])
    for index, layer in enumerate(variables(member.layers, member.inputs)):
        for variable in layer:
            for part, arrays in (("weights", state.weights), ("first", state.first), ("second", state.second)):
                source = part if variable.trainable else "moving"
                array = stacked[source][index][variable.name][place]
                cut = array[tuple(slice(size) for size in (*[1] * (2 - len(variable.shape)), *variable.shape))]
                arrays.append(np.array(cut).reshape(variable.shape))
    return state


def numbers(members: Sequence[Member], widths: Sequence[int], places: int) -> dict[str, Any]:
    """Return the members' run-time numbers: ``layers``, arrays (k, 1, 1 or units) a layer, and ``noise`` (k,).

    Empty places carry the numbers of the first member.
    """
    filled = [*members, *[members[0]] * (places - len(members))]
    layers = []
    for index, width in enumerate(widths):
        own = [member.layers[index].numbers(width) for member in filled]
        layers.append({name: np.stack([np.atleast_2d(each[name]) for each in own]) for name in own[0]})
    noise = np.array([member.seed * 0x9E3779B1 % 2**32 for member in filled], np.uint32)
    return {"layers": layers, "noise": noise}
