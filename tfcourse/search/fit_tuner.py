"""A KerasTuner tuner that trains each trial through ``Model.fit`` and loses nothing: ``--engine keras``."""

from __future__ import annotations

import contextlib
import copy
import io
import os
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner

from tfcourse.cohort.work import Executor
from tfcourse.errors import UserError
from tfcourse.files.npz import npz_content
from tfcourse.files.write_batch import WriteBatch
from tfcourse.files.writing import make_folder, to_disk, write_bytes, write_json
from tfcourse.models.convnet import ConvNetSpec
from tfcourse.models.hypermodels import SpecHyperModel
from tfcourse.models.kept_weights import set_kept_weights
from tfcourse.models.networks import build_network
from tfcourse.models.saving import weights_content
from tfcourse.process.start_keras import KerasError
from tfcourse.search.fit import Schedule, Training, TrainingData, fit_network
from tfcourse.search.oracle import RandomOracle, Status, trial_seed
from tfcourse.search.pace import Pace
from tfcourse.space.names import DIVERGED


class FitTuner(keras_tuner.Tuner):
    """Train the trials of a :class:`RandomOracle` one after the other.

    The project folder is KerasTuner's, with every file written atomically, whole learning curves in each
    ``trial.json``, the best epoch's weights in each ``best_epoch.npz``, and those of the best trial also in the
    ``checkpoint.weights.h5`` that KerasTuner's own tuners load.

    Attributes:
        at_once: trials that are drawn before any of them is trained.
        executor: where the cohorts of a tuner that has such are trained; None is on threads of this process.

    Args:
        oracle: what draws the trials; its seed also gives the initial weights.
        hypermodel: what the trials' values describe.
        directory: where the project folder lies.
        project_name: the project folder's name.
        on_trial: called with each trial that ended.

    Attributes:
        on_progress: called with the trials' worth of training that is done of those under way, such as 2.5.

    Raises:
        KerasError: if KerasTuner's variables say that the process is part of its parallel search.
    """

    at_once = 1
    executor: Executor | None = None

    def __init__(
        self,
        oracle: RandomOracle,
        hypermodel: SpecHyperModel,
        *,
        directory: Path | str,
        project_name: str = "search",
        on_trial: Callable[[Any], None] = lambda trial: None,
    ) -> None:
        if "KERASTUNER_ORACLE_IP" in os.environ:
            raise KerasError(
                "KERASTUNER_ORACLE_IP is set, which makes a process part of KerasTuner's own parallel search; this"
                " search has one process. Unset it."
            )
        self.on_trial = on_trial
        self._saved: dict[str, Any] | None = None
        self.on_progress: Callable[[float], None] = lambda under_way: None
        make_folder(Path(directory) / project_name)  # a full disk is an OSError here, and TensorFlow's own error there
        with contextlib.redirect_stdout(io.StringIO()):  # KerasTuner says that it reloads
            super().__init__(oracle, hypermodel, directory=str(directory), project_name=project_name)
        self.oracle.verbose = 0

    @property
    def brackets_at_once(self) -> int:
        """Brackets of ``at_once`` trials that are drawn together."""
        return 1

    def _populate_initial_space(self) -> None:
        """Take the space as the hypermodel declares it, without building a model for each of its branches."""
        space = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(space)
        self.oracle.update_space(space)

    def reload(self) -> None:
        """Take up a search from its trials' files; KerasTuner's file of the tuner itself has nothing beside them."""
        self.oracle.reload()

    def search(self, examples: TrainingData, schedule: Schedule) -> None:  # type: ignore[override]
        """Train trials until the oracle has no more, or the schedule's deadline has passed; at least one.

        Args:
            examples: what the trials train and validate on.
            schedule: for how long each.
        """
        self.save()
        self.on_search_begin()
        pace = Pace(schedule.deadline, self.oracle.rounds_left)
        while not self.oracle.end_order or time.monotonic() < schedule.deadline:
            room = pace.room(self.at_once * self.brackets_at_once)
            if self.oracle.round_is_full or (room == 0 and pace.rounds > 1):
                self.oracle.begin_round()
                pace.begin_round()
                room = pace.room(self.at_once * self.brackets_at_once)
            trials = self.draw(room)
            if not trials:
                break
            self.train(trials, examples, schedule)
            pace.ended(len(trials))
        self.finish_search()
        self.on_search_end()

    def draw(self, most: int) -> list[Any]:
        """Return the next trials, each under a tuner id of its own; none when the search or its round has no more.

        They are of one bracket, or of several whole ones, so that halving thins what it would have thinned without an
        interruption.
        """
        trials: list[Any] = []
        brackets: set[int] = set()
        self.oracle.bracket_size = self.at_once
        with self.oracle.saving_together():
            while len(trials) < most:
                if (
                    len(brackets) >= self.brackets_at_once
                    and not self.oracle.cut_short
                    and self.oracle.bracket_of(len(self.oracle.trials)) not in brackets
                ):
                    break
                self.pre_create_trial()
                trial = self.oracle.create_trial(f"{self.tuner_id}_{len(trials)}")
                if trial.status != Status.RUNNING:
                    break
                self.on_trial_begin(trial)
                trials.append(trial)
                brackets.add(self.oracle.bracket_of(int(trial.trial_id)))
        if trials:  # so that after a power cut no number is missing before one that is there
            to_disk(Path(self.project_dir))
        return trials

    def train(self, trials: list[Any], examples: TrainingData, schedule: Schedule) -> None:
        """Train trials and keep what came of each; what stops one trial alone is kept as its reason."""
        for trial in trials:
            try:
                trainings = [self.run_trial(trial, examples, schedule, n) for n in range(schedule.repeats)]
            except (OSError, UserError):  # a full disk stops the search, not one trial
                raise
            except Exception:
                trial.status, trial.message = Status.FAILED, traceback.format_exc()
                self.end(trial)
            else:
                self.keep(trial, trainings)

    def keep(self, trial: Any, trainings: Sequence[Training]) -> None:
        """Keep what came of a trial, trained from one seed or several, and end it."""
        self.keep_together([(trial, trainings)])

    def keep_together(self, trained: Sequence[tuple[Any, Sequence[Training] | str]]) -> None:
        """Keep what came of trials that have ended by now, or why one could not be trained anywhere, and end them.

        Curves and weights are those of a trial's first seed, not of its luckiest; its score is the mean of all. The
        weights of all are on the disk before any trial's file tells of them, and both before anybody is told. Where the
        disk fails for one, the others are kept and ended all the same.
        """
        errors: list[OSError] = []
        taken: list[Any] = []
        try:
            with WriteBatch() as files:
                for trial, trainings in trained:
                    if isinstance(trainings, str):  # which says nothing against the others
                        self.oracle.note(trial.trial_id, lost=True)
                        trial.status, trial.message = Status.FAILED, f"lost: {trainings}"
                    elif self._take(trial, trainings):
                        try:
                            self.keep_weights(trial, trainings[0], files)
                        except OSError as error:
                            errors.append(error)
                    taken.append(trial)
        except OSError as error:
            errors.append(error)
        kept = [trial for trial in taken if trial.status == Status.FAILED or os.path.exists(self._weights_file(trial))]
        for trial in taken:
            if trial not in kept:
                trial.status = Status.RUNNING  # it has not ended, and has no score that another could be compared with
        with self.oracle.saving_together():
            for trial in kept:
                self.on_trial_end(trial)
        for trial in kept:
            self.on_trial(self.oracle.get_trial(trial.trial_id))
        if errors:
            raise errors[0]

    def _take(self, trial: Any, trainings: Sequence[Training]) -> bool:
        """Put what came of a trial's trainings into it, and say whether it has weights to keep."""
        diverged = next((training for training in trainings if training.diverged), None)
        self.oracle.record_curves(trial.trial_id, (diverged or trainings[0]).curves)
        if diverged:
            rate = trial.hyperparameters.values["learning_rate"]
            self.oracle.note(trial.trial_id, diverged=True)
            trial.status = Status.FAILED
            trial.message = f"{DIVERGED}: {diverged.diverged}, at learning rate {rate:.3g}"
            return False
        if len(trainings) > 1:
            scores = [training.score(self.oracle.objective.name) for training in trainings]
            self.oracle.note(trial.trial_id, repeats=scores)
        trial.status = Status.COMPLETED
        return True

    def end(self, trial: Any) -> None:
        """Tell the oracle and whoever listens that a trial has ended."""
        self.on_trial_end(trial)
        self.on_trial(self.oracle.get_trial(trial.trial_id))

    def finish_search(self) -> None:
        """Write the oracle's last state, and the best trial's weights where KerasTuner looks for them."""
        self.oracle.save(now=True)
        for trial in self.oracle.get_best_trials(1):
            if trial.status == Status.COMPLETED:
                write_bytes(Path(self._get_checkpoint_fname(trial.trial_id)), weights_content(self.load_model(trial)))

    def run_trial(self, trial: Any, examples: TrainingData, schedule: Schedule, repeat: int = 0) -> Training:
        """Train one trial; the same trial gives the same result whenever it is run."""
        network, optimizer, batch_size = self.hypermodel.specs(trial.hyperparameters)
        seed = self.seed_of(trial, repeat)
        return fit_network(network, optimizer, examples, schedule, batch_size=batch_size, seed=seed)

    def seed_of(self, trial: Any, repeat: int = 0) -> int:
        """Return the seed of the initial weights and dropout masks of a trial's repeat, from 0."""
        return trial_seed(self.oracle.seed, int(trial.trial_id), repeat)

    def keep_weights(self, trial: Any, training: Training, files: WriteBatch) -> None:
        """Write the weights of a trial's best epoch as plain arrays, which takes no model."""
        files.write(self._weights_file(trial), npz_content(training.weights))

    def weights_path(self, trial: Any) -> Path:
        """Return where a trial's weights lie."""
        return Path(self._weights_file(trial))

    def _weights_file(self, trial: Any) -> str:
        return f"{self.oracle._get_trial_dir(trial.trial_id)}/best_epoch.npz"

    def build(self, trial: Any) -> keras.Model:
        """Return a trial's network, untrained, as it answers: what it does to images in training alone is left out."""
        network, optimizer, _ = self.hypermodel.specs(trial.hyperparameters)
        return build_network(network.at_rest if isinstance(network, ConvNetSpec) else network, optimizer)

    def load_model(self, trial: Any) -> keras.Model:
        """Return a trial's network with its best epoch's weights; it gives logits."""
        model = self.build(trial)
        set_kept_weights(model, self.weights_path(trial))
        return model

    def save(self) -> None:
        """Write the tuner's and the oracle's state."""
        self.oracle.save()
        if (state := self.get_state()) != self._saved:
            write_json(Path(self._get_tuner_fname()), state, indent=None)
            self._saved = copy.deepcopy(state)
