"""Searches that never ran: trials with known answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfcourse.course_space import default_space
from tfcourse.run.trials import TrialRecord, leaders
from tfcourse.space import Parameter, SearchSpace, Value

TWO = SearchSpace((Parameter("learning_rate", "log", 1e-4, 1.0), Parameter("dropout", "linear", 0.0, 0.5)))

Score = Callable[[dict[str, float], dict[str, Value], np.random.Generator], float]


def search(
    n: int, score: Score, *, space: SearchSpace | None = None, seed: int = 0, number: int = 0, first: int = 0
) -> list[TrialRecord]:
    """Return n completed trials drawn from a space, scored by their place in the unit cube and their values.

    A score that is not finite makes the trial a diverged one.
    """
    space, random, trials = space or default_space(), np.random.default_rng(seed), []
    for index in range(first, first + n):
        point = {name: float(random.random()) for name in space.names}
        values = space.values_at(point)
        value = score(point, values, random)
        done = np.isfinite(value)
        trials.append(
            TrialRecord(index, "completed" if done else "diverged", values, score=value if done else None, round=number)
        )
    return trials


def noise(point: dict[str, float], values: dict[str, Value], random: np.random.Generator) -> float:
    """Return a score that no hyperparameter has a part in."""
    return float(random.random())


def ranked(trials: Sequence[TrialRecord], objective: str = "val_loss") -> list[TrialRecord]:
    """Return the completed trials, the best first."""
    return leaders(list(trials), objective)
