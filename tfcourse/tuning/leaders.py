"""The leaders of a search and its baseline, trained again from fresh seeds: how much of a best score is luck."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from tfcourse.cohort.work import Executor
from tfcourse.data.prepare import Prepared
from tfcourse.errors import UserError
from tfcourse.files.shape import read_record
from tfcourse.models.networks import spec_from_values, weights_in
from tfcourse.models.spec import NetworkSpec, OptimizerSpec, optimizer_from_values
from tfcourse.run.results import Baseline
from tfcourse.run.retrained import Retrained
from tfcourse.run.trials import TrialRecord, leaders, read_trials
from tfcourse.search.fit import Schedule, TrainingData
from tfcourse.search.padding import Padding
from tfcourse.search.retrain import OutOfTimeError, Recipe, fresh_seeds, retrain
from tfcourse.tuning.networks import image_shape
from tfcourse.tuning.tuning_run import TuningRun
from tfcourse.verdict.winner import Candidate
from tfcourse.words import listed

RUNNERS_UP = 2
BASELINE = "softmax regression"
RETRAINING_SHARE, LEAST_RETRAINING_SECONDS, MOST_RETRAINING_SECONDS = 0.2, 3.0, 120.0
"""Part of a budget that is kept for the retraining, and its bounds: compiling alone takes about two seconds."""
WITH_FOLDS = 2
"""So many times as much is kept where the leaders are to be trained on folds too."""
LEAST_SEARCH_SECONDS = 10.0
"""What compiling the first programs takes on a machine that is not quite free."""


def retraining_seconds(budget: float, *, folds: int = 1) -> float:
    """Return the seconds of a budget that are kept for the retraining, 0 when it would not get far in them.

    Args:
        budget: in seconds.
        folds: on how many the leaders are to be trained too.

    >>> retraining_seconds(10), retraining_seconds(60), retraining_seconds(7200)
    (0.0, 12.0, 120.0)
    >>> retraining_seconds(60, folds=8)
    24.0
    """
    kept = min(RETRAINING_SHARE * budget, MOST_RETRAINING_SECONDS)
    return kept * (WITH_FOLDS if folds > 1 else 1) if kept >= LEAST_RETRAINING_SECONDS else 0.0


def search_until(deadline: float, latest: float, now: float) -> float:
    """Return until when to search: until ``latest`` where too little is left for a first trial before ``deadline``.

    A machine that others use can need half of a short budget to start; without a trial there is nothing to retrain.

    Args:
        deadline: the moment at which the search should end and the retraining begin.
        latest: the moment at which the retraining should end.
        now: the present moment.

    >>> search_until(48, 60, now=20), search_until(48, 60, now=40)
    (48, 60)
    """
    return latest if deadline - now < LEAST_SEARCH_SECONDS else deadline


class Leaders:
    """The leaders and the baseline of a run, and what came of training them again.

    Args:
        run: the run.
        executor: where they are trained; None is on threads of this process.

    Attributes:
        trials: all trials of the run, by number.
        ranked: those that completed, the best first.
        not_retrained: why they were not trained again, in a sentence; empty if they were.
    """

    def __init__(self, run: TuningRun, executor: Executor | None = None) -> None:
        self.executor = executor
        folder, prepared, plan = run.folder, run.prepared, run.plan
        self.prepared, self.plan, self.not_retrained = prepared, plan, ""
        self.trials = read_trials(folder.path, plan.space)
        self.ranked = leaders(self.trials, plan.objective)
        self.leaders = self.ranked[: 1 + RUNNERS_UP]
        self.order, self.seeds = fresh_seeds(plan.seed)
        self.retrained = Retrained(
            folder.path / "repeats.json",
            {"epochs": plan.epochs, "patience": plan.patience, "objective": plan.objective, "order_seed": self.order},
        )
        baseline = read_record(folder.path / "baseline" / "baseline.json", Baseline)["hyperparameters"]
        width, classes = prepared.features.width, len(prepared.classes)
        self.recipes = {name_of(trial): recipe_of(trial, prepared, plan.network) for trial in self.leaders}
        self.recipes[BASELINE] = Recipe(
            NetworkSpec(width, classes), OptimizerSpec("adam", baseline["learning_rate"]), baseline["batch_size"]
        )

    @property
    def missing(self) -> list[tuple[str, int]]:
        """The candidates and seeds that are not trained yet."""
        if not self.leaders:
            return []
        return [(name, seed) for name in self.recipes for seed in self.seeds if not self.retrained.has(name, seed)]

    def in_words(self) -> str:
        """Return what will be trained, as a line for the terminal."""
        numbers = [str(trial.number) for trial in self.leaders]
        trials = f"trial{'s' * (len(numbers) > 1)} {listed(numbers)}"
        return f"Training {trials} and {BASELINE} again from {len(self.seeds)} fresh seeds"

    def train_again(self, say: Callable[[str], object], *, deadline: float, interrupted: Callable[[], bool]) -> None:
        """Train what an earlier part of the run has not trained again.

        Args:
            say: called with a line about what begins.
            deadline: moment of ``time.monotonic()``.
            interrupted: tells whether to stop with a KeyboardInterrupt.
        """
        if self.missing:
            say(self.in_words())
            self.not_retrained = self._train(self.missing, deadline, interrupted)

    def _train(self, missing: list[tuple[str, int]], deadline: float, interrupted: Callable[[], bool]) -> str:
        prepared, plan = self.prepared, self.plan
        if deadline - time.monotonic() < LEAST_RETRAINING_SECONDS:
            return no_time()

        def ended(index: int, training: Any) -> None:
            done = bool(training.curves) and not training.diverged and training.best_epoch >= 0
            score = training.curves[plan.objective][training.best_epoch] if done else None
            self.retrained.keep(*missing[index], score)

        examples = len(prepared.train) * plan.epochs
        try:
            retrain(
                [(self.recipes[name], seed) for name, seed in missing],
                TrainingData.of(prepared),
                Schedule(plan.epochs, plan.patience, plan.objective, self.order, deadline, interrupted),
                padding=Padding.of_space(plan.space, inputs=prepared.features.width, examples=examples),
                on_end=ended,
                executor=self.executor,
            )
        except OutOfTimeError:
            return no_time()
        except UserError as error:  # they do not fit into the memory together
            return f"The leaders were not trained again: {error}"
        return ""

    def candidates(self) -> list[Candidate]:
        """Return the candidates with their scores, none unless all were trained."""
        found = []
        numbers = {name_of(trial): trial.number for trial in self.leaders}
        for name, recipe in self.recipes.items():
            scores = self.retrained.scores_of(name, self.seeds)
            if scores is None:
                return []
            found.append(Candidate(name, numbers.get(name), weights_in(recipe.network), scores))
        return found


def no_time() -> str:
    """Return the sentence for a budget that left no time."""
    return (
        "The budget left no time to train the leaders again, so how much of the best score is luck is not known;"
        " --resume with a larger --budget does it."
    )


def name_of(trial: TrialRecord) -> str:
    """Return how a trial is called."""
    return f"trial {trial.number}"


def recipe_of(trial: TrialRecord, prepared: Prepared, network: str) -> Recipe:
    """Return the network, the optimizer and the minibatch size of a trial."""
    batch_size = int(trial.values["batch_size"])
    features = prepared.features
    return Recipe(
        spec_from_values(
            trial.values,
            inputs=features.width,
            classes=len(prepared.classes),
            image=image_shape(features, network),
        ),
        optimizer_from_values(trial.values, steps_per_epoch=math.ceil(len(prepared.train) / batch_size)),
        batch_size,
    )
