"""Settings that together were good on many tables, tried before any draw: ``portfolio.toml``.

``scripts/benchmarks/portfolio.py`` chose them and writes the file, which is one for ``--first`` too.
"""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files

from tfcourse.space.parameter import Value
from tfcourse.space.search_space import SearchSpace


def portfolio(space: SearchSpace) -> list[dict[str, Value]]:
    """Return those of the settings that lie in a space, the one first that alone is best on most tables.

    A setting lies in a space that has all of its hyperparameters and allows their values.

    >>> from tfcourse.space.course import default_space
    >>> len(portfolio(default_space())), portfolio(default_space("conv"))
    (8, [])
    """
    return [dict(setting) for setting in _shipped() if _lies_in(setting, space)]


@functools.cache
def _shipped() -> list[dict[str, Value]]:
    text = (files("tfcourse.space") / "portfolio.toml").read_text(encoding="utf-8")
    settings: list[dict[str, Value]] = tomllib.loads(text)["setting"]
    return settings


def _lies_in(setting: dict[str, Value], space: SearchSpace) -> bool:
    return all(name in space.names and space[name].contains(value) for name, value in setting.items())
