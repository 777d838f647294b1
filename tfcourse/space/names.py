"""Names that files, specs and search spaces share: activations, optimizers, kinds of networks, a diverged trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACTIVATIONS = ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh", "sigmoid", "softplus", "linear")
OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw")
MLP, CONV = "mlp", "conv"
NETWORKS = (MLP, CONV)
"""Kinds of networks: fully connected ones, and convolutional ones for images."""
WIDE = "wide"
"""The space of larger networks, to be named where a file of a space is."""
OWN, PORTFOLIO = "own", "portfolio"
"""Who gave the setting of a trial that was not drawn: the user, or the portfolio."""
ONE_MINUS = "one_minus_"
"""KerasTuner has no scale of 1 − β, so that β is declared to it under this prefix."""
DIVERGED = "diverged"
"""What a trial's file says of a trial that diverged; for people its message begins with it."""


def has_diverged(notes: Mapping[str, Any], message: str | None) -> bool:
    """Say whether a trial's file tells that it diverged; files of older runs tell it by the message alone.

    >>> has_diverged({"diverged": False}, "diverged"), has_diverged({}, "diverged: in epoch 1"), has_diverged({}, None)
    (False, True, False)
    """
    return bool(notes.get(DIVERGED, (message or "").startswith(DIVERGED)))


def values_from_hp(hp_values: Mapping[str, Any]) -> dict[str, Any]:
    """Return KerasTuner's values under the space's names: ``one_minus_momentum`` 0.01 is ``momentum`` 0.99.

    >>> values_from_hp({"layers": 2, "one_minus_momentum": 0.01})
    {'layers': 2, 'momentum': 0.99}
    """
    return {
        name.removeprefix(ONE_MINUS): 1.0 - value if name.startswith(ONE_MINUS) else value
        for name, value in hp_values.items()
    }
