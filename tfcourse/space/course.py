"""The hyperparameters there are, what each may be, and the course's default space over them (slides A1, A4-A6)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tfcourse.space import Parameter, SearchSpace, Value
from tfcourse.space.names import ACTIVATIONS, OPTIMIZERS


@dataclass(frozen=True)
class Known:
    """What a hyperparameter may be at all: its usual scale and its outermost sensible values."""

    scale: str
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    choices: tuple[Value, ...] = ()

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return "one of " + ", ".join(map(repr, self.choices))
        whole = "whole numbers" if self.scale == "integer" else "numbers"
        from_low = f"{whole} {'above' if self.open_low else 'from'} {self.low:g}"
        return from_low if self.high == math.inf else f"{from_low} {'below' if self.open_high else 'to'} {self.high:g}"

    def admits(self, value: object) -> bool:
        """Say whether ``value`` is allowed."""
        if self.choices:
            return any(value == choice and type(value) is type(choice) for choice in self.choices)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return False
        if self.scale == "integer" and value != int(value):
            return False
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)


_BETA = Known("one_minus_log", 0.0, 1.0, open_high=True)

KNOWN: dict[str, Known] = {
    "learning_rate": Known("log", 0.0, open_low=True),
    "momentum": _BETA,
    "rho": _BETA,
    "beta_1": _BETA,
    "beta_2": _BETA,
    "units": Known("integer", 1, 8192),
    "batch_size": Known("integer", 2),
    "layers": Known("integer", 1, 16),
    "learning_rate_decay": Known("log", 0.0),
    "optimizer": Known("choice", choices=OPTIMIZERS),
    "dropout": Known("linear", 0.0, 1.0, open_high=True),
    "epsilon": Known("log", 0.0, open_low=True),
    "l2": Known("log", 0.0),
    "weight_decay": Known("log", 0.0),
    "nesterov": Known("choice", choices=(False, True)),
    "activation": Known("choice", choices=ACTIVATIONS),
    "normalize": Known("choice", choices=("before", "after")),
    "batch_norm_momentum": _BETA,
}
"""Every hyperparameter there is, in the order of importance in which the course names them (slides A1)."""

_PARENTS: dict[str, tuple[str, tuple[Value, ...]]] = {
    "momentum": ("optimizer", ("sgd",)),
    "nesterov": ("optimizer", ("sgd",)),
    "rho": ("optimizer", ("rmsprop",)),
    "beta_1": ("optimizer", ("adam", "adamw")),
    "beta_2": ("optimizer", ("adam", "adamw")),
    "weight_decay": ("optimizer", ("adamw",)),
}

_DEFAULTS: dict[str, Parameter] = {
    "learning_rate": Parameter("learning_rate", "log", 1e-4, 1.0),
    "optimizer": Parameter("optimizer", "choice", values=("sgd", "rmsprop", "adam")),
    "momentum": Parameter("momentum", "one_minus_log", 0.9, 0.999),
    "rho": Parameter("rho", "one_minus_log", 0.9, 0.999),
    "beta_1": Parameter("beta_1", "one_minus_log", 0.9, 0.999),
    "layers": Parameter("layers", "integer", 2, 4),
    "units": Parameter("units", "integer", 50, 100),
    "learning_rate_decay": Parameter("learning_rate_decay", "log", 1e-3, 1.0),
    "dropout": Parameter("dropout", "linear", 0.0, 0.5),
}


def build_space(changes: Mapping[str, Parameter]) -> SearchSpace:
    """Return the default space with the parameters in ``changes`` put in or replaced.

    ``units`` stands for every hidden layer and becomes ``units_1``, ``units_2``, ...; parents are filled in, and what
    no optimizer of the space has is left out.

    >>> build_space({"layers": Parameter("layers", "choice", values=(1,))}).names[-3:]
    ('units_1', 'learning_rate_decay', 'dropout')
    """
    parameters: list[Parameter] = []
    chosen = {**_DEFAULTS, **changes}
    layers = chosen["layers"]
    depths = [int(v) for v in layers.values] or list(range(int(layers.low), int(layers.high) + 1))
    for name, parameter in chosen.items():
        if name == "units":
            for layer in range(1, max(depths) + 1):
                active = tuple(depth for depth in depths if depth >= layer)
                always = len(active) == len(depths)
                parameters.append(
                    replace(
                        parameter,
                        name=f"units_{layer}",
                        parent="" if always else "layers",
                        parent_values=() if always else active,
                    )
                )
        else:
            parent, parent_values = _PARENTS.get(name, ("", ()))
            if parent and not any(chosen[parent].contains(value) for value in parent_values):
                continue  # rho, say, without RMSprop
            parameters.append(replace(parameter, parent=parent, parent_values=parent_values))
    return SearchSpace(tuple(parameters))


def default_space() -> SearchSpace:
    """Return the course's space (slides A1, A4-A6): what to tune, and on which scale.

    >>> print(", ".join(default_space().names[:5]))
    learning_rate, optimizer, momentum, rho, beta_1
    """
    return build_space({})


def limits_of(space: SearchSpace) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest value that makes sense for each parameter with a range.

    >>> limits_of(default_space())["units_1"]
    (1, 8192)
    """
    limits = {}
    for parameter in space:
        known = KNOWN["units" if parameter.name.startswith("units_") else parameter.name]
        if parameter.scale != "choice" and parameter.name != "batch_size":
            high = math.nextafter(known.high, 0.0) if known.open_high else known.high
            limits[parameter.name] = (known.low, high)
    return limits


def depths(space: SearchSpace) -> tuple[int, int]:
    """Return the fewest and the most hidden layers that a network of the space may have.

    >>> depths(default_space())
    (2, 4)
    """
    layers = space["layers"]
    found = [int(value) for value in layers.values] or [int(layers.low), int(layers.high)]
    return min(found), max(found)


def most_units(space: SearchSpace) -> int:
    """Return the most units that a hidden layer of the space may have.

    >>> most_units(default_space())
    100
    """
    units = [parameter for parameter in space if parameter.name.startswith("units_")]
    return max(int(max(parameter.values, default=parameter.high)) for parameter in units)
