"""Read a search space from a TOML file: what to change in the course's default space.

.. code-block:: toml

    dropout = 0.0                      # a single value fixes the parameter
    optimizer = ["adam", "sgd"]        # a list gives its choices

    [learning_rate]                    # a table gives its range, and its scale if another than usual
    low = 1e-3
    high = 0.1
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError, did_you_mean
from tfcourse.files.toml_file import read_toml
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import KNOWN, build_space

_RANGE_KEYS = ("low", "high", "scale")
_CONTINUOUS = ("linear", "log", "one_minus_log")


def read_space(path: Path | str | Mapping[str, Any]) -> SearchSpace:
    """Return the default space changed by the TOML file at ``path``, or by what such a file would hold.

    Raises:
        UserError: if the file cannot be read, or naming the key, what was given and what is allowed.
    """
    return space_from_toml(path if isinstance(path, Mapping) else read_toml(path, "--space"))


def space_from_toml(entries: Mapping[str, Any]) -> SearchSpace:
    """Return the default space changed by parsed TOML entries.

    Raises:
        UserError: naming the key, what was given and what is allowed.

    >>> space_from_toml({"dropout": 0.0, "optimizer": ["adam", "sgd"]})["optimizer"].values
    ('adam', 'sgd')
    """
    space = build_space({name: _parameter(name, entry) for name, entry in entries.items()})
    for name in entries:
        if name != "units" and name not in space.names:
            optimizers = ", ".join(map(repr, space["optimizer"].values))
            raise UserError(
                f"--space: {name} plays no part with optimizer = {optimizers}; leave it out or add another."
            )
    return space


def _parameter(name: str, entry: Any) -> Parameter:
    if name not in KNOWN:
        raise UserError(
            f"--space: {name!r} is not a hyperparameter.{did_you_mean(name, KNOWN)} Allowed are {', '.join(KNOWN)}."
        )
    if isinstance(entry, dict):
        return _range(name, entry)
    values = entry if isinstance(entry, list) else [entry]
    for value in values:
        _check(name, name, value)
    return _made(name, "choice", values=tuple(values))


def _range(name: str, entry: dict[str, Any]) -> Parameter:
    known = KNOWN[name]
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
        _check(f"{name}.{key}", name, entry[key])
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


def _check(key: str, name: str, value: Any) -> None:
    if not KNOWN[name].admits(value):
        raise UserError(f"--space: {key} = {value!r} was given; allowed are {KNOWN[name].allowed}.")
