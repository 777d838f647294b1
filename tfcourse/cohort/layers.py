r"""The layers a cohort can train, each for k members at once.

A member's network is a tuple of layers. What may differ from member to member (the units, a rate, a momentum) is a
number the compiled program takes at run time; what may not (:attr:`shape_free`) decides with whom a member can train.

Every weight has the member axis first: a kernel is (k, inputs, units), a vector (k, 1, units). Narrow members are
padded with zeros to the width of the widest. A padded unit then gives 0, and no gradient reaches its weights, because
the next kernel's row for it is 0 as well: padding stays 0 under every optimizer here. Activations with f(0) != 0 would
break that, so their padded units are masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Numbers = dict[str, Any]

ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "tanh", "softsign",
    "sigmoid", "hard_sigmoid", "softplus", "linear",
)  # fmt: skip
NONZERO_AT_ZERO = ("sigmoid", "hard_sigmoid", "softplus")


@dataclass(frozen=True)
class Variable:
    """One weight of a layer: its name, its shape for a member, and whether the optimizer changes it."""

    name: str
    shape: tuple[int, ...]
    trainable: bool = True


@dataclass(frozen=True)
class Dense:
    """z = a W + b; ``l2`` is the factor of the kernel's penalty."""

    units: int
    use_bias: bool = True
    l2: float = 0.0

    @property
    def shape_free(self) -> tuple[object, ...]:
        """What members of one program share of this layer."""
        return ("dense", self.use_bias)

    def variables(self, inputs: int) -> list[Variable]:
        """Return the weights for ``inputs`` input units, in the order of ``keras.layers.Dense``."""
        bias = [Variable("bias", (self.units,))] if self.use_bias else []
        return [Variable("kernel", (inputs, self.units)), *bias]

    def numbers(self, width: int) -> dict[str, NDArray[np.float32]]:
        """Return the member's run-time numbers."""
        return {"l2": np.float32(self.l2).reshape(1)}


@dataclass(frozen=True)
class BatchNormalization:
    """Normalization by the minibatch's mean and variance in training, by the moving ones otherwise."""

    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True

    @property
    def shape_free(self) -> tuple[object, ...]:
        """What members of one program share of this layer."""
        return ("batch_normalization", self.center, self.scale)

    def variables(self, inputs: int) -> list[Variable]:
        """Return the weights for ``inputs`` units, in the order of ``keras.layers.BatchNormalization``."""
        gamma = [Variable("gamma", (inputs,))] if self.scale else []
        beta = [Variable("beta", (inputs,))] if self.center else []
        moving = [Variable("moving_mean", (inputs,), False), Variable("moving_variance", (inputs,), False)]
        return [*gamma, *beta, *moving]

    def numbers(self, width: int) -> dict[str, NDArray[np.float32]]:
        """Return the member's run-time numbers; 1 - momentum is rounded from float64, as Keras does."""
        values = {"momentum": self.momentum, "rest": 1.0 - self.momentum, "epsilon": self.epsilon}
        return {name: np.float32(value).reshape(1, 1) for name, value in values.items()}


@dataclass(frozen=True)
class Activation:
    """An elementwise activation by its Keras name; ``units`` is the width it acts on."""

    name: str
    units: int

    @property
    def shape_free(self) -> tuple[object, ...]:
        """What members of one program share of this layer."""
        return ("activation", self.name)

    def variables(self, inputs: int) -> list[Variable]:
        """Return no weights."""
        return []

    def numbers(self, width: int) -> dict[str, NDArray[np.float32]]:
        """Return the mask of the member's own units."""
        return {"mask": (np.arange(width) < self.units).astype(np.float32).reshape(1, width)}


@dataclass(frozen=True)
class Dropout:
    """Inverted dropout: a unit is kept with probability 1 - rate and then divided by it, in training only."""

    rate: float

    @property
    def shape_free(self) -> tuple[object, ...]:
        """What members of one program share of this layer."""
        return ("dropout",)

    def variables(self, inputs: int) -> list[Variable]:
        """Return no weights."""
        return []

    def numbers(self, width: int) -> dict[str, NDArray[Any]]:
        """Return the threshold in 32-bit integers under which a unit is dropped, and the scale of the kept ones."""
        threshold = min(round(self.rate * 2**32), 2**32 - 1)
        return {
            "threshold": np.array([[threshold]], np.uint32),
            "scale": np.float32(1.0 / (1.0 - self.rate)).reshape(1, 1),
        }


Layer = Dense | BatchNormalization | Activation | Dropout


def widths(layers: Sequence[Layer], inputs: int) -> tuple[int, ...]:
    """Return the number of units after each layer.

    >>> widths([Dense(8), Activation("relu", 8), Dense(3)], inputs=4)
    (8, 8, 3)
    """
    sizes = []
    for layer in layers:
        inputs = layer.units if isinstance(layer, Dense) else inputs
        sizes.append(inputs)
    return tuple(sizes)


def variables(layers: Sequence[Layer], inputs: int) -> list[list[Variable]]:
    """Return every layer's weights, layer by layer: the order of ``keras.Model.get_weights``."""
    sizes = (inputs, *widths(layers, inputs))
    return [layer.variables(size) for layer, size in zip(layers, sizes, strict=False)]


def trained_vectors(kinds: Sequence[tuple[Any, ...]], widths: Sequence[int]) -> list[tuple[int, str, int]]:
    """Return the biases, γ and β of all layers in the order in which they lie side by side: layer, name and units.

    Args:
        kinds: what the members share of each layer, its ``shape_free``.
        widths: units after each layer.

    >>> trained_vectors([Dense(8, False).shape_free, BatchNormalization().shape_free, Dense(3).shape_free], [8, 8, 3])
    [(1, 'gamma', 8), (1, 'beta', 8), (2, 'bias', 3)]
    """
    found = []
    for index, (kind, units) in enumerate(zip(kinds, widths, strict=True)):
        if kind[0] == "dense":
            names = ["bias"] if kind[1] else []
        else:
            center, scale = kind[1:] if kind[0] == "batch_normalization" else (False, False)
            names = ["gamma"] * scale + ["beta"] * center
        found += [(index, name, units) for name in names]
    return found


class Batch:
    """How to average over a minibatch, whose rows beyond the data's end must not count.

    Args:
        rows: weight of each row of a mean, shape (B, 1): 1 / m for the m real rows, 0 for the others; None when every
            row is real.
    """

    def __init__(self, rows: tf.Tensor | None = None) -> None:
        self.rows = rows

    def mean(self, z: tf.Tensor) -> tf.Tensor:
        """Return the mean of z (k, B, n) over the rows, shape (k, 1, n)."""
        if self.rows is None:
            return tf.reduce_mean(z, axis=1, keepdims=True)
        return tf.reduce_sum(z * self.rows, axis=1, keepdims=True)


def normalize(
    a: tf.Tensor, weights: dict[str, tf.Tensor], numbers: Numbers, batch: Batch | None
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Return the normalized a (k, B, n), and the moved statistics when training (``batch`` is given)."""
    mean, variance, moved = weights["moving_mean"], weights["moving_variance"], {}
    if batch is not None:
        keep, rest = numbers["momentum"], numbers["rest"]
        old_mean, old_variance = mean, variance
        mean = batch.mean(a)
        # The mean's own gradient through the variance is zero, and keras.ops.moments stops it too.
        variance = batch.mean(tf.math.squared_difference(a, tf.stop_gradient(mean)))
        moved = {
            "moving_mean": old_mean * keep + mean * rest,
            "moving_variance": old_variance * keep + variance * rest,
        }
    scale = tf.math.rsqrt(variance + numbers["epsilon"])
    if "gamma" in weights:
        scale = scale * weights["gamma"]
    offset = weights["beta"] - mean * scale if "beta" in weights else -mean * scale
    return a * scale + offset, moved


def hashed(bits: tf.Tensor) -> tf.Tensor:
    """Return 32-bit integers mixed so that neighbours are unrelated (the "lowbias32" integer hash by C. Wellons).

    Counter-based generators of a compiled program cost more than the matrix products of a small network; two
    multiplications and three shifts are enough to choose units.
    """
    shift, xor = tf.bitwise.right_shift, tf.bitwise.bitwise_xor
    bits = xor(bits, shift(bits, tf.constant(16, tf.uint32))) * tf.constant(0x7FEB352D, tf.uint32)
    bits = xor(bits, shift(bits, tf.constant(15, tf.uint32))) * tf.constant(0x846CA68B, tf.uint32)
    return xor(bits, shift(bits, tf.constant(16, tf.uint32)))


def dropout_key(noise: tf.Tensor, clock: tf.Tensor, layer: int) -> tf.Tensor:
    """Return each member's random number (k, 1, 1) for step ``clock`` and one layer, from its own ``noise`` (k,)."""
    of_step = hashed(noise + tf.cast(clock, tf.uint32) * tf.constant(0x85EBCA6B, tf.uint32))
    return hashed(of_step + tf.constant(layer, tf.uint32))[:, None, None]


def drop(a: tf.Tensor, numbers: Numbers, key: tf.Tensor) -> tf.Tensor:
    """Return a (k, B, n) with units dropped; ``key`` (k, 1, 1) is each member's random number for this step and layer.

    A mask depends on the member's key, the row and the unit alone: not on the padding, nor on the other members.
    """
    rows, units = a.shape[1], a.shape[2]
    place = np.arange(rows, dtype=np.uint32)[:, None] * np.uint32(65_521) + np.arange(units, dtype=np.uint32)
    bits = hashed(tf.constant(place)[None] * tf.constant(0x9E3779B1, tf.uint32) + key)
    return tf.where(bits >= numbers["threshold"], a * numbers["scale"], tf.zeros_like(a))
