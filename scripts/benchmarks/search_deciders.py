"""Somebody else's deciders, asked for a few settings at a time and told what came of them."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from typing import Any

from search_task import Task


class KerasTuner:
    """KerasTuner's random or Bayesian oracle, asked for a few settings at a time."""

    def __init__(self, task: Task, trials: int, name: str) -> None:
        import keras_tuner

        from tfcourse.models.hypermodels import declare

        space = keras_tuner.HyperParameters()
        declare(task.space, space)
        kind = {"RandomSearch": "RandomSearchOracle", "BayesianOptimization": "BayesianOptimizationOracle"}
        self.oracle: Any = getattr(keras_tuner.oracles, kind[name.split(".")[1]])(
            "val_loss", trials, seed=task.seed + 1, hyperparameters=space, max_consecutive_failed_trials=10**6
        )
        self.folder = tempfile.TemporaryDirectory()
        self.oracle._set_project_dir(self.folder.name, "search")
        self.oracle.verbose = 0
        self.waiting: list[Any] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        """Return the next settings."""
        from tfcourse.models.hypermodels import values_from_hp

        self.waiting = [self.oracle.create_trial(f"tuner{n}") for n in range(count)]
        return [values_from_hp(trial.hyperparameters.values) for trial in self.waiting]

    def tell(self, losses: Sequence[float]) -> None:
        """Tell what came of them."""
        for trial, loss in zip(self.waiting, losses, strict=True):
            trial.status = "COMPLETED" if math.isfinite(loss) else "INVALID"
            if math.isfinite(loss):
                self.oracle.update_trial(trial.trial_id, {"val_loss": loss})
            self.oracle.end_trial(trial)


class Optuna:
    """Optuna's tree-structured Parzen estimator, asked for a few settings at a time."""

    def __init__(self, task: Task, trials: int, name: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.space = task.space
        self.study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=task.seed, constant_liar=True))
        self.waiting: list[Any] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        """Return the next settings."""
        self.waiting = [self.study.ask() for _ in range(count)]
        return [self._values(trial) for trial in self.waiting]

    def _values(self, trial: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for p in self.space:
            if not p.active(values):
                continue
            if p.scale == "choice":
                values[p.name] = trial.suggest_categorical(p.name, p.values)
            elif p.scale == "integer":
                values[p.name] = trial.suggest_int(p.name, int(p.low), int(p.high))
            elif p.scale == "one_minus_log":
                values[p.name] = 1 - trial.suggest_float(f"one_minus_{p.name}", 1 - p.high, 1 - p.low, log=True)
            else:
                values[p.name] = trial.suggest_float(p.name, p.low, p.high, log=p.scale == "log")
        return values

    def tell(self, losses: Sequence[float]) -> None:
        """Tell what came of them."""
        import optuna

        for trial, loss in zip(self.waiting, losses, strict=True):
            if math.isfinite(loss):
                self.study.tell(trial, loss)
            else:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
