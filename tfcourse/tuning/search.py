"""The search of a run: its tuner, and the baseline and the trials trained until the plan is done."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tfcourse.data.prepare import Prepared
from tfcourse.models.convnet_hypermodel import ConvNetHyperModel
from tfcourse.models.hypermodels import MLPHyperModel, SpecHyperModel
from tfcourse.search.cohort_fit_tuner import CohortFitTuner
from tfcourse.search.fit import Schedule, TrainingData
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.oracle import SECONDS_BETWEEN_SAVES, RandomOracle, Status
from tfcourse.search.rounds_oracle import RoundsOracle
from tfcourse.space import Round
from tfcourse.tuning.baseline import fit_baseline, out_of_time
from tfcourse.tuning.leaders import search_until
from tfcourse.tuning.networks import image_shape
from tfcourse.tuning.plan import Plan
from tfcourse.tuning.tuning_run import TuningRun
from tfcourse.words import loss_said

OnTrial = Callable[[int, str], None]


def open_search(run: TuningRun, on_round: Callable[[Round], object] = lambda began: None) -> FitTuner:
    """Return the tuner of a run, new or as an earlier part of the search left it.

    Args:
        run: the run.
        on_round: called with each further round when it begins.
    """

    folder, plan = run.folder, run.plan

    def round_began(rounds: list[Round]) -> None:
        folder.update(rounds=[each.to_json() for each in rounds])
        on_round(rounds[-1])

    hypermodel = hypermodel_of(run.prepared, plan)
    oracle = RoundsOracle(
        plan.objective,
        plan.trials,
        space=plan.space,
        seed=plan.seed,
        sampler=plan.sampler,
        starts=plan.starts,
        rounds=[Round.from_json(fields) for fields in folder.record.get("rounds", [])],
        first=plan.first,
        portfolio=plan.portfolio,
        on_round=round_began,
    )
    tuner = CohortFitTuner if plan.engine == "cohort" else FitTuner
    return tuner(oracle, hypermodel, directory=folder.path)


def hypermodel_of(prepared: Prepared, plan: Plan) -> SpecHyperModel:
    """Return what the values of a run's trials describe."""
    classes, rows = len(prepared.classes), len(prepared.train)
    if image := image_shape(prepared.features, plan.network):
        return ConvNetHyperModel(image, classes, rows=rows, space=plan.space, flat=True)
    return MLPHyperModel(prepared.features.width, classes, rows=rows, space=plan.space)


def search(
    run: TuningRun,
    tuner: FitTuner,
    *,
    on_trial: OnTrial,
    on_progress: Callable[[float], None],
    deadline: float,
    latest: float,
    interrupted: Callable[[], bool],
) -> None:
    """Train the baseline and then the trials, until the plan is done or the deadline has passed.

    Args:
        run: the run.
        tuner: from :func:`open_search`.
        on_trial: called after each trial with the number of ended trials and the best so far in words.
        on_progress: called with how much of the trials under way is done, counted in trials.
        deadline: moment of ``time.monotonic()`` at which the search should end.
        latest: the moment until which it may go on if it would come to nothing otherwise.
        interrupted: tells whether to stop with a KeyboardInterrupt.
    """
    folder, plan = run.folder, run.plan
    examples = TrainingData.of(run.prepared)
    schedule = Schedule(
        plan.epochs, plan.patience, plan.objective, plan.seed, latest, interrupted, plan.repeats, plan.halving
    )
    started, before = time.monotonic(), folder.record["seconds"]
    told = started
    best = BestSoFar(tuner.oracle)

    def trial_ended(trial: Any) -> None:
        nonlocal told
        folder.record["seconds"] = before + time.monotonic() - started
        if time.monotonic() - told > SECONDS_BETWEEN_SAVES:  # each takes until it is on the disk
            told = time.monotonic()
            folder.save()
        best.take(trial)
        on_trial(len(tuner.oracle.end_order), best.in_words())

    fit_baseline(run, examples, schedule)
    if not tuner.oracle.end_order:
        deadline = search_until(deadline, latest, time.monotonic())
        if time.monotonic() > deadline:
            raise out_of_time(folder)
    schedule = replace(schedule, deadline=deadline)
    tuner.oracle.clock = lambda: before + time.monotonic() - started
    tuner.on_trial, tuner.on_progress = trial_ended, on_progress
    tuner.search(examples, schedule)
    folder.update(seconds=before + time.monotonic() - started)


class BestSoFar:
    """The best trial so far; KerasTuner sorts all trials to tell, which is too much after each of thousands.

    Args:
        oracle: whose trials; those that ended in an earlier part of the search count.
    """

    def __init__(self, oracle: RandomOracle) -> None:
        self._objective, self._score = oracle.objective, math.nan
        for trial in oracle.get_best_trials(1):
            self.take(trial)

    def take(self, trial: Any) -> None:
        """Take in a trial that ended."""
        if trial.status != Status.COMPLETED:
            return
        if math.isnan(self._score) or self._objective.better_than(trial.score, self._score):
            self._score = trial.score

    def in_words(self) -> str:
        """Return its objective, as a person would write it."""
        return "none yet" if math.isnan(self._score) else f"{self._objective.name} {loss_said(self._score)}"
