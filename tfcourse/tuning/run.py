"""One run from its plan to its result: searched, its leaders trained again, bagged, measured and exported."""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfcourse.process.interrupt import not_interrupted, patient_interrupt
from tfcourse.run.folder import RunStatus
from tfcourse.tuning import defaults

if TYPE_CHECKING:
    from rich.console import Console

    from tfcourse.data.prepare import Prepared
    from tfcourse.search.fit_tuner import FitTuner
    from tfcourse.tuning.bagging import Bagging
    from tfcourse.tuning.leaders import Leaders
    from tfcourse.tuning.tuning_run import TuningRun

FINISHING_SHARE, MOST_FINISHING_SECONDS = 0.2, 5.0
"""Part of a budget that is kept for the test split and the export."""


@dataclass(frozen=True)
class Deadlines:
    """Moments of ``time.monotonic()`` by which a run that has a budget should have done its parts.

    Args:
        search: when its search should end.
        training: when all training should.
    """

    search: float = math.inf
    training: float = math.inf


def carry_out(run: TuningRun, console: Console, started: float, given: Mapping[str, Any]) -> dict[str, Any]:
    """Search, measure and export, and return the result; whatever ends it early, the run can be gone on with.

    Args:
        run: the run; this process holds its folder's lock.
        console: where progress goes.
        started: moment of ``time.monotonic()`` at which this part of the run began.
        given: options by name: ``budget``, the seconds that this part may take, by default what the run was given and
            has not yet spent; ``workers`` and ``ray``, where its cohorts are trained.

    Raises:
        KeyboardInterrupt: if it was interrupted; the trials that ended are kept.
        UserError: if no trial completed.
    """
    folder = run.folder
    try:
        return _search_and_finish(run, console, started, given)
    except BaseException:
        with not_interrupted(), contextlib.suppress(OSError):  # the disk may be what went wrong
            spent = float(folder.record["seconds_before"]) + time.monotonic() - started
            folder.update(status=RunStatus.INTERRUPTED, seconds_before=spent)
        raise


def show_beginning(console: Console, prepared: Prepared) -> None:
    """Print how the data was read and split."""
    from tfcourse.data.prepare import columns_to_show, rows_in_split
    from tfcourse.run.show import show_data

    show_data(console, prepared.name, rows_in_split(prepared), columns_to_show(prepared), prepared.notes)


def _search_and_finish(run: TuningRun, console: Console, started: float, given: Mapping[str, Any]) -> dict[str, Any]:
    """Search, measure and export, with progress; TensorFlow is imported here and not before."""
    from tfcourse.process.quiet import quiet_start
    from tfcourse.process.start_keras import start_keras
    from tfcourse.tuning.executing import executing, workers_said

    budget = _budget(run, given)
    run.folder.update(status=RunStatus.RUNNING)
    say = functools.partial(console.print, markup=False)
    with patient_interrupt("start") as interrupted, executing(run, given, say) as executor:
        with quiet_start():
            start_keras()
            from tfcourse.run.show import show_round
            from tfcourse.tuning.result import finish
            from tfcourse.tuning.search import open_search

            tuner = open_search(run, on_round=lambda began: show_round(console, began.notes))
        if interrupted():
            raise KeyboardInterrupt
        deadlines = Deadlines() if budget is None else _deadlines(run, started, budget)
        with patient_interrupt() as interrupted:
            tuner.executor = executor
            _search(run, tuner, console, deadlines, interrupted, workers_said(executor))
            leaders, bagging = _train_leaders(run, tuner, console, deadlines, interrupted)
    return finish(run, tuner, leaders, bagging, started)


def _budget(run: TuningRun, given: Mapping[str, Any]) -> float | None:
    """Return the seconds that this part of the run may take; None if it may take its time."""
    record = run.folder.record
    budget: float | None = given.get("budget")
    if budget is None and record["budget"] is not None and not record.get("searched", False):
        budget = record["budget"] - record["seconds_before"]
    return budget


def _deadlines(run: TuningRun, started: float, budget: float) -> Deadlines:
    """Return when the parts of a run should be done that began at ``started`` and has ``budget`` seconds."""
    from tfcourse.tuning.folds import LEAST_TRIALS, folds_of
    from tfcourse.tuning.leaders import retraining_seconds

    training = started + budget - min(FINISHING_SHARE * budget, MOST_FINISHING_SECONDS)
    folds, _ = folds_of(run.folder.record.get("model", {}).get("folds", 1), run.prepared, LEAST_TRIALS)
    return Deadlines(training - retraining_seconds(budget, folds=folds), training)


def _search(
    run: TuningRun,
    tuner: FitTuner,
    console: Console,
    deadlines: Deadlines,
    interrupted: Callable[[], bool],
    workers: Callable[[], str],
) -> None:
    """Search, with progress, in which ``workers`` tells of the workers."""
    from tfcourse.run.show import SearchProgress
    from tfcourse.search.halving import in_words
    from tfcourse.tuning.first import first_said
    from tfcourse.tuning.search import search

    plan = run.plan
    if (said := first_said(plan)) and len(tuner.oracle.end_order) < len(plan.first):
        console.print(said)
    if plan.halving:
        console.print(in_words(plan.epochs))
    total, done = plan.trials if plan.trials < defaults.MOST_TRIALS else None, len(tuner.oracle.end_order)
    with SearchProgress(console, total, done, deadlines.search, workers) as progress:
        search(
            run,
            tuner,
            on_trial=progress.trials_done,
            on_progress=progress.trials_under_way,
            deadline=deadlines.search,
            latest=deadlines.training,
            interrupted=interrupted,
        )


def _train_leaders(
    run: TuningRun, tuner: FitTuner, console: Console, deadlines: Deadlines, interrupted: Callable[[], bool]
) -> tuple[Leaders, Bagging]:
    """Train the leaders again from fresh seeds, and on folds."""
    from tfcourse.tuning.bagging import Bagging
    from tfcourse.tuning.leaders import Leaders

    leaders = Leaders(run, tuner.executor)
    leaders.train_again(console.print, deadline=deadlines.training, interrupted=interrupted)
    bagging = Bagging(run, leaders.ranked, tuner.executor)
    bagging.train(console.print, deadline=deadlines.training, interrupted=interrupted)
    return leaders, bagging
