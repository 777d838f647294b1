"""Changes as they are written on a command line, such as ``learning_rate=0.003``, and what each may be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tfcourse.errors import UserError, did_you_mean
from tfcourse.space.known import KNOWN, Known

Changes = dict[str, Any]
_EPOCHS = Known("integer", 1)
LIVE: dict[str, Known] = {
    **{
        name: KNOWN[name]
        for name in (
            "learning_rate", "learning_rate_decay", "momentum", "rho", "beta_1", "beta_2", "weight_decay", "dropout",
        )
    },
    "batch_size": Known("integer", 1),
    "patience": _EPOCHS,
    "epochs": _EPOCHS,
}  # fmt: skip
"""What can be changed while a model trains, and what each may be."""
LIMITS = ("patience", "epochs")
"""By these a training ends; each can be off."""


def parse_pairs(words: Sequence[str], flag: str, allowed: Sequence[str]) -> dict[str, str]:
    """Return the names and texts of words such as ``dropout=0.2``.

    Raises:
        UserError: if a word is no such pair, its name is not allowed, or a name comes twice.

    >>> parse_pairs(["dropout=0.2"], "set", ["dropout"])
    {'dropout': '0.2'}
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"{flag}: {word!r} was given; give NAME=VALUE, such as learning_rate=0.003.")
        if name not in allowed:
            raise UserError(
                f"{flag}: {name!r} cannot be set here.{did_you_mean(name, allowed)} Allowed are {', '.join(allowed)}."
            )
        if name in found:
            raise UserError(f"{flag}: {name} was given twice; give it once.")
        found[name] = text
    return found


def parse_changes(words: Sequence[str], flag: str = "set") -> Changes:
    """Return the changes that words such as ``learning_rate=0.003 patience=off`` ask for.

    Raises:
        UserError: if a name is unknown or a value is out of range; it says what is allowed.

    >>> parse_changes(["learning_rate=0.003", "patience=off", "batch_size=64"])
    {'learning_rate': 0.003, 'patience': None, 'batch_size': 64}
    """
    changes = {name: _value(name, text, flag) for name, text in parse_pairs(words, flag, list(LIVE)).items()}
    check_values(changes)
    return changes


def _value(name: str, text: str, flag: str) -> int | float | None:
    if name in LIMITS and text == "off":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        off = " or off" if name in LIMITS else ""
        raise UserError(f"{flag}: {name}={text} was given; allowed are {LIVE[name].allowed}{off}.")
    whole = LIVE[name].scale == "integer" and value == int(value)
    return int(value) if whole else value


def check_values(changes: Mapping[str, Any]) -> None:
    """Refuse a change whose name is unknown or whose value is out of its range."""
    if not changes:
        raise UserError("No change was given; give NAME=VALUE, such as learning_rate=0.003.")
    for name, value in changes.items():
        if name not in LIVE:
            raise UserError(f"{name!r} cannot be changed while a model trains. Allowed are {', '.join(LIVE)}.")
        if value is None and name in LIMITS:
            continue
        if not LIVE[name].admits(value):
            off = " or off" if name in LIMITS else ""
            raise UserError(f"{name} = {value} was given; allowed are {LIVE[name].allowed}{off}.")
