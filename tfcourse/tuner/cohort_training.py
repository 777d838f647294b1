"""The jobs of a search that train in cohorts: callbacks and oracle are told of every epoch, each trial is finished."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras_tuner

from tfcourse.cohort import MemberHistory, NotFusableError, fit_together
from tfcourse.tuner.cohort_callbacks import callbacks_of, in_model
from tfcourse.tuner.cohort_job import Job
from tfcourse.tuner.cohort_report import stopped_by, wants_epochs

Finish = Callable[[Any, list[MemberHistory], list[Any]], None]
FROM_FIT = ("validation_data", "shuffle", "class_weight", "sample_weight")
"""Arguments of ``Model.fit`` that go to ``fit_together`` as they are."""


class CohortTraining:
    """Jobs in training.

    Args:
        oracle: told of each epoch, if it wants to be.
        executions: how often each trial is trained.
        jobs: the trainings.
        finish: called with a trial, its histories and its best weights when its last training has ended.

    Attributes:
        alone: trials that ``Model.fit`` must train, by their id, and why.
    """

    def __init__(self, oracle: keras_tuner.Oracle, executions: int, jobs: Sequence[Job], finish: Finish) -> None:
        self.oracle, self.executions, self.finish = oracle, executions, finish
        self.alone: dict[str, tuple[Any, str]] = {}
        self.jobs: list[Job] = []
        self.runners: list[Any] = []
        for job in jobs:
            runner = callbacks_of(job.callbacks, job.model, job.member, job.params)
            if runner is not None and runner.changed is not None:
                self._leave(job, f"a callback {runner.changed}")
            self.jobs.append(job)
            self.runners.append(runner)
        staying = [index for index, job in enumerate(self.jobs) if job.trial.trial_id not in self.alone]
        self.jobs, self.runners = [self.jobs[i] for i in staying], [self.runners[i] for i in staying]
        self.by_epochs = wants_epochs(oracle) and executions == 1
        self._planned = False
        self._ended: dict[str, list[MemberHistory]] = defaultdict(list)
        self._best: dict[str, tuple[float, list[Any]]] = {}
        self._diverged: dict[int, Callable[[], None]] = {}

    def train(self, given: dict[str, Any], *, seed: int, options: dict[str, Any]) -> None:
        """Train the jobs to their ends.

        Args:
            given: the arguments of ``Model.fit`` by name.
            seed: of the minibatch order.
            options: further arguments of ``fit_together``.
        """
        if not self.jobs:
            return
        looks = any(self.runners) or self.by_epochs
        if looks and options.get("executor") is not None:
            print("CohortTuner: trained on threads of this process: callbacks or the oracle look at every epoch")
            options = {name: option for name, option in options.items() if name != "executor"}
        try:
            fit_together(
                [job.member for job in self.jobs],
                given["x"],
                given["y"],
                epochs=given.get("epochs", 1),
                batch_size=[job.batch_size for job in self.jobs],
                monitor=self.oracle.objective.name,
                restore_best_weights=True,
                seed=seed,
                on_epoch_end=self._epoch_ended if looks else None,
                on_member_end=self._member_ended,
                on_plan=self._plan_made,
                **{name: given[name] for name in FROM_FIT if name in given},
                **options,
            )
        except NotFusableError as error:
            if self._planned:
                raise
            for job in self.jobs:
                self._leave(job, str(error))
        finally:
            self._finish_the_diverged()

    def _leave(self, job: Job, reason: str) -> None:
        self.alone[job.trial.trial_id] = (job.trial, reason)

    def _plan_made(self, words: str) -> None:
        self._planned = True
        if self.oracle.verbose:
            print(f"CohortTuner: {words}.")

    def _epoch_ended(self, history: MemberHistory) -> None:
        runner = self.runners[history.index]
        if runner is not None:
            runner.epoch_end(history)
            if runner.changed is not None:
                return
        if self.by_epochs and stopped_by(self.oracle, self.jobs[history.index].trial, history):
            history.stop()
        if runner is not None:
            runner.next_epoch(history)

    def _member_ended(self, history: MemberHistory) -> None:
        job, runner = self.jobs[history.index], self.runners[history.index]
        if runner is not None and runner.changed is not None:
            self._leave(job, f"a callback {runner.changed}")
            return
        if history.lost:
            self._leave(job, history.lost)
            return
        self._keep_the_best(job, history)
        if runner is not None:
            runner.train_end(history)
        self._count(job, history)

    def _keep_the_best(self, job: Job, history: MemberHistory) -> None:
        """Keep the weights of a trial's best training so far."""
        key = job.trial.trial_id
        score = history.history[self.oracle.objective.name][history.best_epoch or 0]
        if key not in self._best or self.oracle.objective.better_than(score, self._best[key][0]):
            own = history.weights if job.model is None else in_model(job.model, history.weights)
            self._best[key] = (score, own)

    def _count(self, job: Job, history: MemberHistory) -> None:
        """Finish a trial whose last training this was; one that diverged waits for the others."""
        key = job.trial.trial_id
        self._ended[key].append(history)
        if len(self._ended[key]) < self.executions:
            return
        histories = self._ended.pop(key)
        finish = partial(self.finish, job.trial, histories, self._best.pop(key)[1])
        if any(each.diverged for each in histories):
            self._diverged[history.index] = finish
        else:
            finish()

    def _finish_the_diverged(self) -> None:
        """Finish the trials that diverged, in the order in which they were drawn.

        KerasTuner ends a search after three failures in a row. Those that diverge end first here, so their turn comes
        after the others', and counts as if the trials had ended in the order in which they were drawn.
        """
        for _, finish in sorted(self._diverged.items()):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)  # KerasTuner's own, of the curves
                finish()
            self.oracle.end_order.sort(key=self.oracle.start_order.index)
