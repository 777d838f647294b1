"""A trial's setting on the hyperparameters' own scales."""

from __future__ import annotations

from collections.abc import Sequence

from tfcourse.run.trials import TrialRecord
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.objective import Objective


def is_free(parameter: Parameter) -> bool:
    """Say whether a parameter can vary: it has a range or more than one choice."""
    return parameter.scale != "choice" or len(parameter.values) > 1


def free(space: SearchSpace) -> list[Parameter]:
    """Return the parameters that can vary."""
    return [parameter for parameter in space if is_free(parameter)]


def position(parameter: Parameter, trial: TrialRecord) -> float | None:
    """Return where a trial's value lies on the parameter's scale: 0 at its low end, 1 at its high one.

    A value from outside the space, that a person gave, lies beyond; None if the parameter is not active in the trial
    or its value has no place on the scale.

    >>> trial = TrialRecord(0, "completed", {"learning_rate": 0.01})
    >>> position(Parameter("learning_rate", "log", 1e-4, 1.0), trial)
    0.5
    """
    if parameter.name not in trial.values:
        return None
    value = trial.values[parameter.name]
    try:
        p = parameter.to_unit(value)
    except (ValueError, TypeError, ArithmeticError):
        return None
    return p if -10.0 < p < 10.0 else None


def ended(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trials that completed or diverged: those whose setting says something."""
    return [trial for trial in trials if trial.status == "diverged" or is_scored(trial)]


def is_scored(trial: TrialRecord) -> bool:
    """Say whether a trial completed and has a score."""
    return trial.status == "completed" and trial.score is not None


def comparable_costs(trials: Sequence[TrialRecord], objective: str) -> tuple[dict[int, float], int | None]:
    """Return the cost of each scored trial by its number, low being good, and the epochs that it is the best of.

    Where halving ended some trials early all are compared by their best until then: a trial of four epochs beside one
    of thirty would be the worse one for its epochs, not for its setting. The epochs are None where none was ended.
    """
    sign = Objective(objective).sign
    until = min((trial.halved_at for trial in trials if trial.halved_at is not None), default=None)
    scored = [trial for trial in trials if is_scored(trial)]
    if until is None:
        return {trial.number: sign * float(trial.score or 0.0) for trial in scored}, None
    return {t.number: min(sign * value for value in t.curves[objective][:until]) for t in scored}, until


def epochs_said(until: int | None) -> str:
    """Return by which epochs trials are compared, to stand behind them in a sentence.

    >>> epochs_said(4), epochs_said(1), epochs_said(None)
    (', compared by their first 4 epochs,', ', compared by their first epoch,', '')
    """
    if until is None:
        return ""
    return f", compared by their first {f'{until} epochs' if until > 1 else 'epoch'},"
