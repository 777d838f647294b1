"""Somebody else's deciders, asked for a few settings at a time and told what came of them."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from search_task import Task

Floats = NDArray[np.float64]


class KerasTuner:
    """KerasTuner's random or Bayesian oracle, asked for a few settings at a time."""

    def __init__(self, task: Task, trials: int, name: str) -> None:
        import keras_tuner

        from tfcourse.models.hypermodels import declare

        space = keras_tuner.HyperParameters()
        declare(task.space, space)
        kind = keras_tuner.oracles.RandomSearchOracle if "Random" in name else quick_bayesian_oracle()
        self.oracle: Any = kind(
            "val_loss", trials, seed=task.seed + 1, hyperparameters=space, max_consecutive_failed_trials=10**6
        )
        self.folder = tempfile.TemporaryDirectory()
        self.oracle._set_project_dir(self.folder.name, "search")
        self.oracle.verbose = 0
        self.waiting: list[Any] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        """Return the next settings."""
        from tfcourse.space.names import values_from_hp

        self.waiting = [self.oracle.create_trial(f"tuner{n}") for n in range(count)]
        return [values_from_hp(trial.hyperparameters.values) for trial in self.waiting]

    def tell(self, losses: Sequence[float]) -> None:
        """Tell what came of them."""
        for trial, loss in zip(self.waiting, losses, strict=True):
            trial.status = "COMPLETED" if math.isfinite(loss) else "INVALID"
            if math.isfinite(loss):
                self.oracle.update_trial(trial.trial_id, {"val_loss": loss})
            self.oracle.end_trial(trial)


def quick_bayesian_oracle() -> type[Any]:
    """Return KerasTuner's Bayesian oracle, asking for the same settings to five digits in a fraction of the minutes.

    It minimizes the Gaussian process's bound from 50 starts a trial, and scikit-learn predicts each point of each
    gradient by itself. Here the points of a gradient are predicted together.
    """
    import keras_tuner
    import scipy.optimize

    minimize = scipy.optimize.minimize

    class Quick(keras_tuner.oracles.BayesianOptimizationOracle):  # type: ignore[misc]
        def populate_space(self, trial_id: str) -> dict[str, Any]:
            with mock.patch.object(scipy.optimize, "minimize", self._minimize):
                return dict(super().populate_space(trial_id))

        def _minimize(self, function: Any, x0: Floats, **how: Any) -> Any:
            if "jac" in how:  # scikit-learn's, fitting the process
                return minimize(function, x0, **how)
            return minimize(self._bound_and_gradient, x0, jac=True, **how)

        def _bound_and_gradient(self, x: Floats) -> tuple[float, Floats]:
            """Return the lower confidence bound at x, (d,), and its gradient as SciPy's forward differences have it."""
            steps = np.sqrt(np.finfo(float).eps) * np.maximum(1, np.abs(x))
            steps = np.where(x + steps > 1, -steps, steps)
            points = x + np.vstack([np.zeros_like(x), np.diag(steps)])
            mean, deviation = posterior(self.gpr, points)
            bound = mean - self.beta * deviation
            return float(bound[0]), (bound[1:] - bound[0]) / (points[1:].diagonal() - x)

    return Quick


def posterior(process: Any, points: Floats) -> tuple[Floats, Floats]:
    """Return mean and deviation, (n,), of a fitted Gaussian process of Matérn kernel, ν = 2.5, at points (n, d)."""
    distances = np.sqrt(np.square(points[:, None] - process.X_train_).sum(axis=2)) / process.kernel_.length_scale
    scaled = math.sqrt(5) * distances
    kernel = (1 + scaled + np.square(scaled) / 3) * np.exp(-scaled)
    v = solve_triangular(process.L_, kernel.T, lower=True, check_finite=False)
    scale, shift = process._y_train_std, process._y_train_mean
    variance = np.maximum(1 - np.square(v).sum(axis=0), 0)
    return scale * (kernel @ process.alpha_) + shift, scale * np.sqrt(variance)


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
