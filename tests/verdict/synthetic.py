"""Searches that never ran: trials with known answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tfcourse.run.trials import TrialRecord, leaders
from tfcourse.space import Parameter, SearchSpace, Value
from tfcourse.space.course import default_space

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


def thinned(trials: Sequence[TrialRecord], early: Callable[[TrialRecord], float], until: int = 4) -> list[TrialRecord]:
    """Return the trials as halving leaves them: all had ``until`` epochs, the third with the best early loss 30.

    Whoever went on has a loss below everyone else's in the end, by its score as it was.
    """
    losses = {trial.number: early(trial) for trial in trials}
    on = sorted(losses, key=lambda number: losses[number])[: len(losses) // 3]
    found = []
    for trial in trials:
        first, goes_on = [losses[trial.number] + 1.0] * (until - 1) + [losses[trial.number]], trial.number in on
        end = float(trial.score or 0.0) - 10.0
        curve = [*first, *[end] * (30 - until)] if goes_on else first
        found.append(replace(trial, curves={"val_loss": curve}, score=min(curve), halved_at=None if goes_on else until))
    return found


def noise(point: dict[str, float], values: dict[str, Value], random: np.random.Generator) -> float:
    """Return a score that no hyperparameter has a part in."""
    return float(random.random())


def ranked(trials: Sequence[TrialRecord], objective: str = "val_loss") -> list[TrialRecord]:
    """Return the completed trials, the best first."""
    return leaders(list(trials), objective)
