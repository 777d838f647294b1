"""A KerasTuner tuner that trains its trials together: ``CohortTuner`` in place of ``keras_tuner.Tuner``."""

from __future__ import annotations

import itertools
import re
import time
import warnings
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras_tuner.src import utils
from keras_tuner.src.engine import tuner_utils

from tfcourse.cohort import MemberHistory, NotFusableError, fit_together
from tfcourse.cohort.dataset import Examples
from tfcourse.cohort.from_keras import member_of_model
from tfcourse.cohort.member import Member, member_of_spec
from tfcourse.errors import UserError
from tfcourse.files import replacing
from tfcourse.models.kept_weights import set_kept_weights
from tfcourse.search.cohort_arguments import (
    COHORT_ARGUMENTS,
    DEFAULTS,
    FIT_ARGUMENTS,
    examples_of,
    with_validation_split,
)
from tfcourse.search.cohort_callbacks import callbacks_of, in_model, need_a_model, reason_against

WEIGHTS_FILE = "best_epoch.npz"


@dataclass
class _Job:
    """One training of one trial."""

    trial: Any
    execution: int
    member: Member
    batch_size: int | None
    model: keras.Model | None
    callbacks: list[Any] = field(default_factory=list)


class CohortTuner(keras_tuner.Tuner):
    """Search with any KerasTuner hypermodel and oracle, many trials trained as one program.

    Use it like a KerasTuner tuner; the results, the project folder and ``get_best_models`` are the same. A trial that
    a cohort cannot train is trained by ``Model.fit``, and one line says why. When the hypermodel has a method
    ``specs(hp) -> (NetworkSpec, OptimizerSpec, batch_size or None)``, no Keras model is built during the search.

    The best epoch's weights of each trial lie in ``best_epoch.npz`` in its folder, the whole learning curves in its
    ``trial.metrics``.

    Args:
        hypermodel: a ``keras_tuner.HyperModel`` or a function from hyperparameters to a compiled model.
        oracle: a ``keras_tuner.Oracle``; when left out, a random search with ``objective``, ``max_trials`` and the
            other arguments of ``keras_tuner.RandomSearch``.
        trials_at_once: trials drawn before any of them is trained; by the oracle when left out: 16 for Bayesian
            optimization, which learns from results, and 256 for others.
        seed: of the minibatch order and, for hypermodels with ``specs``, of the initial weights.
        fit_options: arguments for ``fit_together`` such as ``places``, ``workers`` or ``jit_compile``.
        on_trial_trained: called with each trial when it has ended, its curves recorded.
        **kwargs: as for ``keras_tuner.Tuner``.

    Raises:
        UserError: if the oracle is KerasTuner's Hyperband.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        oracle: keras_tuner.Oracle | None = None,
        *,
        trials_at_once: int | None = None,
        seed: int = 0,
        fit_options: dict[str, Any] | None = None,
        on_trial_trained: Callable[[Any], object] = lambda trial: None,
        **kwargs: Any,
    ) -> None:
        if oracle is None:
            names = [
                "objective", "max_trials", "hyperparameters", "allow_new_entries", "tune_new_entries",
                "max_retries_per_trial", "max_consecutive_failed_trials",
            ]  # fmt: skip
            own = {name: kwargs.pop(name) for name in names if name in kwargs}
            oracle = keras_tuner.oracles.RandomSearchOracle(seed=seed, **own)
        if isinstance(oracle, keras_tuner.oracles.HyperbandOracle):
            raise UserError(
                "CohortTuner was given a HyperbandOracle, whose trials go on from one another's weights, which a cohort"
                " cannot do. Give a random, Bayesian, grid or other oracle, or use keras_tuner.Hyperband."
            )
        learns = isinstance(oracle, keras_tuner.oracles.BayesianOptimizationOracle)
        self.trials_at_once = trials_at_once or (16 if learns else 256)
        self.seed = seed
        self.fit_options = fit_options or {}
        self.on_trial_trained = on_trial_trained
        self._told: set[str] = set()
        super().__init__(oracle, hypermodel, **kwargs)

    def _populate_initial_space(self) -> None:
        if not hasattr(self.hypermodel, "specs"):
            super()._populate_initial_space()
            return
        space = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(space)
        self.hypermodel.specs(space)
        self.oracle.update_space(space)

    def trial_seed(self, trial: Any, execution: int = 0) -> int:
        """Return the seed of a trial's initial weights and dropout masks; the same trial has the same one always."""
        return zlib.crc32(f"{self.seed}/{trial.trial_id}/{execution}".encode())

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Train trials until the oracle has no more; takes the arguments of ``Model.fit``."""
        fit_kwargs |= dict(zip(FIT_ARGUMENTS, fit_args, strict=False))
        if "verbose" in fit_kwargs:
            self.oracle.verbose = fit_kwargs["verbose"]
        self.on_search_begin()
        while trials := self._draw():
            self._train(trials, fit_kwargs)
        self.on_search_end()

    def _draw(self) -> list[Any]:
        """Return the next trials, each under a tuner id of its own, because one id never has two at a time."""
        trials: list[Any] = []
        while len(trials) < self.trials_at_once:
            self.pre_create_trial()
            trial = self.oracle.create_trial(f"{self.tuner_id}_{len(trials)}")
            if trial.status == "STOPPED" or (trial.status == "IDLE" and trials):
                break
            if trial.status == "IDLE":
                time.sleep(0.1)
                continue
            self.on_trial_begin(trial)
            trials.append(trial)
        return trials

    def _train(self, trials: list[Any], fit_kwargs: dict[str, Any]) -> None:
        """Train ``trials``, together as far as a cohort can, the others one by one."""
        given = {n: v for n, v in fit_kwargs.items() if n not in DEFAULTS or v != DEFAULTS[n]}
        against = self._reason_against(given)
        examples: list[Examples] = []
        if against is None:
            try:
                given = with_validation_split(given)
                examples = examples_of(given)
            except NotFusableError as error:
                against = str(error)
        if not hasattr(self.hypermodel, "specs"):
            keras.backend.clear_session()
        jobs: list[_Job] = []
        alone: list[tuple[Any, str]] = []
        for trial in trials:
            try:
                if against is not None:
                    raise NotFusableError(against)
                own = [self._job(trial, execution, given) for execution in range(self.executions_per_trial)]
                for member, part in itertools.product([job.member for job in own], examples):
                    part.check_labels(member.classes, member.sparse)
                jobs += own
            except UserError as error:
                alone.append((trial, str(error)))
            except Exception:
                # A model that cannot be built; KerasTuner's own way keeps the trace as the trial's message.
                alone.append((trial, ""))
        if jobs:
            alone += self._train_together(jobs, given)
        for trial, reason in alone:
            self._say(trial, reason)
            self._try_run_and_update_trial(trial, **fit_kwargs)
            self._end(trial)

    def _reason_against(self, given: dict[str, Any]) -> str | None:
        """Return why the arguments of ``search`` or the tuner itself rule cohorts out, None if nothing does."""
        if unknown := sorted(set(given) - COHORT_ARGUMENTS):
            return f"argument {unknown[0]!r} of search is not for cohorts"
        if not (hasattr(given.get("x"), "shape") and hasattr(given.get("y"), "shape")):
            return "x and y are not arrays"
        if given.get("validation_data") is not None and not isinstance(given["validation_data"], tuple | list):
            return "validation_data is no tuple of arrays"
        for method in ("on_batch_begin", "on_batch_end", "on_epoch_begin", "on_epoch_end", "run_trial"):
            if getattr(type(self), method) is not getattr(keras_tuner.Tuner, method):
                return f"the tuner has a {method} of its own"
        if type(self.hypermodel).fit is not keras_tuner.HyperModel.fit and not hasattr(self.hypermodel, "specs"):
            return "the hypermodel has a fit of its own"
        if self.distribution_strategy is not None:
            return "the tuner has a distribution_strategy"
        return reason_against(given.get("callbacks") or [])

    def _job(self, trial: Any, execution: int, given: dict[str, Any]) -> _Job:
        """Return a training of ``trial``, with a Keras model only where one is needed."""
        hp, batch_size, model = trial.hyperparameters, given.get("batch_size"), None
        callbacks = self._deepcopy_callbacks(given.get("callbacks") or [])
        self._configure_tensorboard_dir(callbacks, trial, execution)
        specs = self.hypermodel.specs(hp) if hasattr(self.hypermodel, "specs") else None
        if specs is not None:
            batch_size = batch_size or specs[2]
        if specs is not None and not need_a_model(callbacks):
            network, optimizer = specs[:2]
            sparse = np.ndim(given["y"]) == 1 or np.shape(given["y"])[1] == 1
            member = member_of_spec(network, optimizer, self.trial_seed(trial, execution), sparse=sparse)
        else:
            model = self._build_hypermodel(hp)
            parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
            if self.max_model_size and parameters > self.max_model_size:
                raise NotFusableError("")  # Tuner.run_trial fails it with its own words.
            if not model.built:
                model.build((None, *np.shape(given["x"])[1:]))
            try:
                member = member_of_model(model, seed=self.trial_seed(trial, execution))
            except UserError:
                raise
            except Exception as error:  # a model of a kind that nobody thought of
                raise NotFusableError(f"{type(error).__name__}: {error}") from None
            utils.save_json(self._get_build_config_fname(trial.trial_id), model.get_build_config())
        curves = {"loss", *([member.accuracy] if member.accuracy else [])}
        curves |= {f"val_{name}" for name in curves} if given.get("validation_data") is not None else set()
        objective = self.oracle.objective
        if objective.name not in curves:
            raise NotFusableError(f"objective {objective.name!r} is not computed in a cohort")
        if objective.direction != ("max" if "acc" in objective.name else "min"):
            raise NotFusableError(
                f"a cohort's best epoch is not the one whose {objective.name} is {objective.direction}"
            )
        return _Job(trial, execution, member, batch_size, model, callbacks)

    def _train_together(self, jobs: list[_Job], given: dict[str, Any]) -> list[tuple[Any, str]]:
        """Train ``jobs`` in cohorts and report each trial as it ends; return the trials that must be fitted alone."""
        epochs = given.get("epochs", 1)
        every = [(job, callbacks_of(job.callbacks, job.model, job.member, epochs)) for job in jobs]
        ended: dict[str, list[MemberHistory]] = defaultdict(list)
        weights: dict[str, tuple[float, list[Any]]] = {}
        alone: dict[str, tuple[Any, str]] = {}

        def leave(trial: Any, changed: str) -> None:
            alone[trial.trial_id] = (trial, f"a callback changed {changed}")

        for job, runner in every:
            if runner is not None and runner.changed is not None:
                leave(job.trial, runner.changed)
        staying = [(job, runner) for job, runner in every if job.trial.trial_id not in alone]
        jobs, runners = [job for job, _ in staying], [runner for _, runner in staying]
        planned: list[str] = []

        def plan_made(words: str) -> None:
            planned.append(words)
            if self.oracle.verbose:
                print(f"CohortTuner: {words}.")

        diverged: dict[int, Callable[[], None]] = {}

        def epoch_end(history: MemberHistory) -> None:
            if runner := runners[history.index]:
                runner.epoch_end(history)

        def member_end(history: MemberHistory) -> None:
            job, runner = jobs[history.index], runners[history.index]
            if runner is not None and runner.changed is not None:
                leave(job.trial, runner.changed)
                return
            key = job.trial.trial_id
            score = self._best(history)
            if key not in weights or self.oracle.objective.better_than(score, weights[key][0]):
                own = history.weights if job.model is None else in_model(job.model, history.weights)
                weights[key] = (score, own)
            if runner is not None:
                runner.train_end(history)
            ended[key].append(history)
            if len(ended[key]) == self.executions_per_trial:
                histories = ended.pop(key)
                report = partial(self._report, job.trial, histories, weights.pop(key)[1])
                if any(each.diverged for each in histories):
                    diverged[history.index] = report
                else:
                    report()

        names = ("validation_data", "shuffle", "class_weight", "sample_weight")
        try:
            fit_together(
                [job.member for job in jobs],
                given["x"],
                given["y"],
                epochs=epochs,
                batch_size=[job.batch_size or 32 for job in jobs],
                monitor=self.oracle.objective.name,
                restore_best_weights=True,
                seed=self.seed,
                on_epoch_end=epoch_end if any(runners) else None,
                on_member_end=member_end,
                on_plan=plan_made,
                **{name: given[name] for name in names if name in given},
                **self.fit_options,
            )
        except NotFusableError as error:
            if planned:
                raise
            alone |= {job.trial.trial_id: (job.trial, str(error)) for job in jobs}
        finally:
            # KerasTuner ends a search after three failures in a row. Those that diverge end first here, so their turn
            # comes after the others', and counts as if the trials had ended in the order in which they were drawn.
            for _, report in sorted(diverged.items()):
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)  # KerasTuner's own, of the curves
                    report()
                self.oracle.end_order.sort(key=self.oracle.start_order.index)
        return list(alone.values())

    def _best(self, history: MemberHistory) -> float:
        """Return the objective at the member's best epoch."""
        return history.history[self.oracle.objective.name][history.best_epoch or 0]

    def _report(self, trial: Any, histories: list[MemberHistory], weights: list[Any]) -> None:
        """Give the oracle a trial's curves and its best epoch, and keep the weights of that epoch."""
        with replacing(Path(self.get_trial_dir(trial.trial_id)) / WEIGHTS_FILE) as path:
            np.savez(path, *weights)
        if len(histories) == 1:
            metrics = self.oracle.get_trial(trial.trial_id).metrics
            for name, values in histories[0].history.items():
                if not metrics.exists(name):
                    metrics.register(name, direction="max" if "acc" in name else "min")
                for epoch, value in enumerate(values):
                    metrics.metrics[name].update(float(value), step=epoch)
        results = tuner_utils.convert_to_metrics_dict(histories, self.oracle.objective)
        step = tuner_utils.get_best_step(histories, self.oracle.objective)
        self.oracle.update_trial(trial.trial_id, results, step=step)
        trial.status = "COMPLETED"
        for history in histories:
            if history.diverged:
                trial.message = f"The loss was no longer a finite number in epoch {history.epoch[-1] + 1}."
        self._end(trial)

    def _end(self, trial: Any) -> None:
        self.on_trial_end(trial)
        self.on_trial_trained(self.oracle.get_trial(trial.trial_id))

    def _say(self, trial: Any, reason: str) -> None:
        """Tell once for each reason why trials are trained by Model.fit."""
        kind = re.sub(r"_\d+'", "'", reason)  # Keras numbers the layers that have no name
        if reason and kind not in self._told:
            self._told.add(kind)
            print(f"CohortTuner: trial {trial.trial_id} (and others like it) is trained by Model.fit: {reason}")

    def load_model(self, trial: Any) -> keras.Model:
        """Return the trial's model with the weights of its best epoch."""
        path = Path(self.get_trial_dir(trial.trial_id)) / WEIGHTS_FILE
        if not path.exists():
            return super().load_model(trial)
        model = self._try_build(trial.hyperparameters)
        if not model.built:
            model.build_from_config(utils.load_json(self._get_build_config_fname(trial.trial_id)))
        set_kept_weights(model, path)
        return model
