"""A KerasTuner tuner that trains its trials together: ``CohortTuner`` in place of ``keras_tuner.Tuner``."""

from __future__ import annotations

import inspect
import itertools
import re
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras_tuner.src import utils
from keras_tuner.src.distribute import utils as distribution

from tfcourse.cohort import MemberHistory, NotFusableError
from tfcourse.cohort.dataset import Examples
from tfcourse.cohort.work import Executor
from tfcourse.errors import UserError
from tfcourse.files.writing import replacing
from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.models.kept_weights import set_kept_weights
from tfcourse.search.synchronized import given_back
from tfcourse.tuner.checkpoints import TunerOfWholeFiles
from tfcourse.tuner.cohort_arguments import DEFAULTS, examples_of, with_validation_split
from tfcourse.tuner.cohort_job import Job, job_of, specs_of
from tfcourse.tuner.cohort_reasons import is_own, reason_against_arguments, reason_against_tuner, speaks_for_build
from tfcourse.tuner.cohort_report import forget_epochs, report
from tfcourse.tuner.cohort_training import CohortTraining

WEIGHTS_FILE = "best_epoch.npz"


@dataclass
class _Call:
    """A call of ``search``: its arguments as they came and by name, and why no trial of it can be in a cohort.

    They have the names of ``Model.fit`` where it is ``Model.fit`` that they are for (``named``).
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    given: dict[str, Any] = field(default_factory=dict)
    named: bool = False
    examples: list[Examples] = field(default_factory=list)
    against: str | None = None

    def kwargs_for(self, hypermodel: Any, trial: Any) -> dict[str, Any]:
        """Return the arguments for a trial that is trained alone, with the batch size that ``specs`` gives it."""
        given = not self.named or len(self.args) > 2 or self.given.get("batch_size")
        if given or is_own(hypermodel, "fit", keras_tuner.HyperModel):
            return self.kwargs
        specs = specs_of(hypermodel, trial.hyperparameters)
        return {**self.kwargs, "batch_size": specs[2]} if specs and specs[2] else self.kwargs


class CohortTuner(TunerOfWholeFiles):
    """Search with any KerasTuner hypermodel and oracle, many trials trained as one program.

    Use it like a KerasTuner tuner; the results, the project folder and ``get_best_models`` are the same. A trial that
    a cohort cannot train is trained by ``Model.fit``, and one line says why. When the hypermodel has a method
    ``specs(hp) -> (NetworkSpec, OptimizerSpec, batch_size or None)`` that its ``build`` agrees with, no Keras model is
    built during the search, unless an argument or a callback needs one.

    The best epoch's weights of each trial lie in ``best_epoch.npz`` in its folder, the whole learning curves in its
    ``trial.metrics``. An oracle with an ``update_trial`` of its own is told each epoch of a trial in a cohort, if it
    has a single execution, and stops it by returning STOPPED or a trial of that status. Where KerasTuner's variables
    make the process a chief or a worker (``KERASTUNER_ORACLE_IP``), it trains trials as ``keras_tuner.Tuner`` does.

    Args:
        hypermodel: a ``keras_tuner.HyperModel`` or a function from hyperparameters to a compiled model.
        oracle: a ``keras_tuner.Oracle``; when left out, a random search with ``objective``, ``max_trials`` and the
            other arguments of ``keras_tuner.RandomSearch``.
        trials_at_once: trials drawn before any of them is trained; by the oracle when left out: 16 for Bayesian
            optimization, which learns from results, and 256 for others.
        seed: of the minibatch order and, for hypermodels with ``specs``, of the initial weights; 0 when left out.
        fit_options: arguments for ``fit_together`` such as ``places``, ``workers`` or ``jit_compile``.
        executor: where cohorts are trained, such as ``tfcourse.executors.Processes(2)``; on threads of this process
            when left out, and for trials whose callbacks or oracle look at every epoch.
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
        seed: int | None = None,
        fit_options: dict[str, Any] | None = None,
        executor: Executor | None = None,
        on_trial_trained: Callable[[Any], object] = lambda trial: None,
        **kwargs: Any,
    ) -> None:
        if isinstance(hypermodel, keras_tuner.Oracle):  # the order of keras_tuner.Tuner
            hypermodel, oracle = oracle, hypermodel
        if oracle is None:
            names = inspect.signature(keras_tuner.oracles.RandomSearchOracle).parameters
            own = {name: kwargs.pop(name) for name in names if name in kwargs}
            oracle = keras_tuner.oracles.RandomSearchOracle(seed=seed, **own)
        if isinstance(oracle, keras_tuner.oracles.HyperbandOracle):
            raise UserError(
                "CohortTuner was given a HyperbandOracle, whose trials go on from one another's weights, which a cohort"
                " cannot do. Give a random, Bayesian, grid or other oracle, or use keras_tuner.Hyperband."
            )
        learns = isinstance(oracle, keras_tuner.oracles.BayesianOptimizationOracle)
        self.trials_at_once = trials_at_once or (16 if learns else 256)
        self.seed = seed or 0
        self.fit_options = {**(fit_options or {}), **({"executor": executor} if executor is not None else {})}
        self.on_trial_trained = on_trial_trained
        self._told: set[str] = set()
        super().__init__(oracle, hypermodel, **kwargs)

    def _populate_initial_space(self) -> None:
        if self.hypermodel is None or not hasattr(self.hypermodel, "specs") or not speaks_for_build(self.hypermodel):
            super()._populate_initial_space()
            return
        space = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(space)
        specs_of(self.hypermodel, space)
        self.oracle.update_space(space)

    def trial_seed(self, trial: Any, execution: int = 0) -> int:
        """Return the seed of a trial's initial weights and dropout masks; the same trial has the same one always."""
        if isinstance(self.hypermodel, MLPHyperModel) and self.hypermodel.seed is not None:
            return self.hypermodel.seed
        return zlib.crc32(f"{self.seed}/{trial.trial_id}/{execution}".encode())

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Train trials until the oracle has no more; takes the arguments of ``Model.fit``."""
        if distribution.has_chief_oracle():
            self._say(None, "KERASTUNER_ORACLE_IP makes this process part of KerasTuner's own parallel search")
            super().search(*fit_args, **fit_kwargs)
            return
        with given_back(self.oracle):
            call = self._call(fit_args, fit_kwargs)
            if "verbose" in call.given:
                self.oracle.verbose = call.given["verbose"]
            self.on_search_begin()
            while drawn := self._draw(call):
                self._train(drawn, call)
            self.on_search_end()

    def on_trial_end(self, trial: Any) -> None:
        """Tell the oracle, and whoever listens, that a trial has ended."""
        super().on_trial_end(trial)
        self.on_trial_trained(self.oracle.get_trial(trial.trial_id))

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
        """Return a call of ``search``, its arguments under the names that ``Model.fit`` has for them."""
        call = _Call(args, kwargs, dict(kwargs), against=reason_against_tuner(self))
        if call.against is not None:
            return call
        try:
            bound = inspect.signature(keras.Model.fit).bind_partial(None, *args, **kwargs).arguments
            call.given = {n: v for n, v in list(bound.items())[1:] if n not in DEFAULTS or v != DEFAULTS[n]}
            call.named, call.against = True, reason_against_arguments(call.given)
            if call.against is None:
                call.given = with_validation_split(call.given)
                call.examples = examples_of(call.given)
        except (NotFusableError, TypeError) as error:
            call.against = str(error)
        return call

    def _draw(self, call: _Call) -> list[tuple[Any, list[Job], str]]:
        """Return the next trials, each with its trainings or the reason why a cohort has none of it.

        Each is drawn under a tuner id of its own, because one id never has two at a time. What a hypermodel asks for
        while it builds a trial's model is in the space before the next is drawn. A trial that a cohort cannot train, if
        it comes first, is all that is drawn: an oracle may learn from it before it draws the next.
        """
        if call.against is None and not speaks_for_build(self.hypermodel):
            keras.backend.clear_session()
        drawn: list[tuple[Any, list[Job], str]] = []
        while len(drawn) < self.trials_at_once:
            self.pre_create_trial()
            trial = self.oracle.create_trial(f"{self.tuner_id}_{len(drawn)}" if drawn else self.tuner_id)
            if trial.status == "STOPPED" or (trial.status == "IDLE" and drawn):
                break
            if trial.status == "IDLE":
                time.sleep(0.1)
                continue
            self.on_trial_begin(trial)
            drawn.append((trial, *self._jobs(trial, call)))
            if not drawn[0][1]:
                break
        return drawn

    def _jobs(self, trial: Any, call: _Call) -> tuple[list[Job], str]:
        """Return the trainings of a trial, or none and the reason why."""
        if call.against is not None:
            return [], call.against
        try:
            jobs = [job_of(self, trial, execution, call.given) for execution in range(self.executions_per_trial)]
            for member, part in itertools.product([job.member for job in jobs], call.examples):
                part.check_labels(member.classes, member.sparse)
        except UserError as error:
            return [], str(error)
        except Exception:
            # A model that cannot be built; KerasTuner's own way keeps the trace as the trial's message.
            return [], ""
        self.oracle.update_space(trial.hyperparameters)
        return jobs, ""

    def _train(self, drawn: Sequence[tuple[Any, list[Job], str]], call: _Call) -> None:
        """Train trials, together as far as a cohort can, the others one by one."""
        alone = [(trial, reason) for trial, jobs, reason in drawn if not jobs]
        if together := [job for _, jobs, _ in drawn for job in jobs]:
            cohorts = CohortTraining(self.oracle, self.executions_per_trial, together, self._finish)
            cohorts.train(call.given, seed=self.seed, options=self.fit_options)
            alone += cohorts.alone.values()
        for trial, reason in alone:
            self._say(trial, reason)
            self._weights_path(trial).unlink(missing_ok=True)
            forget_epochs(self.oracle, trial)
            self._try_run_and_update_trial(trial, *call.args, **call.kwargs_for(self.hypermodel, trial))
            self.on_trial_end(trial)

    def _finish(self, trial: Any, histories: list[MemberHistory], weights: list[Any]) -> None:
        """Keep the weights of a trial's best epoch, and tell the oracle what came of it."""
        with replacing(self._weights_path(trial)) as path:
            np.savez(path, *weights)
        report(self.oracle, trial, histories)
        trial.status = "COMPLETED"
        self.on_trial_end(trial)

    def _say(self, trial: Any, reason: str) -> None:
        """Tell once for each reason why trials are trained by Model.fit."""
        kind = re.sub(r"_\d+'", "'", reason)  # Keras numbers the layers that have no name
        if reason and kind not in self._told:
            self._told.add(kind)
            which = "every trial" if trial is None else f"trial {trial.trial_id} (and others like it)"
            print(f"CohortTuner: {which} is trained by Model.fit: {reason}")

    def _weights_path(self, trial: Any) -> Path:
        return Path(self.get_trial_dir(trial.trial_id)) / WEIGHTS_FILE

    def load_model(self, trial: Any) -> keras.Model:
        """Return the trial's model with the weights of its best epoch."""
        path = self._weights_path(trial)
        if not path.exists():
            return super().load_model(trial)
        model = self._try_build(trial.hyperparameters)
        if not model.built:
            model.build_from_config(utils.load_json(self._get_build_config_fname(trial.trial_id)))
        set_kept_weights(model, path)
        return model
