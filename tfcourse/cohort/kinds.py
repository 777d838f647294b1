"""What members of one program share of a layer, and the compiled arithmetic of it, for k members at once.

A kernel is (k, inputs, units), a vector (k, 1, units), what flows between layers (k, B, units).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Numbers = dict[str, Any]
Weights = dict[str, tf.Tensor]
Forward = tuple[tf.Tensor, Weights]
"""What a layer gives, and the statistics that it moved."""

NONZERO_AT_ZERO = ("sigmoid", "hard_sigmoid", "softplus")


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


@dataclass(frozen=True)
class Pass:
    """One pass through a layer.

    Args:
        batch: the minibatch in training; None in evaluation.
        noise: each member's random number (k,), from which its dropout masks come.
        clock: steps taken before, a scalar.
        layer: the layer's number.
        dropping: whether any member has dropout.
    """

    batch: Batch | None
    noise: tf.Tensor
    clock: tf.Tensor
    layer: int
    dropping: bool


@dataclass(frozen=True)
class Kind:
    """What members share of a layer; by itself a layer that has no weights and changes nothing."""

    @property
    def begins_block(self) -> bool:
        """Whether a block of the network begins with it, and it has a kernel."""
        return False

    @property
    def vectors(self) -> tuple[str, ...]:
        """The names of its trained vectors, in the order in which they lie side by side."""
        return ()

    def forward(self, a: tf.Tensor, weights: Weights, numbers: Numbers, now: Pass) -> Forward:
        """Return what it makes of ``a``, (k, B, n) or one (B, n) for all, and the statistics that it moved.

        Args:
            a: what flows in.
            weights: the layer's own, by their names.
            numbers: the members' run-time numbers of the layer.
            now: the pass.
        """
        return a, {}


@dataclass(frozen=True)
class DenseKind(Kind):
    """z = a W + b."""

    use_bias: bool

    @property
    def begins_block(self) -> bool:
        return True

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("bias",) if self.use_bias else ()

    def forward(self, a: tf.Tensor, weights: Weights, numbers: Numbers, now: Pass) -> Forward:
        kernel = weights["kernel"]
        z = side_by_side(a, kernel) if len(a.shape) == 2 else tf.matmul(a, kernel)
        return (z + weights["bias"] if self.use_bias else z), {}


@dataclass(frozen=True)
class BatchNormalizationKind(Kind):
    """Normalized by the minibatch's mean and variance in training, by the moving ones otherwise."""

    center: bool
    scale: bool

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("gamma",) * self.scale + ("beta",) * self.center

    def forward(self, a: tf.Tensor, weights: Weights, numbers: Numbers, now: Pass) -> Forward:
        return normalize(a, weights, numbers, now.batch)


@dataclass(frozen=True)
class ActivationKind(Kind):
    """An elementwise activation by its Keras name."""

    name: str

    def forward(self, a: tf.Tensor, weights: Weights, numbers: Numbers, now: Pass) -> Forward:
        a = keras.activations.get(self.name)(a)
        return (a * numbers["mask"] if self.name in NONZERO_AT_ZERO else a), {}


@dataclass(frozen=True)
class DropoutKind(Kind):
    """Inverted dropout, in training only."""

    def forward(self, a: tf.Tensor, weights: Weights, numbers: Numbers, now: Pass) -> Forward:
        if now.batch is None or not now.dropping:
            return a, {}
        return drop(a, numbers, dropout_key(now.noise, now.clock, now.layer)), {}


def trained_vectors(kinds: Sequence[Kind], widths: Sequence[int]) -> list[tuple[int, str, int]]:
    """Return the biases, γ and β of all layers in the order in which they lie side by side: layer, name and units.

    Args:
        kinds: what the members share of each layer.
        widths: units after each layer.

    >>> trained_vectors([DenseKind(False), BatchNormalizationKind(True, True), DenseKind(True)], [8, 8, 3])
    [(1, 'gamma', 8), (1, 'beta', 8), (2, 'bias', 3)]
    """
    return [
        (index, name, units)
        for index, (kind, units) in enumerate(zip(kinds, widths, strict=True))
        for name in kind.vectors
    ]


def side_by_side(x: tf.Tensor, kernels: tf.Tensor) -> tf.Tensor:
    """Return x W of each member, shape (k, B, u), from the shared x (B, n) and kernels (k, n, u), as one product."""
    k, n, u = kernels.shape
    z = tf.matmul(x, tf.reshape(tf.transpose(kernels, (1, 0, 2)), (n, k * u)))
    return tf.transpose(tf.reshape(z, (x.shape[0], k, u)), (1, 0, 2))


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
