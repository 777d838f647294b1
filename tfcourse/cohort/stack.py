"""Members side by side: from k states to one array a weight, padded with zeros, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.kinds import Kind, trained_vectors
from tfcourse.cohort.layers import variables
from tfcourse.cohort.member import Member, State, in_program

Stacked = dict[str, Any]
VECTORS = "vectors"


def stack(members: Sequence[Member], states: Sequence[State], widths: Sequence[int], places: int) -> Stacked:
    """Return the states of ``members``, all of one depth, in the first places, zeros in the others.

    ``weights``, ``first`` and ``second`` have a kernel (k, inputs, units) each under :func:`kernel_name`, as wide as
    ``widths`` says, and all trained vectors of the network side by side under ``vectors``, (k, 1, units of all): one
    by one, their many small operations take a tenth of a step and a quarter of the compiler's time. ``moving`` has a
    dictionary (k, 1, units) a layer.
    """
    stacked: Stacked = {"weights": {}, "moving": [], "first": {}, "second": {}}
    vectors: dict[str, list[NDArray[np.float32]]] = {"weights": [], "first": [], "second": []}
    position = 0
    inputs = members[0].inputs
    for index, (layer, own) in enumerate(in_program(members[0], len(widths))):
        stacked["moving"].append({})
        width = widths[index]
        for variable in layer.variables(1):
            shape = (places, inputs if variable.name == "kernel" else 1, width)
            for part in vectors if variable.trainable else ("weights",):
                arrays = [getattr(state, part)[position] for state in states] if own is not None else []
                array = _padded(arrays, shape)
                if not variable.trainable:
                    stacked["moving"][-1][variable.name] = array
                elif variable.name == "kernel":
                    stacked[part][kernel_name(index)] = array
                else:
                    vectors[part].append(array)
            position += own is not None
        inputs = width
    for part, arrays in vectors.items():
        if arrays:
            stacked[part][VECTORS] = np.concatenate(arrays, axis=2)
    return stacked


def kernel_name(layer: int) -> str:
    """Return the name of a layer's kernel among the stacked weights."""
    return f"kernel {layer}"


def _padded(arrays: Sequence[NDArray[np.float32]], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    whole = np.zeros(shape, np.float32)
    for place, array in enumerate(arrays):
        array = array.reshape(-1, array.shape[-1])
        whole[place, : array.shape[0], : array.shape[1]] = array
    return whole


def unstack(
    member: Member,
    place: int,
    stacked: Stacked,
    kinds: Sequence[Kind],
    widths: Sequence[int],
    parts: Sequence[str] = ("weights", "first", "second"),
) -> State:
    """Return the state of ``member`` in its own widths, copied out of ``place``; only ``parts`` of it, if so asked."""
    state = State([], [], [])
    starts, position = {}, 0
    for index, name, units in trained_vectors(kinds, widths):
        starts[index, name] = position
        position += units
    indices = [index for index, (_, own) in enumerate(in_program(member, len(widths))) if own is not None]
    for index, layer in zip(indices, variables(member.layers, member.inputs), strict=True):
        for variable in layer:
            for part in parts:
                if not variable.trainable:
                    array = stacked["moving"][index][variable.name][place]
                elif variable.name == "kernel":
                    array = stacked[part][kernel_name(index)][place]
                else:
                    array = stacked[part][VECTORS][place][:, starts[index, variable.name] :]
                cut = array[tuple(slice(size) for size in (*[1] * (2 - len(variable.shape)), *variable.shape))]
                getattr(state, part).append(np.array(cut).reshape(variable.shape))
    return state


def numbers(members: Sequence[Member], widths: Sequence[int], places: int) -> dict[str, Any]:
    """Return the members' run-time numbers: ``layers``, arrays (k, 1, 1 or units) a layer, ``noise`` (k,), ``depth``.

    Empty places carry the numbers of the first member.
    """
    filled = [*members, *[members[0]] * (places - len(members))]
    layers = []
    networks = [in_program(member, len(widths)) for member in filled]
    for index, width in enumerate(widths):
        each = [network[index][0].numbers(width) for network in networks]
        layers.append({name: np.stack([np.atleast_2d(one[name]) for one in each]) for name in each[0]})
    noise = np.array([member.seed * 0x9E3779B1 % 2**32 for member in filled], np.uint32)
    return {"layers": layers, "noise": noise, "depth": np.int32(members[0].depth)}
