"""What a retest needs of a run: its settings, how it reads the columns, its model, and its own data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Features, features_from_json
from tfcourse.data.in_both import in_both
from tfcourse.errors import UserError
from tfcourse.retesting.new_data import NewData
from tfcourse.retesting.own_data import read_own_data
from tfcourse.retesting.settings import Setting, leading_settings
from tfcourse.run.exported import load_exported
from tfcourse.run.folder import RunFolder
from tfcourse.run.trials import read_trials
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
        UserError: if it has not ended or no trial of it completed.
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
    winner = int(folder.result()["best"]["trial_id"])
    return OldRun(folder, features, plan, leading_settings(trials, plan.objective, top, winner), len(trials))
