"""What a retest needs of a run: its settings, how it reads the columns, its model, and its own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Features, features_from_json
from tfcourse.data.in_both import in_both
from tfcourse.data.sources import fingerprint_of
from tfcourse.errors import UserError
from tfcourse.retesting.folds import thinned
from tfcourse.retesting.new_data import NewData, read_new_data
from tfcourse.run.exported import load_exported
from tfcourse.run.folder import RunFolder
from tfcourse.run.trials import TrialRecord, leaders, read_trials
from tfcourse.space import SearchSpace, Value
from tfcourse.tuning.plan import Plan, plan_from_json


@dataclass(frozen=True)
class OldRun:
    """What a retest needs of a run.

    Args:
        folder: the run folder.
        features: how it reads the columns.
        plan: its plan.
        settings: its winner, then its next best settings.
        trials: how many settings it tried.
    """

    folder: RunFolder
    features: Features
    plan: Plan
    settings: list[Setting]
    trials: int

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.plan.seed

    @cached_property
    def model(self) -> Any:
        """Its exported model."""
        return load_exported(self.folder.model_path, self.features, len(self.folder.record["classes"]))

    @property
    def in_order(self) -> bool:
        """Whether it was split by time."""
        return bool(self.folder.record["options"]["split"] == "time")

    @cached_property
    def own_data(self) -> NewData | None:
        """The data it was made on; None where they are gone or have changed since."""
        return read_own_data(self.folder.record, self.features)

    def seen(self, new: NewData) -> NDArray[np.bool_]:
        """Return which rows of new data stand in its own too, alike in every column that it uses."""
        if self.own_data is None:
            return np.zeros(len(new), dtype=bool)
        both = [self.features.transform(data.x) for data in (new, self.own_data)]  # type: ignore[arg-type]
        return in_both(*both)


def open_old_run(folder: RunFolder, top: int) -> OldRun:
    """Read a finished run.

    Raises:
        UserError: if it has not ended, no trial of it completed, or its model is not the one that was measured.
    """
    features = folder.parse(lambda record: features_from_json(record["features"]))
    plan = folder.parse(lambda record: plan_from_json({**record["plan"], "space": record["space"]}))
    trials = read_trials(folder.path, plan.space)
    if trials and all(trial.status in ("diverged", "failed") for trial in trials):
        counts = {status: sum(trial.status == status for trial in trials) for status in ("diverged", "failed")}
        words = " and ".join(f"{count} {status}" for status, count in counts.items() if count)
        raise UserError(
            f"No trial of the run {str(folder.path)!r} completed ({words}), so there is no winner to retest."
            " Search again with lower learning rates."
        )
    if problem := folder.on_another_model():
        raise UserError(problem)
    winner = int(folder.result()["best"]["trial_id"])
    return OldRun(folder, features, plan, leading_settings(trials, plan.objective, top, winner), len(trials))


def read_own_data(record: dict[str, Any], features: Features) -> NewData | None:
    """Return a run's own data, or None where they are gone or have changed since.

    Args:
        record: the run's ``run.json``.
        features: the run's.
    """
    options = record["options"]
    try:
        if fingerprint_of(options["data"], options["test_data"]) != record["data"]["fingerprint"]:
            return None
        return read_new_data(options["data"], record, features)
    except UserError:
        return None


def sample_of(own: NewData, most: int, seed: int = 0, *, in_order: bool = False) -> NewData:
    """Return at most ``most`` rows of a run's own data.

    As many rows as the new data has: how long a setting should train, and how large its network may be, depends on the
    number of rows, so that more of them could prefer other settings with nothing else changed.

    Args:
        own: the data.
        most: rows to return at most.
        seed: of the sample.
        in_order: whether the run was split by time: then evenly spread rows in their order are returned, and otherwise
            a random sample with the same shares of the classes.
    """
    if len(own) <= most:
        return own
    if in_order:
        return own.rows(thinned(np.arange(len(own)), most))
    random, place = np.random.default_rng([seed, 4]), np.empty(len(own))
    for number in np.unique(own.y):
        rows = random.permutation(np.flatnonzero(own.y == number))
        place[rows] = (np.arange(len(rows)) + random.random()) / len(rows)
    return own.rows(np.sort(place.argsort()[:most]))


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
