"""The classifier's parameters as the command's options, and the command's messages in the classifier's words."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfcourse.errors import UserError
from tfcourse.train import build_parser

KEPT_BACK = ("out", "random_state", "space", "verbose")
"""Parameters that are no option, or that are given in another way."""
_WORDS = {
    "data": "X", "test-data": "X", "target": "y", "group": "groups", "weight": "sample_weight", "single": "folds=1",
    "seed": "random_state",
}  # fmt: skip
_OPTION = re.compile(r"(?:argument )?--(no-)?([a-z]+(?:-[a-z]+)*)")
_HELP = re.compile(r" See python -m \S+ --help\.")


def flags_of(parameters: Mapping[str, Any]) -> list[str]:
    """Return parameters as they would be given on the command line.

    >>> flags_of({"trials": 4, "batch_size": (32, 64), "budget": 90, "epochs": None, "halving": False, "out": "run"})
    ['--trials=4', '--batch-size', '32', '64', '--budget=90s', '--no-halving']
    """
    words: list[str] = []
    for name, value in parameters.items():
        if value is None or name in KEPT_BACK:
            continue
        option = name.replace("_", "-")
        if name in ("halving", "calibrate", "portfolio") and isinstance(value, bool | np.bool_):
            words.append(f"--{'' if value else 'no-'}{option}")
            continue
        if name == "budget" and not isinstance(value, str):
            value = f"{value}s"
        if not isinstance(value, list | tuple | np.ndarray):
            words.append(f"--{option}={value}")
        elif len(value):
            words += [f"--{option}", *map(str, value)]
    return words


def toml_of(entries: Mapping[str, Any]) -> str:
    """Return what changes in a space as the TOML file that would say so.

    >>> print(toml_of({"dropout": 0.0, "optimizer": ["adam", "sgd"], "layers": {"low": 1, "high": 2}}), end="")
    dropout = 0.0
    optimizer = ["adam", "sgd"]
    layers = { low = 1, high = 2 }
    """

    def written(value: Any) -> str:
        if isinstance(value, Mapping):
            return "{ " + ", ".join(f"{name} = {written(each)}" for name, each in value.items()) + " }"
        return json.dumps(value)  # of texts, numbers, truth values and lists the same

    return "".join(f"{name} = {written(value)}\n" for name, value in entries.items())


def given_by(flags: list[str]) -> dict[str, Any]:
    """Return the options that a command line gives, by name.

    Raises:
        UserError: if the command refuses one; it says what is allowed.

    >>> given_by(["--trials", "4", "--budget", "2m"])
    {'trials': 4, 'budget': 120.0}
    """
    return vars(build_parser().parse_args(flags))


@contextlib.contextmanager
def in_own_words() -> Iterator[None]:
    """Say in the classifier's words what the command would say of its options.

    >>> with in_own_words():
    ...     given_by(["--trials", "0"])
    Traceback (most recent call last):
    tfcourse.errors.UserError: trials: '0' was given; allowed are whole numbers from 1.
    """
    try:
        yield
    except UserError as error:
        said, command, rest = _HELP.sub("", str(error)).partition("python -m ")
        raise UserError(_OPTION.sub(_in_own_word, said) + command + rest) from None


def _in_own_word(found: re.Match[str]) -> str:
    name = _WORDS.get(found[2], found[2].replace("-", "_"))
    return f"{name}=False" if found[1] else name
