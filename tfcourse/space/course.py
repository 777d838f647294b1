"""The default spaces: the course's, of fully connected networks (slides A1, A4-A6), and that of convolutional ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tfcourse.space import Parameter, SearchSpace, Value
from tfcourse.space.names import CONV, MLP

_PARENTS: dict[str, tuple[str, tuple[Value, ...]]] = {
    "momentum": ("optimizer", ("sgd",)),
    "nesterov": ("optimizer", ("sgd",)),
    "rho": ("optimizer", ("rmsprop",)),
    "beta_1": ("optimizer", ("adam", "adamw")),
    "beta_2": ("optimizer", ("adam", "adamw")),
    "weight_decay": ("optimizer", ("adamw",)),
}

_DEFAULTS: dict[str, tuple[Parameter, ...]] = {
    MLP: (
        Parameter("learning_rate", "log", 1e-4, 1.0),
        Parameter("optimizer", "choice", values=("sgd", "rmsprop", "adam")),
        Parameter("momentum", "one_minus_log", 0.9, 0.999),
        Parameter("rho", "one_minus_log", 0.9, 0.999),
        Parameter("beta_1", "one_minus_log", 0.9, 0.999),
        Parameter("layers", "integer", 2, 4),
        Parameter("units", "integer", 50, 100),
        Parameter("learning_rate_decay", "log", 1e-3, 1.0),
        Parameter("dropout", "linear", 0.0, 0.5),
    ),
    CONV: (
        Parameter("learning_rate", "log", 1e-4, 1e-1),
        Parameter("optimizer", "choice", values=("sgd", "adam")),
        Parameter("momentum", "one_minus_log", 0.9, 0.99),
        Parameter("blocks", "integer", 1, 3),
        Parameter("filters", "choice", values=(8, 16, 32)),
        Parameter("dense_units", "choice", values=(0, 32, 64, 128)),
        Parameter("learning_rate_decay", "log", 1e-3, 1.0),
        Parameter("dropout", "linear", 0.0, 0.5),
        Parameter("shift", "choice", values=(0.0, 0.05, 0.1)),
    ),
}


def build_space(changes: Mapping[str, Parameter], network: str = MLP) -> SearchSpace:
    """Return a kind of network's default space with the parameters in ``changes`` put in or replaced.

    ``units`` stands for every hidden layer and becomes ``units_1``, ``units_2``, ...; ``width``, one number for all of
    them, takes its place. Parents are filled in, and what no optimizer of the space has is left out.

    >>> build_space({"layers": Parameter("layers", "choice", values=(1,))}).names[-3:]
    ('units_1', 'learning_rate_decay', 'dropout')
    >>> build_space({}, "conv").names[3:6]
    ('blocks', 'filters', 'dense_units')
    """
    parameters: list[Parameter] = []
    chosen = {parameter.name: parameter for parameter in _DEFAULTS[network]} | dict(changes)
    if "width" in changes:
        chosen.pop("units", None)
    depths = whole_values(chosen["layers"]) if "layers" in chosen else ()
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


def default_space(network: str = MLP) -> SearchSpace:
    """Return what to tune, and on which scale: the course's space (slides A1, A4-A6), or that of another network.

    >>> print(", ".join(default_space().names[:5]))
    learning_rate, optimizer, momentum, rho, beta_1
    """
    return build_space({}, network)


def whole_values(parameter: Parameter) -> tuple[int, ...]:
    """Return the values that a parameter of whole numbers may have.

    >>> whole_values(Parameter("layers", "integer", 2, 4))
    (2, 3, 4)
    """
    return tuple(map(int, parameter.values or range(int(parameter.low), int(parameter.high) + 1)))


def depths(space: SearchSpace) -> tuple[int, int]:
    """Return the fewest and the most hidden layers that a network of the space may have.

    >>> depths(default_space())
    (2, 4)
    """
    found = whole_values(space["layers"])
    return min(found), max(found)


def widths(space: SearchSpace) -> tuple[int, ...]:
    """Return the widths that networks of the space may have where a choice gives one to all layers, the least first.

    >>> widths(build_space({"width": Parameter("width", "choice", values=(256, 64))})), widths(default_space())
    ((64, 256), ())
    """
    return tuple(sorted(map(int, space["width"].values))) if "width" in space.names else ()


def most_units(space: SearchSpace) -> int:
    """Return the most units that a hidden layer of the space may have.

    >>> most_units(default_space())
    100
    """
    units = [each for each in space if each.name == "width" or each.name.startswith("units_")]
    return max(int(max(each.values, default=each.high)) for each in units)
