"""Successive halving inside a bracket of trials: many for few epochs, the better third goes on.

Jamieson and Talwalkar (2016). The decision is a pure function of the learning curves of all trials of the bracket,
ended ones included, so that a search that was stopped in the middle of a bracket decides as it would have done.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

ETA = 3
"""One in this many trials goes on at each rung."""
RUNGS = 3


def rungs(epochs: int) -> list[int]:
    """Return the epochs after which trials are compared, and the last epoch.

    >>> rungs(30), rungs(10), rungs(2)
    ([4, 10, 30], [2, 4, 10], [1, 2])
    """
    return sorted({math.ceil(epochs / ETA**rung) for rung in range(RUNGS)})


def in_words(epochs: int) -> str:
    """Return who trains for how many epochs, as a sentence for the terminal.

    >>> in_words(30)
    'Epochs: 4 for all trials, 10 for the better third, 30 for the best ninth'
    >>> in_words(2)
    'Epochs: 1 for all trials, 2 for the better third'
    """
    whom = ("all trials", "the better third", "the best ninth")
    return "Epochs: " + ", ".join(f"{count} for {who}" for count, who in zip(rungs(epochs), whom, strict=False))


def going_on(curves: Mapping[int, Sequence[float]], rung: int, epoch: int, *, higher_is_better: bool) -> set[int]:
    """Return the trials of a bracket that may train beyond a rung: the best by the objective until then.

    Args:
        curves: the objective of every trial of the bracket, one value an epoch; a trial that diverged has what it had.
        rung: which rung, from 0.
        epoch: the epochs trained at that rung.
        higher_is_better: whether the objective is an accuracy.

    >>> sorted(going_on({0: [0.9, 0.8], 1: [0.5, 0.7], 2: [0.6, 0.4], 3: []}, 0, 2, higher_is_better=False))
    [1, 2]
    """
    sign = -1.0 if higher_is_better else 1.0
    best = {trial: min((sign * value for value in curve[:epoch]), default=math.inf) for trial, curve in curves.items()}
    ranked = sorted((score, trial) for trial, score in best.items() if score < math.inf)
    return {trial for _, trial in ranked[: math.ceil(len(curves) / ETA ** (rung + 1))]}
