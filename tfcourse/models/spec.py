"""A trial as data: :class:`NetworkSpec` and :class:`OptimizerSpec`, and how a search's values become them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from tfcourse.errors import UserError
from tfcourse.space.names import ACTIVATIONS, OPTIMIZERS


def _check(holds: bool, rule: str, name: str, given: object) -> None:
    if not holds:
        raise UserError(f"{name}: {rule} must hold, but {name} = {given!r} was given.")


@dataclass(frozen=True)
class NetworkSpec:
    """A fully connected classifier: hidden layers of batch-normalized units under a softmax head.

    Args:
        inputs: number of input features n[0], at least 1.
        classes: number of classes C, at least 2.
        units: units n[l] of each hidden layer, each at least 1; empty is softmax regression (slides C2).
        activation: the hidden activation, one of :data:`~tfcourse.space.names.ACTIVATIONS`.
        batch_norm: whether each hidden layer is batch-normalized; its Dense layer then has no bias (B4).
        normalize: ``"before"`` normalizes z before the activation (B3, the default), ``"after"`` after it.
        batch_norm_momentum: β of the moving mean and variance, in [0, 1). Keras's default of 0.99 looks back
            100 minibatches; 0.9 looks back 10, which short trainings on small tables need.
        batch_norm_epsilon: ε > 0 added to the variance.
        dropout: rate of the dropout after each hidden layer, in [0, 1).
        l2: factor of the kernels' L2 penalty, at least 0.

    Raises:
        UserError: if a value breaks its rule.

    >>> NetworkSpec(inputs=64, classes=10, units=(75, 50)).layers
    2
    """

    inputs: int
    classes: int
    units: tuple[int, ...] = ()
    activation: str = "relu"
    batch_norm: bool = True
    normalize: Literal["before", "after"] = "before"
    batch_norm_momentum: float = 0.9
    batch_norm_epsilon: float = 1e-3
    dropout: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        _check(all(int(u) == u for u in self.units), "whole numbers of units", "units", self.units)
        object.__setattr__(self, "units", tuple(int(u) for u in self.units))
        _check(self.inputs >= 1, "inputs >= 1", "inputs", self.inputs)
        _check(self.classes >= 2, "classes >= 2", "classes", self.classes)
        _check(all(u >= 1 for u in self.units), "every units >= 1", "units", self.units)
        _check(self.activation in ACTIVATIONS, f"activation in {ACTIVATIONS}", "activation", self.activation)
        _check(self.normalize in ("before", "after"), "'before' or 'after'", "normalize", self.normalize)
        momentum, epsilon = self.batch_norm_momentum, self.batch_norm_epsilon
        _check(0 <= momentum < 1, "0 <= batch_norm_momentum < 1", "batch_norm_momentum", momentum)
        _check(epsilon > 0, "batch_norm_epsilon > 0", "batch_norm_epsilon", epsilon)
        _check(0 <= self.dropout < 1, "0 <= dropout < 1", "dropout", self.dropout)
        _check(0 <= self.l2 < math.inf, "l2 >= 0", "l2", self.l2)

    @property
    def layers(self) -> int:
        """Number of hidden layers."""
        return len(self.units)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return {**asdict(self), "units": list(self.units)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the spec whose :meth:`to_json` gave ``fields``.

        >>> spec = NetworkSpec(4, 2, (8,))
        >>> NetworkSpec.from_json(spec.to_json()) == spec
        True
        """
        return cls(**{**fields, "units": tuple(fields["units"])})


@dataclass(frozen=True)
class OptimizerSpec:
    r"""An optimizer and its learning-rate decay, in the course's terms.

    Args:
        name: one of :data:`~tfcourse.space.names.OPTIMIZERS`.
        learning_rate: α > 0.
        momentum: β of gradient descent with momentum, in [0, 1); used by ``sgd`` only.
        nesterov: Nesterov's variant; used by ``sgd`` only.
        rho: β of RMSprop's moving average of squares, in [0, 1); used by ``rmsprop`` only.
        beta_1: β1 of Adam, in [0, 1).
        beta_2: β2 of Adam, in [0, 1).
        epsilon: ε > 0 of Adam and RMSprop; the course's 1e-8.
        weight_decay: decoupled weight decay per step, at least 0; used by ``adamw`` only.
        decay_rate: d of the learning-rate decay :math:`\alpha = \alpha_0 / (1 + d \cdot epoch)`, at least 0;
            epoch is counted from 0 and is ``step // decay_steps``.
        decay_steps: minibatches per epoch, at least 1.

    Raises:
        UserError: if a value breaks its rule.

    >>> OptimizerSpec("adam", learning_rate=0.01, decay_rate=1.0, decay_steps=10).learning_rate_at(25)
    0.0033333333333333335
    """

    name: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.0
    nesterov: bool = False
    rho: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    decay_rate: float = 0.0
    decay_steps: int = 1

    def __post_init__(self) -> None:
        _check(self.name in OPTIMIZERS, f"optimizer in {OPTIMIZERS}", "optimizer", self.name)
        _check(0 < self.learning_rate < math.inf, "learning_rate > 0", "learning_rate", self.learning_rate)
        for field in ("momentum", "rho", "beta_1", "beta_2"):
            value = getattr(self, field)
            _check(0 <= value < 1, f"0 <= {field} < 1", field, value)
        _check(self.epsilon > 0, "epsilon > 0", "epsilon", self.epsilon)
        _check(0 <= self.weight_decay < math.inf, "weight_decay >= 0", "weight_decay", self.weight_decay)
        _check(0 <= self.decay_rate < math.inf, "decay_rate >= 0", "decay_rate", self.decay_rate)
        _check(self.decay_steps >= 1, "decay_steps >= 1", "decay_steps", self.decay_steps)

    def learning_rate_at(self, step: int) -> float:
        """Return α at minibatch ``step``, counted from 0."""
        return self.learning_rate / (1.0 + self.decay_rate * (step // self.decay_steps))

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the spec whose :meth:`to_json` gave ``fields``."""
        return cls(**fields)


def network_from_values(values: Mapping[str, Any], *, inputs: int, classes: int) -> NetworkSpec:
    """Return the network that a trial's values describe.

    ``layers`` picks among ``units_1``, ``units_2``, ...; or all have ``width`` units.

    >>> network_from_values({"layers": 2, "units_1": 60, "units_2": 70}, inputs=4, classes=3).units
    (60, 70)
    >>> network_from_values({"layers": 2, "width": 128}, inputs=4, classes=3).units
    (128, 128)
    """
    layers = range(1, int(values["layers"]) + 1)
    units = tuple(int(values["width"] if "width" in values else values[f"units_{layer}"]) for layer in layers)
    names = ("activation", "normalize", "batch_norm_momentum", "dropout", "l2")
    return NetworkSpec(inputs, classes, units, **{name: values[name] for name in names if name in values})


def optimizer_from_values(values: Mapping[str, Any], *, steps_per_epoch: int) -> OptimizerSpec:
    """Return the optimizer that a trial's values describe.

    >>> optimizer_from_values({"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9}, steps_per_epoch=9).name
    'sgd'
    """
    names = (
        "learning_rate", "momentum", "nesterov", "rho", "beta_1", "beta_2", "epsilon", "weight_decay",
    )  # fmt: skip
    return OptimizerSpec(
        values["optimizer"],
        decay_rate=values.get("learning_rate_decay", 0.0),
        decay_steps=steps_per_epoch,
        **{name: values[name] for name in names if name in values},
    )
