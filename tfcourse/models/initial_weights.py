"""The initial weights of a spec's network, without building its Keras model (which costs more than training it)."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from tfcourse.models.builders import layer_seed
from tfcourse.models.spec import NetworkSpec


def initial_weights(spec: NetworkSpec, *, seed: int | None = None) -> list[NDArray[np.float32]]:
    """Return what ``build_mlp(spec, seed=seed).get_weights()`` gives: the same arrays in the same order.

    >>> [weight.shape for weight in initial_weights(NetworkSpec(4, 3, (8,)), seed=1)]
    [(4, 8), (8,), (8,), (8,), (8,), (8, 3), (3,)]
    """
    weights: list[NDArray[np.float32]] = []
    inputs = spec.inputs
    for index, units in enumerate(spec.units, start=1):
        weights.append(_kernel(inputs, units, layer_seed(seed, 2 * index)))
        if spec.batch_norm:
            zeros, ones = np.zeros(units, np.float32), np.ones(units, np.float32)
            weights += [ones, zeros, zeros, ones]
        else:
            weights.append(np.zeros(units, np.float32))
        inputs = units
    return [*weights, _kernel(inputs, spec.classes, layer_seed(seed, 0)), np.zeros(spec.classes, np.float32)]


def _kernel(inputs: int, units: int, seed: int | None) -> NDArray[np.float32]:
    return keras.ops.convert_to_numpy(keras.initializers.GlorotUniform(seed)((inputs, units)))
