"""A KerasTuner tuner that trains each trial through ``Model.fit`` and loses nothing: ``--engine keras``."""

from __future__ import annotations

import contextlib
import io
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.errors import UserError
from tfcourse.files import replacing, write_json
from tfcourse.models.builders import build_mlp
from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.search.fit import Examples, Schedule, Training, fit_network
from tfcourse.search.oracle import DIVERGED, RandomOracle, Status, trial_seed


class FitTuner(keras_tuner.Tuner):
    """Train the trials of a :class:`RandomOracle` one after the other.

    The project folder is KerasTuner's, with every file written atomically, whole learning curves in each
    ``trial.json``, the best epoch's weights in each ``best_epoch.npz``, and those of the best trial also in the
    ``checkpoint.weights.h5`` that KerasTuner's own tuners load.

    Args:
        oracle: what draws the trials; its seed also gives the initial weights.
        hypermodel: what the trials' values describe.
        directory: where the project folder lies.
        project_name: the project folder's name.
        on_trial: called with each trial that ended.

    Attributes:
        on_progress: called with the trials' worth of training that is done of those under way, such as 2.5.
    """

    def __init__(
        self,
        oracle: RandomOracle,
        hypermodel: MLPHyperModel,
        *,
        directory: Path | str,
        project_name: str = "search",
        on_trial: Callable[[Any], None] = lambda trial: None,
    ) -> None:
        self.on_trial = on_trial
        self.on_progress: Callable[[float], None] = lambda under_way: None
        with contextlib.redirect_stdout(io.StringIO()):  # KerasTuner says that it reloads
            super().__init__(oracle, hypermodel, directory=str(directory), project_name=project_name)
        self.oracle.verbose = 0

    def _populate_initial_space(self) -> None:
        """Take the space as the hypermodel declares it, without building a model for each of its branches."""
        space = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(space)
        self.oracle.update_space(space)

    def search(self, examples: Examples, schedule: Schedule) -> None:  # type: ignore[override]
        """Train trials until the oracle has no more, or the schedule's deadline has passed; at least one.

        Args:
            examples: what the trials train and validate on.
            schedule: for how long each.
        """
        self.save()
        while not self.oracle.end_order or time.monotonic() < schedule.deadline:
            trials = self.draw(schedule)
            if not trials:
                break
            self.train(trials, examples, schedule)
        self.finish_search()

    def draw(self, schedule: Schedule) -> list[Any]:
        """Return the next trials to train together, none when the search has no more."""
        trial = self.oracle.create_trial(self.tuner_id)
        return [] if trial.status == Status.STOPPED else [trial]

    def train(self, trials: list[Any], examples: Examples, schedule: Schedule) -> None:
        """Train trials and keep what came of each; what stops one trial alone is kept as its reason."""
        for trial in trials:
            try:
                training = self.run_trial(trial, examples, schedule)
            except (OSError, UserError):  # a full disk stops the search, not one trial
                raise
            except Exception:
                trial.status, trial.message = Status.FAILED, traceback.format_exc()
                self.end(trial)
            else:
                self.keep(trial, training)

    def keep(self, trial: Any, training: Training) -> None:
        """Keep a training's curves, and its best epoch's weights unless it diverged, and end the trial."""
        self.oracle.record_curves(trial.trial_id, training.curves)
        if training.diverged:
            rate = trial.hyperparameters.values["learning_rate"]
            trial.status = Status.FAILED
            trial.message = f"{DIVERGED}: {training.diverged}, at learning rate {rate:.3g}"
        else:
            self.keep_weights(trial, training)
            trial.status = Status.COMPLETED
        self.end(trial)

    def end(self, trial: Any) -> None:
        """Tell the oracle and whoever listens that a trial has ended."""
        self.on_trial_end(trial)
        self.on_trial(self.oracle.get_trial(trial.trial_id))

    def finish_search(self) -> None:
        """Write the oracle's last state, and the best trial's weights where KerasTuner looks for them."""
        self.oracle.save(now=True)
        for trial in self.oracle.get_best_trials(1):
            if trial.status == Status.COMPLETED:
                with replacing(Path(self._get_checkpoint_fname(trial.trial_id))) as path:
                    self.load_model(trial).save_weights(path)

    def run_trial(self, trial: Any, examples: Examples, schedule: Schedule) -> Training:
        """Train one trial; the same trial gives the same result whenever it is run."""
        network, optimizer, batch_size = self.hypermodel.specs(trial.hyperparameters)
        return fit_network(network, optimizer, examples, schedule, batch_size=batch_size, seed=self.seed_of(trial))

    def seed_of(self, trial: Any) -> int:
        """Return the seed of a trial's initial weights and dropout masks."""
        return trial_seed(self.oracle.seed, int(trial.trial_id))

    def keep_weights(self, trial: Any, training: Training) -> None:
        """Write the weights of a trial's best epoch as plain arrays, which takes no model."""
        with replacing(self.weights_path(trial)) as path:
            np.savez(path, *training.weights)

    def weights_path(self, trial: Any) -> Path:
        """Return where a trial's weights lie."""
        return Path(self.get_trial_dir(trial.trial_id)) / "best_epoch.npz"

    def build(self, trial: Any) -> keras.Model:
        """Return a trial's network, untrained."""
        network, optimizer, _ = self.hypermodel.specs(trial.hyperparameters)
        return build_mlp(network, optimizer)

    def load_model(self, trial: Any) -> keras.Model:
        """Return a trial's network with its best epoch's weights; it gives logits."""
        model = self.build(trial)
        with np.load(self.weights_path(trial), allow_pickle=False) as arrays:
            model.set_weights([arrays[name] for name in arrays.files])
        return model

    def save(self) -> None:
        """Write the tuner's and the oracle's state."""
        self.oracle.save()
        write_json(Path(self._get_tuner_fname()), self.get_state(), indent=None)
