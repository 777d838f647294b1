"""One retest of a run on one batch of new data: train, compare, recommend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.groups import equal_rows
from tfcourse.data.sources import X
from tfcourse.data.table import take
from tfcourse.errors import UserError
from tfcourse.retesting.comparison import (
    Correlation,
    Excess,
    Interval,
    Regret,
    chance_of_regret,
    cross_fitted_regret,
    excess_of_old,
    rank_correlation,
    rank_of_winner,
    regret_against,
    variance_of_training,
)
from tfcourse.retesting.drift import ClassShift, ColumnShift, class_shift, column_shifts
from tfcourse.retesting.folds import LEAST_PARTS, RetestFolds, blocks, deal
from tfcourse.retesting.misleading import Misleading, misleading_columns
from tfcourse.retesting.new_data import NewData
from tfcourse.retesting.old_run import FRESH_SETTINGS, OldRun, Setting, fresh_settings, sample_of
from tfcourse.retesting.recommendation import Recommendation, is_large, margin_of, recommend
from tfcourse.retesting.train_again import Retraining, row_costs, train_again
from tfcourse.run.exported import model_inputs, probabilities_of
from tfcourse.space.objective import Objective

if TYPE_CHECKING:
    from tfcourse.cohort.work import Executor

LEAST_ROWS_PER_PART = 10
LEAST_ALIKE = 3
"""Fewer settings than this do not say how much one training differs from another."""


@dataclass(frozen=True)
class Control:
    """What the same settings do on the run's own data.

    Args:
        rows: how many rows of them.
        costs: shape (settings, repeats).
        regret: the winner's, against the settings that were chosen on the new data.
    """

    rows: int
    costs: NDArray[np.float64]
    regret: Interval


@dataclass(frozen=True)
class Retest:
    """What came of a retest; see :mod:`~tfcourse.retesting.comparison` for the numbers.

    Args:
        settings: the winner, the next best of the run, then the fresh ones.
        retraining: what training them again gave.
        rank: the winner's rank among them, and its interval.
        regret: the winner's.
        chance: how probable such a regret is by the search's own luck.
        control: the same settings on the run's own data; None where the regret is small or they could not be tried.
        correlation: of the leaders' old and new order.
        excess: the old model's.
        old_accuracy: the old model's accuracy on the held-out rows.
        recommendation: what to do.
        columns: how each column differs from the run's training split.
        classes: how the classes' shares differ.
        misleading: columns without which the old model would do better.
        cut_short: whether the control was interrupted, so that the answer is by the rule for data that are gone.
    """

    settings: list[Setting]
    retraining: Retraining
    rank: tuple[int, int, int]
    regret: Regret
    chance: float
    control: Control | None
    correlation: Correlation | None
    excess: Excess
    old_accuracy: float
    recommendation: Recommendation
    columns: list[ColumnShift]
    classes: ClassShift
    misleading: list[Misleading]
    cut_short: bool = False

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
    on_own_repeat: Callable[[int], object] = lambda done: None,
    interrupted: Callable[[], bool] = lambda: False,
    executor: Executor | None = None,
) -> Retest:
    """Retest a run on new data; see :func:`check_rows` for how much is needed.

    Where other settings do better now, the same settings are trained on the run's own data too, if they are still
    there: a winner that is not the best there either was a bad find, and is no sign that anything has changed.

    Args:
        run: the run.
        new: the new data.
        repeats: trainings of each setting.
        seed: of parts, draws and weights.
        on_repeat: called with the number of repeats done on the new data.
        on_own_repeat: the same on the run's own data.
        interrupted: tells after each epoch whether to stop: with a KeyboardInterrupt while training on the new data,
            without a control once that is done.
        executor: where the settings are trained; None is on threads of this process.
    """
    settings = run.settings + fresh_settings(run.plan.space, FRESH_SETTINGS, run.seed + seed, run.settings)

    def trained_on(data: NewData, tell: Callable[[int], object]) -> Retraining:
        folds = parts_of(data, repeats, seed, in_order=run.in_order)
        return train_again(
            settings, data, folds, run.features, run.plan, seed=run.seed + seed, on_repeat=tell,
            interrupted=interrupted, executor=executor,
        )  # fmt: skip

    retraining = trained_on(new, on_repeat)
    costs, rows, objective = retraining.costs, retraining.rows, run.plan.objective

    def probabilities(x: X) -> NDArray[Any]:
        return widened(probabilities_of(run.model, model_inputs(x, run.features)), len(new.classes))

    def cost(of_rows: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return row_costs(of_rows, new.y[rows], objective)

    held_out = np.concatenate(retraining.held_out)
    by_old_model = probabilities(take(new.x, held_out))
    old_costs = cost(by_old_model, held_out)
    ends = np.cumsum([len(part) for part in retraining.held_out])[:-1]
    training = variance_of_training(costs[alike(costs, len(run.settings))])
    excess = excess_of_old(np.split(old_costs, ends), retraining.held_out_costs, training)
    counts = run.folder.record.get("training")
    regret = cross_fitted_regret(costs, rows["validation"] / rows["train"])
    control, cut_short = None, False
    if is_large(regret.interval, margin_of(regret.best_cost)) and run.own_data is not None:
        own = sample_of(run.own_data, len(new), seed, in_order=run.in_order)
        try:
            if comparable(own, len(new), repeats):
                control = control_of(trained_on(own, on_own_repeat), regret.chosen, len(own))
        except KeyboardInterrupt:  # what the new data tell is not lost
            cut_short = True
        except UserError:  # they do not fit into the memory together
            pass
    fresh = len(settings) - len(run.settings)
    chance = chance_of_regret(costs, regret.interval.mean, fresh, run.trials, variance_factor(run, rows), seed)
    old = [setting.old_score for setting in run.settings if setting.old_score is not None]
    before = [-score for score in old] if Objective(objective).higher_is_better else old
    return Retest(
        settings,
        retraining,
        rank_of_winner(costs),
        regret,
        chance,
        control,
        rank_correlation(before, costs[: len(before)]),
        excess,
        float((by_old_model.argmax(axis=1) == new.y[held_out]).mean()),
        recommend(
            regret.interval,
            margin_of(regret.best_cost),
            chance,
            excess.interval,
            margin_of(excess.retrained),
            len(new.classes) - new.known,
            control.regret if control else None,
            cut_short=cut_short,
            seen=float(run.seen(new).mean()),
        ),
        column_shifts(run.features, new.x, run.folder.record["data"]["split"]["train"], counts),
        class_shift(new.y, new.classes, counts),
        misleading_columns(run.features, new.x, probabilities, cost, margin_of(excess.retrained), seed),
        cut_short,
    )


def control_of(retraining: Retraining, chosen: Sequence[int], rows: int) -> Control:
    """Return the control, from what training on the run's own data gave and the settings chosen on the new data."""
    share = retraining.rows["validation"] / retraining.rows["train"]
    return Control(rows, retraining.costs, regret_against(chosen, retraining.costs, share))


def comparable(own: NewData, rows: int, repeats: int) -> bool:
    """Say whether the run's own data can be a control: half as many rows at least, and two classes in all parts."""
    counts = np.sort(np.bincount(own.y, minlength=2))
    return enough_rows(own, repeats) and 2 * len(own) >= rows and counts[-2] >= max(LEAST_PARTS, repeats)


def alike(costs: NDArray[np.float64], leaders: int) -> NDArray[np.int64]:
    """Return the settings that tell how much one training differs from another: the leaders, or the better half of all.

    >>> alike(np.array([[0.3], [0.1], [0.9], [0.2], [0.8], [0.7]]), leaders=1).tolist()
    [1, 3, 0]
    """
    if leaders >= LEAST_ALIKE:
        return np.arange(leaders)
    return np.asarray(costs.mean(axis=1).argsort()[: max(LEAST_ALIKE, len(costs) // 2)])


def variance_factor(run: OldRun, rows: dict[str, int]) -> float:
    """Return the variance of a score of the run over that between the repeats.

    The repeats share training rows; their variance falls short by 1 − n_validation / (n_training + n_validation)
    (Nadeau & Bengio 2003). And the run may have validated on fewer rows.
    """
    shared = rows["validation"] / (rows["train"] + rows["validation"])
    before = run.folder.record["data"]["split"]["validation"]
    return max(1.0, rows["validation"] / before) / (1 - shared)


def parts_of(new: NewData, repeats: int, seed: int, *, in_order: bool) -> RetestFolds:
    """Return the parts of the new data: dealt at random, or consecutive for runs that were split by time."""
    if in_order:
        return blocks(len(new), repeats)
    return deal(equal_rows(new.x), new.y, repeats, seed, new.groups)


def check_rows(new: NewData, repeats: int, batches: int = 1) -> None:
    """Refuse data with too few rows for so many repeats, or of one class only.

    Raises:
        UserError: saying how many are needed.
    """
    least = LEAST_ROWS_PER_PART * max(LEAST_PARTS, repeats)
    where = "--data:" if batches == 1 else f"--batches: one of {batches} batches has"
    if not enough_rows(new, repeats):
        raise UserError(
            f"{where} {len(new)} labelled rows, too few for {repeats} repeats: at least {least} are needed,"
            f" {LEAST_ROWS_PER_PART} to validate and as many to hold out in each."
        )
    if len(np.unique(new.y)) < 2:
        raise UserError(f"{where} rows of one class only, {new.classes[new.y[0]]!r}; at least two are needed.")


def enough_rows(data: NewData, repeats: int) -> bool:
    """Say whether each part would have rows enough to validate, and to hold out."""
    return len(data) >= LEAST_ROWS_PER_PART * max(LEAST_PARTS, repeats)


def widened(probabilities: NDArray[Any], classes: int) -> NDArray[Any]:
    """Return probabilities with a column of zeros for each class that the model does not know."""
    return np.pad(probabilities, ((0, 0), (0, classes - probabilities.shape[1])))
