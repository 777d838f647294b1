"""A trial's setting on the hyperparameters' own scales."""

from __future__ import annotations

from collections.abc import Sequence

from tfcourse.course_space import KNOWN, Known
from tfcourse.run.trials import TrialRecord
from tfcourse.space import Parameter, SearchSpace


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


def known(name: str) -> Known | None:
    """Return what is known of a hyperparameter, ``units_2`` being one of ``units``."""
    return KNOWN.get("units" if name.startswith("units_") else name)
