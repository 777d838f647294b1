r"""Networks of one architecture as one: their layers stacked, batch normalization put into kernels and biases.

A batch-normalized network predicts with fixed statistics, so that :math:`\gamma (W a - \mu) / \sqrt{\sigma^2 +
\epsilon} + \beta` is a dense layer with another kernel and bias. K such networks are one dense layer, whose units lie
side by side, and then products of K matrices at a time: few layers, however many networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tfcourse.models.spec import NetworkSpec

Array = NDArray[Any]
EACH_BY_ITS_OWN = "bki,kio->bko"
"""How a stacked layer multiplies: row b, network k, inputs i, units o."""


@dataclass(frozen=True)
class Stack:
    """Networks of one architecture.

    Args:
        network: what they are.
        kernels: of each dense layer, shape (networks, inputs, units) float32; the head is the last.
        biases: of each dense layer, shape (networks, units) float32.
    """

    network: NetworkSpec
    kernels: tuple[Array, ...]
    biases: tuple[Array, ...]

    @property
    def size(self) -> int:
        """Number of networks."""
        return len(self.biases[0])


def stacked(network: NetworkSpec, weights: Sequence[Sequence[Array]]) -> Stack:
    """Return networks as a stack.

    Args:
        network: their architecture.
        weights: of each, in the order of ``build_mlp(network).get_weights()``.

    >>> from tfcourse.models.builders import build_mlp
    >>> network = NetworkSpec(4, 3, (8,))
    >>> stack = stacked(network, [build_mlp(network, seed=seed).get_weights() for seed in (0, 1)])
    >>> [kernel.shape for kernel in stack.kernels]
    [(2, 4, 8), (2, 8, 3)]
    """
    folded = [folded_layers(network, each) for each in weights]
    layers = [
        [np.stack(parts).astype(np.float32) for parts in zip(*layer, strict=True)]
        for layer in zip(*folded, strict=True)
    ]
    return Stack(network, tuple(kernel for kernel, _ in layers), tuple(bias for _, bias in layers))


def folded_layers(network: NetworkSpec, weights: Sequence[Array]) -> list[tuple[Array, Array]]:
    """Return kernel and bias of each dense layer in float64, batch normalization in them, exactly as it predicts.

    One before the activation is put into the dense layer before it, one after the activation into the next.
    """
    left = [np.asarray(each, np.float64) for each in weights]
    scale, shift = np.ones(network.inputs), np.zeros(network.inputs)  # of what enters the layer
    layers: list[tuple[Array, Array]] = []
    for units in network.units:
        kernel = left.pop(0)
        bias = np.zeros(units) if network.batch_norm else left.pop(0)
        kernel, bias = scale[:, None] * kernel, bias + shift @ kernel
        scale, shift = np.ones(units), np.zeros(units)
        if network.batch_norm:
            gamma, beta, mean, variance = (left.pop(0) for _ in range(4))
            factor = gamma / np.sqrt(variance + network.batch_norm_epsilon)
            if network.normalize == "before":
                kernel, bias = kernel * factor, (bias - mean) * factor + beta
            else:
                scale, shift = factor, beta - mean * factor
        layers.append((kernel, bias))
    kernel, bias = left
    return [*layers, (scale[:, None] * kernel, bias + shift @ kernel)]


def weighted_average(stacks: Sequence[Stack], weights: Sequence[float]) -> keras.Model:
    r"""Return the network whose probabilities are a weighted mean of those of all networks of all stacks.

    It gives their logarithms, :math:`\log \sum_s w_s \frac1K \sum_k softmax(z_{sk})`, so that it stands wherever a
    network that gives logits does.

    Args:
        stacks: the networks, all on the same features.
        weights: of each stack, above 0, summing to 1; its networks share it.
    """
    features = keras.Input((stacks[0].network.inputs,), name="features")
    logits = [logits_of(stack, features, f"stack_{number}") for number, stack in enumerate(stacks, start=1)]
    shares = [np.full(stack.size, weight / stack.size) for stack, weight in zip(stacks, weights, strict=True)]
    found = ops.log_softmax(ops.concatenate(logits, axis=1) if len(logits) > 1 else logits[0], axis=-1)
    found = ops.logsumexp(ops.add(found, np.log(np.concatenate(shares)).astype(np.float32)[:, None]), axis=1)
    model = keras.Model(features, found, name="weighted_average")
    _set_weights(model, stacks)
    return model


def logits_model(stack: Stack) -> keras.Model:
    """Return the model that gives the logits of each network of a stack, shape (rows, networks, classes)."""
    features = keras.Input((stack.network.inputs,), name="features")
    model = keras.Model(features, logits_of(stack, features, "stack_1"), name="stack")
    _set_weights(model, [stack])
    return model


def logits_of(stack: Stack, features: Any, name: str) -> Any:
    """Return the logits of a stack's networks, (rows, networks, classes), as layers on ``features``."""
    size, activation = stack.size, stack.network.activation
    for number, kernel in enumerate(stack.kernels):
        units, head = kernel.shape[2], number == len(stack.kernels) - 1
        if number == 0:
            side_by_side = keras.layers.Dense(size * units, name=f"{name}_dense_1")(features)
            a = keras.layers.Reshape((size, units), name=f"{name}_networks")(side_by_side)
        else:
            a = keras.layers.EinsumDense(
                EACH_BY_ITS_OWN, (size, units), bias_axes="ko", name=f"{name}_dense_{number + 1}"
            )(a)
        if not head:
            a = keras.layers.Activation(activation, name=f"{name}_activation_{number + 1}")(a)
    return a


def _set_weights(model: keras.Model, stacks: Sequence[Stack]) -> None:
    for index, stack in enumerate(stacks, start=1):
        for number, (kernel, bias) in enumerate(zip(stack.kernels, stack.biases, strict=True), start=1):
            if number == 1:  # the units of all networks side by side
                kernel, bias = kernel.transpose(1, 0, 2).reshape(kernel.shape[1], -1), bias.reshape(-1)
            model.get_layer(f"stack_{index}_dense_{number}").set_weights([kernel, bias])
