"""Read the settings that a user wants tried before any draw: ``--first FILE.toml``.

.. code-block:: toml

    [[setting]]
    optimizer = "adam"
    learning_rate = 0.001
    units = 64                   # of every hidden layer; or units_1 = 80, units_2 = 50
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError, did_you_mean
from tfcourse.files.toml_file import read_toml
from tfcourse.space import SearchSpace, Value


def read_first_settings(path: Path | str, space: SearchSpace) -> list[dict[str, Value]]:
    """Return the settings in a TOML file, each a value for some of the space's parameters.

    Raises:
        UserError: if the file cannot be read or a setting does not fit the space; it says what is allowed.
    """
    entries = read_toml(path, "--first")
    settings = entries.get("setting")
    if not isinstance(settings, list) or set(entries) != {"setting"} or not all(isinstance(s, dict) for s in settings):
        raise UserError(f"--first: {str(path)!r} must hold tables headed [[setting]] and nothing else.")
    return [_setting(number, setting, space) for number, setting in enumerate(settings, 1)]


def _setting(number: int, given: Mapping[str, Any], space: SearchSpace) -> dict[str, Value]:
    setting: dict[str, Value] = {}
    for name, value in given.items():
        every = [each for each in space.names if each.startswith("units_")] if name == "units" else []
        for each in every or [name]:
            if each not in space.names:
                raise UserError(
                    f"--first: setting {number}: {name!r} is not searched.{did_you_mean(name, space.names)}"
                    f" Allowed are {', '.join(space.names)}; add others with --space."
                )
            parameter = space[each]
            kind = (int,) if parameter.scale == "integer" else (int, float)
            right = parameter.scale == "choice" or (isinstance(value, kind) and not isinstance(value, bool))
            if not right or not parameter.contains(value):
                allowed = (
                    f"one of {', '.join(map(repr, parameter.values))}"
                    if parameter.scale == "choice"
                    else f"{parameter.low:g} to {parameter.high:g}"
                )
                raise UserError(
                    f"--first: setting {number}: {name} = {value!r} was given, but the space allows {allowed};"
                    " widen it with --space."
                )
            setting[each] = value
    inactive = [name for name in given if name != "units" and name not in completed_setting(space, setting)]
    if inactive:
        parent = space[inactive[0]].parent
        raise UserError(
            f"--first: setting {number}: {inactive[0]!r} plays no part with {parent} ="
            f" {completed_setting(space, setting)[parent]!r}; leave it out or change {parent}."
        )
    return setting


def completed_setting(space: SearchSpace, setting: Mapping[str, Value]) -> dict[str, Value]:
    """Return a setting with the active parameters that it leaves out in the middle of their ranges.

    >>> from tfcourse.space.course import default_space
    >>> completed_setting(default_space(), {"optimizer": "adam", "layers": 2})["learning_rate"]
    0.01
    """
    values: dict[str, Value] = {}
    for parameter in space:
        if parameter.active(values):
            values[parameter.name] = setting.get(parameter.name, parameter.from_unit(0.5))
    return values
