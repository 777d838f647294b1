"""What rules cohorts out: methods that a tuner or a hypermodel has of its own, and arguments of ``search``."""

from __future__ import annotations

from typing import Any

import keras_tuner

from tfcourse.models.convnet_hypermodel import ConvNetHyperModel
from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.tuner.checkpoints import TunerOfWholeFiles
from tfcourse.tuner.cohort_arguments import COHORT_ARGUMENTS
from tfcourse.tuner.cohort_callbacks import reason_against

# What a subclass may change of how keras_tuner.Tuner trains a trial; AutoKeras does so.
TRAINING = (
    "run_trial", "on_batch_begin", "on_batch_end", "on_epoch_begin", "on_epoch_end", "_build_and_fit_model",
    "_try_build", "_run_and_update_trial", "_try_run_and_update_trial",
)  # fmt: skip


def is_own(thing: Any, method: str, *bases: type) -> bool:
    """Return whether ``thing`` has a ``method`` that is none of its bases', in its class or put on itself.

    >>> hypermodel = MLPHyperModel(2, 2, rows=9)
    >>> is_own(hypermodel, "fit", keras_tuner.HyperModel), is_own(hypermodel, "fit", MLPHyperModel)
    (True, False)
    """
    function = getattr(getattr(thing, method), "__func__", None)
    return all(function is not getattr(base, method) for base in bases)


def speaks_for_build(hypermodel: Any) -> bool:
    """Return whether a hypermodel has ``specs`` that describe what its ``build`` returns.

    They do not where a subclass of the class that has ``specs`` has a ``build`` of its own.

    >>> class Wider(MLPHyperModel):
    ...     def build(self, hp):
    ...         return super().build(hp)
    >>> [speaks_for_build(kind(2, 2, rows=9)) for kind in (MLPHyperModel, Wider)]
    [True, False]
    """
    if not hasattr(hypermodel, "specs"):
        return False
    put_on = vars(hypermodel).get("build")  # KerasTuner puts a wrapper there, which calls the class's build
    if put_on is not None and getattr(put_on, "__func__", None) is not keras_tuner.HyperModel._build_wrapper:
        return False
    has = {name: [name in vars(each) for each in type(hypermodel).__mro__] for name in ("specs", "build")}
    return "specs" in vars(hypermodel) or not any(has["build"]) or has["specs"].index(True) <= has["build"].index(True)


def reason_against_tuner(tuner: keras_tuner.Tuner) -> str | None:
    """Return why a tuner or its hypermodel rules cohorts out, None if nothing does."""
    for method in TRAINING:
        if is_own(tuner, method, keras_tuner.Tuner, TunerOfWholeFiles):
            return f"the tuner has a {method} of its own"
    if isinstance(tuner.hypermodel, ConvNetHyperModel):
        return "its networks are convolutional"
    if is_own(tuner.hypermodel, "fit", keras_tuner.HyperModel, MLPHyperModel):
        return "the hypermodel has a fit of its own"
    if tuner.distribution_strategy is not None:
        return "the tuner has a distribution_strategy"
    return None


def reason_against_arguments(given: dict[str, Any]) -> str | None:
    """Return why arguments of ``search`` that differ from Keras's defaults rule cohorts out, None if none does."""
    if unknown := sorted(set(given) - COHORT_ARGUMENTS):
        return f"argument {unknown[0]!r} of search is not for cohorts"
    if not (hasattr(given.get("x"), "shape") and hasattr(given.get("y"), "shape")):
        return "x and y are not arrays"
    if given.get("validation_data") is not None and not isinstance(given["validation_data"], tuple | list):
        return "validation_data is no tuple of arrays"
    return reason_against(given.get("callbacks") or [])
