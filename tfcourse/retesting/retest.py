"""One retest of a run on one batch of new data: train, compare, recommend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Features, features_from_json
from tfcourse.data.sources import X
from tfcourse.data.split import equal_rows
from tfcourse.data.table import take
from tfcourse.errors import UserError
from tfcourse.plan import Plan, plan_from_json
from tfcourse.retesting.comparison import (
    Correlation,
    Excess,
    Regret,
    cross_fitted_regret,
    excess_of_old,
    rank_correlation,
    rank_of_winner,
)
from tfcourse.retesting.drift import ClassShift, ColumnShift, class_shift, column_shifts
from tfcourse.retesting.folds import Folds, blocks, deal
from tfcourse.retesting.misleading import Misleading, misleading_columns
from tfcourse.retesting.new_data import NewData
from tfcourse.retesting.recommendation import Recommendation, margin_of, recommend
from tfcourse.retesting.settings import FRESH_SETTINGS, Setting, fresh_settings, leading_settings
from tfcourse.retesting.train_again import Retraining, row_costs, train_again
from tfcourse.run.exported import load_exported, model_inputs, probabilities_of
from tfcourse.run.folder import RunFolder
from tfcourse.run.trials import read_trials

LEAST_ROWS_PER_PART = 10


@dataclass(frozen=True)
class OldRun:
    """What a retest needs of a run.

    Args:
        folder: the run folder.
        features: how it reads the columns.
        plan: its plan.
        settings: its winner, then its next best settings.
    """

    folder: RunFolder
    features: Features
    plan: Plan
    settings: list[Setting]

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.plan.seed


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
    return OldRun(folder, features, plan, leading_settings(trials, plan.objective, top, winner))


@dataclass(frozen=True)
class Retest:
    """What came of a retest; see :mod:`~tfcourse.retesting.comparison` for the numbers.

    Args:
        settings: the winner, the next best of the run, then the fresh ones.
        retraining: what training them again gave.
        rank: the winner's rank among them, and its interval.
        regret: the winner's.
        correlation: of the leaders' old and new order.
        excess: the old model's.
        old_accuracy: the old model's accuracy on the held-out rows.
        recommendation: what to do.
        columns: how each column differs from the run's training split.
        classes: how the classes' shares differ.
        misleading: columns without which the old model would do better.
    """

    settings: list[Setting]
    retraining: Retraining
    rank: tuple[int, int, int]
    regret: Regret
    correlation: Correlation | None
    excess: Excess
    old_accuracy: float
    recommendation: Recommendation
    columns: list[ColumnShift]
    classes: ClassShift
    misleading: list[Misleading]

    @property
    def best(self) -> int:
        """The setting with the lowest mean cost now."""
        return int(self.retraining.costs.mean(axis=1).argmin())


def retest(
    run: OldRun,
    new: NewData,
    *,
    repeats: int,
    seed: int = 0,
    on_repeat: Callable[[int], object] = lambda done: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Retest:
    """Retest a run on new data.

    Raises:
        UserError: if there are too few rows.
    """
    folds = parts_of(new, repeats, seed, in_order=run.folder.record["options"]["split"] == "time")
    settings = run.settings + fresh_settings(run.plan.space, FRESH_SETTINGS, run.seed + seed, run.settings)
    retraining = train_again(
        settings, new, folds, run.features, run.plan, seed=run.seed + seed, on_repeat=on_repeat, interrupted=interrupted
    )
    costs, rows = retraining.costs, retraining.rows
    old_model = load_exported(run.folder.model_path)

    def probabilities(x: X) -> NDArray[Any]:
        return widened(probabilities_of(old_model, model_inputs(x, run.features)), len(new.classes))

    def cost(x: X, of_rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return row_costs(probabilities(x), new.y[of_rows], run.plan.objective)

    held_out = probabilities(take(new.x, folds.held_out))
    y = new.y[folds.held_out]
    excess = excess_of_old(row_costs(held_out, y, run.plan.objective), retraining.held_out)
    counts = run.folder.record.get("training")
    regret = cross_fitted_regret(costs, rows["validation"] / rows["train"])
    old = [setting.old_score for setting in run.settings if setting.old_score is not None]
    before = [-score for score in old] if "accuracy" in run.plan.objective else old
    return Retest(
        settings,
        retraining,
        rank_of_winner(costs),
        regret,
        rank_correlation(before, costs[: len(before)]),
        excess,
        float((held_out.argmax(axis=1) == y).mean()),
        recommend(
            regret.interval,
            margin_of(regret.best_cost),
            excess.interval,
            margin_of(excess.retrained),
            len(new.classes) - new.known,
        ),
        column_shifts(run.features, new.x, run.folder.record["data"]["split"]["train"], counts),
        class_shift(new.y, new.classes, counts),
        misleading_columns(run.features, new.x, cost, margin_of(excess.retrained), seed),
    )


def parts_of(new: NewData, repeats: int, seed: int, *, in_order: bool) -> Folds:
    """Return the parts of the new data.

    Raises:
        UserError: if there are too few rows for so many.
    """
    least = LEAST_ROWS_PER_PART * (repeats + 1)
    if len(new) < least:
        raise UserError(
            f"--data: {len(new)} labelled rows are too few for {repeats} repeats; at least {least} are needed,"
            f" {LEAST_ROWS_PER_PART} for each repeat's validation and as many held out."
        )
    return blocks(len(new), repeats) if in_order else deal(equal_rows(new.x), new.y, repeats, seed)


def widened(probabilities: NDArray[Any], classes: int) -> NDArray[Any]:
    """Return probabilities with a column of zeros for each class that the model does not know."""
    return np.pad(probabilities, ((0, 0), (0, classes - probabilities.shape[1])))
