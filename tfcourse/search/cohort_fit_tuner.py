"""The tuner of ``train`` on the cohort engine: many trials trained as one program, the same files kept."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tfcourse.cohort import MemberHistory, fit_together
from tfcourse.cohort.member import Member
from tfcourse.cohort.plan import FIXED_PLACES
from tfcourse.search.fit import Schedule, Training, TrainingData
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.following import Following
from tfcourse.search.halving import going_on, rungs
from tfcourse.search.padding import Padding
from tfcourse.space.names import values_from_hp
from tfcourse.space.objective import Objective


@dataclass
class _Job:
    """One training of one trial."""

    trial: Any
    member: Member
    batch_size: int
    following: Following
    ended: bool = False
    lost: str = ""


class CohortFitTuner(FitTuner):
    """Train the trials of a :class:`~tfcourse.search.oracle.RandomOracle` together: ``--engine cohort``.

    Networks are padded to the widest and deepest that the space allows, so that the compiled programs, and with them a
    trial's result to the last bit, are the same whichever trials train together; a resumed search depends on it.
    """

    at_once = 64

    @property
    def brackets_at_once(self) -> int:
        """Brackets that are drawn together, so that every worker has work; each is thinned by itself all the same."""
        return max(1, math.ceil(2 * self.executor.size * FIXED_PLACES / self.at_once)) if self.executor else 1

    def train(self, trials: list[Any], examples: TrainingData, schedule: Schedule) -> None:
        """Train trials together, each from as many seeds as there are repeats; keep what came of each as it ends."""
        jobs = [self._job(trial, repeat, schedule) for trial in trials for repeat in range(schedule.repeats)]
        of_trial: dict[str, list[_Job]] = defaultdict(list)
        for job in jobs:
            of_trial[job.trial.trial_id].append(job)
        done = 0
        for rung, epochs in enumerate(rungs(schedule.epochs) if schedule.halving else [schedule.epochs]):
            running = [job for job in jobs if not job.following.over]
            self._train_to(epochs, done, running, of_trial, examples, schedule)
            done = epochs
            if epochs < schedule.epochs:
                self._thin(rung, epochs, of_trial, schedule)

    def _job(self, trial: Any, repeat: int, schedule: Schedule) -> _Job:
        setting = values_from_hp(trial.hyperparameters.values)  # the oracle keeps none that is not active
        network, optimizer, batch_size = self.hypermodel.specs_of(setting)
        examples = self.hypermodel.rows * schedule.epochs
        padding = Padding.of_space(self.hypermodel.space, inputs=self.hypermodel.inputs, examples=examples)
        member = padding.member(network, optimizer, self.seed_of(trial, repeat))
        return _Job(trial, member, batch_size, Following(schedule))

    def _train_to(
        self,
        epochs: int,
        done: int,
        jobs: Sequence[_Job],
        of_trial: dict[str, list[_Job]],
        examples: TrainingData,
        schedule: Schedule,
    ) -> None:
        """Train jobs that are at epoch ``done`` to epoch ``epochs``, and keep the trials that ended."""
        under_way = dict.fromkeys(range(len(jobs)), 0.0)

        def show_progress() -> None:
            self.on_progress(sum(list(under_way.values())) / schedule.repeats)

        def progressed(news: Mapping[int, int]) -> None:
            if schedule.interrupted():
                raise KeyboardInterrupt
            under_way.update({index: epochs / schedule.epochs for index, epochs in news.items() if index in under_way})
            show_progress()

        def members_ended(histories: Sequence[MemberHistory]) -> None:
            for history in histories:
                job = jobs[history.index]
                under_way.pop(history.index, None)
                if history.lost:
                    job.following.over, job.lost = True, history.lost
                optimizer = replace(job.member.optimizer, iterations=history.params["steps"] * job.following.epochs)
                job.member = replace(job.member, start=history.end, optimizer=optimizer)
                job.ended = job.following.over
            ids = dict.fromkeys(jobs[history.index].trial.trial_id for history in histories)
            self._keep_all([of_trial[each] for each in ids if all(job.ended for job in of_trial[each])])
            show_progress()

        fit_together(
            [job.member for job in jobs],
            examples.x,
            examples.y,
            sample_weight=examples.weights,
            validation_data=examples.validation,
            initial_epoch=done,
            epochs=epochs,
            batch_size=[job.batch_size for job in jobs],
            seed=schedule.order_seed,
            watches=[job.following for job in jobs],
            on_progress=progressed,
            on_members_end=members_ended,
            executor=self.executor,
        )

    def _keep_all(self, trials: Sequence[Sequence[_Job]]) -> None:
        """Keep what came of trials, by their trainings, or the reason why one of these could not be done anywhere."""
        ended: list[tuple[Any, list[Training] | str]] = []
        for jobs in trials:
            lost = next((job.lost for job in jobs if job.lost), "")
            ended.append((jobs[0].trial, lost or [job.following.training for job in jobs]))
        self.keep_together(ended)

    def _thin(self, rung: int, epoch: int, of_trial: dict[str, list[_Job]], schedule: Schedule) -> None:
        """End the trials that are not among the better third of their bracket at a rung."""
        thinned: list[list[_Job]] = []
        for bracket in {self.oracle.bracket_of(int(trial_id)): None for trial_id in of_trial}:
            trial_ids = self.oracle.trials_of_bracket(bracket)
            mates = self._objective_curves(trial_ids, of_trial, epoch, schedule.objective)
            stay = going_on(mates, rung, epoch, higher_is_better=Objective(schedule.objective).higher_is_better)
            for trial_id in trial_ids:
                jobs = of_trial.get(trial_id, [])
                if int(trial_id) in stay or all(job.following.over for job in jobs):
                    continue
                for job in jobs:
                    job.following.over = True
                self.oracle.note(trial_id, halved_at=epoch)
                thinned.append(jobs)
        self._keep_all(thinned)

    def _objective_curves(
        self, trial_ids: Sequence[str], of_trial: dict[str, list[_Job]], epoch: int, objective: str
    ) -> dict[int, list[float]]:
        """Return the curves that trials are compared by: of the first seed, from training or from an earlier part.

        A trial that diverged has none, unless it did so after ``epoch``: then it was among those compared.
        """
        curves = {}
        for trial_id in trial_ids:
            if trial_id in of_trial:
                trainings = [job.following.training for job in of_trial[trial_id]]
                curve = trainings[0].curves.get(objective, [])
                failed = any(each.diverged and len(each.curves.get(objective, [])) < epoch for each in trainings)
            else:
                curve = self.oracle.curve(trial_id, objective)
                failed = self.oracle.failed(trial_id) and len(curve) < epoch
            curves[int(trial_id)] = [] if failed else curve
        return curves
