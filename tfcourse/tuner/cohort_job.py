"""One training of one trial of ``CohortTuner``: the member of a cohort that trains it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras_tuner.src import utils

from tfcourse.cohort import NotFusableError
from tfcourse.cohort.from_keras import member_of_model
from tfcourse.cohort.from_unbuilt import member_of_unbuilt
from tfcourse.cohort.member import Member, member_of_spec
from tfcourse.cohort.unbuilt import build, is_waiting, let_go, made_by
from tfcourse.errors import UserError
from tfcourse.tuner.cohort_callbacks import need_a_model, reason_against_monitor
from tfcourse.tuner.cohort_reasons import speaks_for_build


@dataclass
class Job:
    """One training of one trial.

    Args:
        trial: the trial.
        member: the member that trains it.
        batch_size: examples of a minibatch.
        model: its Keras model, where one is needed.
        callbacks: its own copies.
        params: what Keras tells callbacks of the training.
    """

    trial: Any
    member: Member
    batch_size: int
    model: keras.Model | None
    callbacks: list[Any]
    params: dict[str, Any]


def specs_of(hypermodel: Any, hp: keras_tuner.HyperParameters) -> tuple[Any, Any, int | None] | None:
    """Return what ``specs`` says of a trial, None for a hypermodel without; a ``tunable=False`` one adds no entries."""
    if not hasattr(hypermodel, "specs"):
        return None
    found: tuple[Any, Any, int | None] = hypermodel.specs(hp if getattr(hypermodel, "tunable", True) else hp.copy())
    return found


def job_of(tuner: Any, trial: Any, execution: int, given: dict[str, Any]) -> Job:
    """Return a training of ``trial``, with a Keras model only where one is needed.

    Args:
        tuner: the :class:`~tfcourse.tuner.cohort_tuner.CohortTuner`.
        trial: the trial.
        execution: which of its trainings, from 0.
        given: the arguments of ``search`` by name.

    Raises:
        NotFusableError: if a cohort cannot train it; the message says why.
        UserError: if the model and the data do not fit.
    """
    hypermodel, seed = tuner.hypermodel, tuner.trial_seed(trial, execution)
    callbacks = tuner._deepcopy_callbacks(given.get("callbacks") or [])
    tuner._configure_tensorboard_dir(callbacks, trial, execution)
    specs = specs_of(hypermodel, trial.hyperparameters)
    overridden = tuner.optimizer or tuner.loss or tuner.metrics or tuner.max_model_size
    model = None
    if specs is not None and speaks_for_build(hypermodel) and not (overridden or need_a_model(callbacks)):
        sparse = np.ndim(given["y"]) == 1 or np.shape(given["y"])[1] == 1
        member = member_of_spec(*specs[:2], seed, sparse=sparse)
    else:
        member, model = _built(tuner, trial, given, seed, with_model=bool(tuner.max_model_size or callbacks))
    _check_curves(member, tuner.oracle.objective, callbacks, validated=given.get("validation_data") is not None)
    batch_size = given.get("batch_size") or (specs[2] if specs is not None else None) or 32
    steps = math.ceil(len(given["x"]) / batch_size)
    params = {"verbose": given.get("verbose", "auto"), "epochs": given.get("epochs", 1), "steps": steps}
    return Job(trial, member, batch_size, model, callbacks, params)


def _built(tuner: Any, trial: Any, given: dict[str, Any], seed: int, *, with_model: bool) -> tuple[Member, Any]:
    """Return the member of the model that the hypermodel builds, and that model, None if there was no need for it."""
    model = made_by(lambda: tuner._build_hypermodel(trial.hyperparameters))
    path = tuner._get_build_config_fname(trial.trial_id)
    if is_waiting(model):
        let_go(model)
        member = None if with_model else member_of_unbuilt(model, seed=seed)
        if member is not None:
            utils.save_json(path, {"input_shape": model._layers[0].batch_shape})
            return member, None
        build(model)
    member = _member_of(model, tuner, given, seed)
    utils.save_json(path, model.get_build_config())
    return member, model


def _member_of(model: keras.Model, tuner: Any, given: dict[str, Any], seed: int) -> Member:
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    if tuner.max_model_size and parameters > tuner.max_model_size:
        raise NotFusableError("")  # Tuner.run_trial fails it with its own words.
    if not model.built:
        model.build((None, *np.shape(given["x"])[1:]))
    try:
        return member_of_model(model, seed=seed)
    except UserError:
        raise
    except Exception as error:  # a model of a kind that nobody thought of
        raise NotFusableError(f"{type(error).__name__}: {error}") from None


def _check_curves(member: Member, objective: Any, callbacks: list[Any], *, validated: bool) -> None:
    """Raise NotFusableError if the objective, or what a callback monitors, is none of the member's curves."""
    curves = {"loss", *([member.accuracy] if member.accuracy else [])}
    curves |= {f"val_{name}" for name in curves} if validated else set()
    if objective.name not in curves:
        raise NotFusableError(f"objective {objective.name!r} is not computed in a cohort")
    if objective.direction != ("max" if "acc" in objective.name else "min"):
        raise NotFusableError(f"a cohort's best epoch is not the one whose {objective.name} is {objective.direction}")
    if reason := reason_against_monitor(callbacks, curves):
        raise NotFusableError(reason)
