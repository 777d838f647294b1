"""The hyperparameters there are, by kind of network, and what each may be at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tfcourse.space.names import ACTIVATIONS, CONV, MLP, OPTIMIZERS
from tfcourse.space.parameter import Value
from tfcourse.space.search_space import SearchSpace


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
    "width": Known("integer", 1, 8192),
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
"""Every hyperparameter of a fully connected network, in the order of importance in which the course names them."""

KNOWN_OF_IMAGES: dict[str, Known] = {
    "learning_rate": KNOWN["learning_rate"],
    "momentum": _BETA,
    "rho": _BETA,
    "beta_1": _BETA,
    "beta_2": _BETA,
    "filters": Known("integer", 1, 1024),
    "batch_size": KNOWN["batch_size"],
    "blocks": Known("integer", 1, 8),
    "dense_units": Known("integer", 0, 8192),
    "learning_rate_decay": KNOWN["learning_rate_decay"],
    "optimizer": KNOWN["optimizer"],
    "dropout": KNOWN["dropout"],
    "shift": Known("linear", 0.0, 1.0, open_high=True),
    "flip": Known("choice", choices=(False, True)),
    "kernel": Known("integer", 1, 15),
    "epsilon": KNOWN["epsilon"],
    "weight_decay": KNOWN["weight_decay"],
    "nesterov": KNOWN["nesterov"],
    "activation": KNOWN["activation"],
    "batch_norm_momentum": _BETA,
}
"""Every hyperparameter of a convolutional network, in the same order."""

KNOWN_OF: dict[str, dict[str, Known]] = {MLP: KNOWN, CONV: KNOWN_OF_IMAGES}
"""By kind of network."""
RANGE_STAYS = ("batch_size", "blocks")
"""The rows and the size of an image bound them; a later round does not go beyond what was given."""


def known(name: str) -> Known | None:
    """Return what is known of a hyperparameter of any network, ``units_2`` being one of ``units``.

    >>> known("units_2") == KNOWN["units"], known("colour") is None
    (True, True)
    """
    base = base_name(name)
    return KNOWN.get(base) or KNOWN_OF_IMAGES.get(base)


def base_name(name: str) -> str:
    """Return under which name a hyperparameter is known.

    >>> base_name("units_2"), base_name("dropout")
    ('units', 'dropout')
    """
    return "units" if name.startswith("units_") else name


def limits_of(space: SearchSpace) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest value that makes sense for each parameter with a range.

    >>> from tfcourse.space.course import default_space
    >>> limits_of(default_space())["units_1"]
    (1, 8192)
    """
    limits = {}
    for parameter in space:
        found = known(parameter.name)
        if found is not None and parameter.scale != "choice" and parameter.name not in RANGE_STAYS:
            high = math.nextafter(found.high, 0.0) if found.open_high else found.high
            limits[parameter.name] = (found.low, high)
    return limits
