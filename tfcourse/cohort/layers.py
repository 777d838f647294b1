r"""The layers a cohort can train, each for k members at once.

A member's network is a tuple of layers. What may differ from member to member (the units, a rate, a momentum) is a
number the compiled program takes at run time; what may not (:attr:`kind`) decides with whom a member can train.

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
from numpy.typing import NDArray

from tfcourse.cohort.kinds import ActivationKind, BatchNormalizationKind, DenseKind, DropoutKind, Kind

ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "tanh", "softsign",
    "sigmoid", "hard_sigmoid", "softplus", "linear",
)  # fmt: skip


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
    def kind(self) -> Kind:
        """What members of one program share of this layer."""
        return DenseKind(self.use_bias)

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
    def kind(self) -> Kind:
        """What members of one program share of this layer."""
        return BatchNormalizationKind(self.center, self.scale)

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
    def kind(self) -> Kind:
        """What members of one program share of this layer."""
        return ActivationKind(self.name)

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
    def kind(self) -> Kind:
        """What members of one program share of this layer."""
        return DropoutKind()

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
