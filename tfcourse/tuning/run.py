"""One run from its plan to its result: searched, its leaders trained again, bagged, measured and exported."""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tfcourse.process.interrupt import not_interrupted, patient_interrupt
from tfcourse.run.folder import RunStatus
from tfcourse.tuning import defaults

if TYPE_CHECKING:
    from rich.console import Console

    from tfcourse.data.prepare import Prepared
    from tfcourse.run.folder import RunFolder
    from tfcourse.tuning.plan import Plan

FINISHING_SHARE, MOST_FINISHING_SECONDS = 0.2, 5.0
"""Part of a budget that is kept for the test split and the export."""


def carry_out(
    folder: RunFolder, prepared: Prepared, plan: Plan, console: Console, started: float, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Search, measure and export, and return the result; whatever ends it early, the run can be gone on with.

    Args:
        folder: where everything is kept; this process holds its lock.
        prepared: the data.
        plan: what to do.
        console: where progress goes.
        started: moment of ``time.monotonic()`` at which this part of the run began.
        given: options by name: ``budget``, the seconds that this part may take, by default what the run was given and
            has not yet spent; ``workers`` and ``ray``, where its cohorts are trained.

    Raises:
        KeyboardInterrupt: if it was interrupted; the trials that ended are kept.
        UserError: if no trial completed.
    """
    try:
        return _search_and_finish(folder, prepared, plan, console, started, given)
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


def _search_and_finish(
    folder: RunFolder, prepared: Prepared, plan: Plan, console: Console, started: float, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Search, measure and export, with progress; TensorFlow is imported here and not before."""
    from tfcourse.process.quiet import quiet_start
    from tfcourse.process.start_keras import start_keras

    budget = given.get("budget")
    if budget is None and folder.record["budget"] is not None and not folder.record.get("searched", False):
        budget = folder.record["budget"] - folder.record["seconds_before"]
    deadline = finishing = math.inf
    folder.update(status=RunStatus.RUNNING)
    with patient_interrupt("start") as interrupted, quiet_start():
        start_keras()
        from tfcourse.run.show import SearchProgress, show_round
        from tfcourse.search.halving import in_words
        from tfcourse.tuning.bagging import Bagging
        from tfcourse.tuning.executing import executing, workers_said
        from tfcourse.tuning.folds import LEAST_TRIALS, folds_of
        from tfcourse.tuning.leaders import Leaders, retraining_seconds
        from tfcourse.tuning.result import finish
        from tfcourse.tuning.search import open_search, search

        tuner = open_search(folder, prepared, plan, on_round=lambda began: show_round(console, began.notes))
    if interrupted():
        raise KeyboardInterrupt
    say = functools.partial(console.print, markup=False)
    if budget is not None:
        finishing = started + budget - min(FINISHING_SHARE * budget, MOST_FINISHING_SECONDS)
        folds, _ = folds_of(folder.record.get("model", {}).get("folds", 1), prepared, LEAST_TRIALS)
        deadline = finishing - retraining_seconds(budget, folds=folds)
    if plan.halving:
        console.print(in_words(plan.epochs))
    total = plan.trials if plan.trials < defaults.MOST_TRIALS else None
    done = len(tuner.oracle.end_order)
    with patient_interrupt() as interrupted, executing(folder, plan, given, say) as executor:
        tuner.executor = executor
        with SearchProgress(console, total, done, deadline, workers_said(executor)) as progress:
            search(
                folder,
                prepared,
                plan,
                tuner,
                on_trial=progress.trials_done,
                on_progress=progress.trials_under_way,
                deadline=deadline,
                latest=finishing,
                interrupted=interrupted,
            )
        leaders = Leaders(folder, prepared, plan, executor)
        leaders.train_again(console.print, deadline=finishing, interrupted=interrupted)
        bagging = Bagging(folder, prepared, plan, leaders.ranked, executor)
        bagging.train(console.print, deadline=finishing, interrupted=interrupted)
    return finish(folder, prepared, plan, tuner, leaders, bagging, started)
