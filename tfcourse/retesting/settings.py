"""Which settings a retest trains: the leaders of the run, and a fresh random sample of its space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfcourse.errors import UserError
from tfcourse.run.trials import TrialRecord, leaders
from tfcourse.space import SearchSpace, Value

FRESH_SETTINGS = 8
FIRST_FRESH_TRIAL = 1_000_000
"""Fresh settings are drawn as the trials from this number on, which no run has reached."""


@dataclass(frozen=True)
class Setting:
    """One setting of the hyperparameters.

    Args:
        name: ``trial 12`` of the run, or ``fresh 3``.
        values: its active hyperparameters.
        old_score: the run's objective, None for a fresh one.
    """

    name: str
    values: dict[str, Value]
    old_score: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the setting JSON-ready."""
        return {"name": self.name, "hyperparameters": self.values, "old_score": self.old_score}


def leading_settings(trials: Sequence[TrialRecord], objective: str, top: int, winner: int) -> list[Setting]:
    """Return the winner of the run and then its next best settings, at most ``top`` in all.

    Args:
        trials: of the run.
        objective: ``val_loss`` or ``val_accuracy``.
        top: how many.
        winner: number of the trial whose model was exported.

    Raises:
        UserError: if the winner is not among the completed trials.
    """
    ordered = leaders(list(trials), objective)
    first = [trial for trial in ordered if trial.number == winner]
    if not first:
        raise UserError(
            f"Trial {winner}, the winner of the run, is not among its completed trials; search/ is damaged."
        )
    chosen = (first + [trial for trial in ordered if trial.number != winner])[:top]
    return [Setting(f"trial {trial.number}", trial.values, trial.score) for trial in chosen]


def fresh_settings(space: SearchSpace, count: int, seed: int, known: Sequence[Setting] = ()) -> list[Setting]:
    """Return up to ``count`` random settings of the space that differ from each other and from the ``known`` ones.

    A space of a few choices may hold no more of them.
    """
    from tfcourse.search.oracle import unit_draw

    tried = [setting.values for setting in known]
    fresh: list[Setting] = []
    for attempt in range(4 * count):
        if len(fresh) == count:
            break
        point = {name: unit_draw(seed, FIRST_FRESH_TRIAL + attempt, name) for name in space.names}
        values = space.values_at(point)
        if values not in tried:
            tried.append(values)
            fresh.append(Setting(f"fresh {len(fresh) + 1}", values))
    return fresh
