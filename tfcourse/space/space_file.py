"""Read a search space from a TOML file: what to change in the course's default space.

.. code-block:: toml

    dropout = 0.0                      # a single value fixes the parameter
    optimizer = ["adam", "sgd"]        # a list gives its choices

    [learning_rate]                    # a table gives its range, and its scale if another than usual
    low = 1e-3
    high = 0.1

A file may be named ``wide``: then it is ``wide.toml`` beside this module.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError, did_you_mean
from tfcourse.files.toml_file import read_toml
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import build_space
from tfcourse.space.known import KNOWN_OF, Known
from tfcourse.space.names import MLP, WIDE

_RANGE_KEYS = ("low", "high", "scale")
_CONTINUOUS = ("linear", "log", "one_minus_log")


def read_space(path: Path | str | Mapping[str, Any], network: str = MLP) -> SearchSpace:
    """Return a network's default space changed by the TOML file at ``path``, or by what such a file would hold.

    Raises:
        UserError: if the file cannot be read, or naming the key, what was given and what is allowed.

    >>> read_space("wide")["width"].values
    (128, 256)
    """
    return space_from_toml(_entries(path), network)


def names_in_space(path: Path | str | Mapping[str, Any]) -> tuple[str, ...]:
    """Return the hyperparameters that a TOML file, or what it would hold, names."""
    return tuple(_entries(path))


def _entries(path: Path | str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(path, Mapping):
        return path
    if str(path) == WIDE:
        return tomllib.loads((files("tfcourse.space") / f"{WIDE}.toml").read_text(encoding="utf-8"))
    return read_toml(path, "--space")


def space_from_toml(entries: Mapping[str, Any], network: str = MLP) -> SearchSpace:
    """Return a network's default space changed by parsed TOML entries.

    Raises:
        UserError: naming the key, what was given and what is allowed.

    >>> space_from_toml({"dropout": 0.0, "optimizer": ["adam", "sgd"]})["optimizer"].values
    ('adam', 'sgd')
    """
    if "units" in entries and "width" in entries:
        raise UserError("--space: units and width are both given; width is the units of every hidden layer. Give one.")
    space = build_space({name: _parameter(name, entry, network) for name, entry in entries.items()}, network)
    for name in entries:
        if name != "units" and name not in space.names:
            optimizers = ", ".join(map(repr, space["optimizer"].values))
            raise UserError(
                f"--space: {name} plays no part with optimizer = {optimizers}; leave it out or add another."
            )
    return space


def _parameter(name: str, entry: Any, network: str) -> Parameter:
    there = KNOWN_OF[network]
    if name not in there:
        other = next((kind for kind, known in KNOWN_OF.items() if name in known), None)
        what = f"not a hyperparameter.{did_you_mean(name, there)}"
        if other is not None:
            what = f"for --network {other}, not for --network {network}."
        raise UserError(f"--space: {name!r} is {what} Allowed are {', '.join(there)}.")
    if isinstance(entry, dict):
        return _range(name, entry, there[name])
    values = entry if isinstance(entry, list) else [entry]
    for value in values:
        _check(name, there[name], value)
    return _made(name, "choice", values=tuple(values))


def _range(name: str, entry: dict[str, Any], known: Known) -> Parameter:
    if known.choices:
        raise UserError(f"--space: {name} has no range; give a list of choices, each {known.allowed}.")
    for key in entry:
        if key not in _RANGE_KEYS:
            raise UserError(
                f"--space: {name}.{key} is not a setting.{did_you_mean(key, _RANGE_KEYS)}"
                f" Allowed are {', '.join(_RANGE_KEYS)}; a single value or a list of values needs no table."
            )
    for key in ("low", "high"):
        if key not in entry:
            raise UserError(f"--space: {name}.{key} is missing; a range needs low and high.")
        _check(f"{name}.{key}", known, entry[key])
    scale = entry.get("scale", known.scale)
    scales = ("integer",) if known.scale == "integer" else _CONTINUOUS
    if scale not in scales:
        near = did_you_mean(str(scale), scales)
        raise UserError(f"--space: {name}.scale = {scale!r} was given; allowed are {', '.join(scales)}.{near}")
    return _made(name, scale, entry["low"], entry["high"])


def _made(*fields: Any, **values: Any) -> Parameter:
    try:
        return Parameter(*fields, **values)
    except UserError as error:
        raise UserError(f"--space: {error}") from None


def _check(key: str, known: Known, value: Any) -> None:
    if not known.admits(value):
        raise UserError(f"--space: {key} = {value!r} was given; allowed are {known.allowed}.")
