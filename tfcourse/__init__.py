"""Tune batch-norm + softmax classifiers by random search on the right scales.

The public names are loaded when they are first used, so that ``import tfcourse`` loads no TensorFlow.
"""

from __future__ import annotations

from tfcourse.process import early as early  # isort: split

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfcourse.babysitting.babysitter import Babysitter as Babysitter
    from tfcourse.cohort import MemberHistory as MemberHistory
    from tfcourse.cohort import NotFusableError as NotFusableError
    from tfcourse.cohort import fit_together as fit_together
    from tfcourse.errors import UserError as UserError
    from tfcourse.estimator import TunedClassifier as TunedClassifier
    from tfcourse.models.builders import build_mlp as build_mlp
    from tfcourse.models.builders import build_softmax_regression as build_softmax_regression
    from tfcourse.models.builders import with_softmax as with_softmax
    from tfcourse.models.convnet import ConvNetSpec as ConvNetSpec
    from tfcourse.models.convnet import build_convnet as build_convnet
    from tfcourse.models.convnet_hypermodel import ConvNetHyperModel as ConvNetHyperModel
    from tfcourse.models.hypermodels import MLPHyperModel as MLPHyperModel
    from tfcourse.models.spec import NetworkSpec as NetworkSpec
    from tfcourse.models.spec import OptimizerSpec as OptimizerSpec
    from tfcourse.search.oracle import RandomOracle as RandomOracle
    from tfcourse.space import Parameter as Parameter
    from tfcourse.space import SearchSpace as SearchSpace
    from tfcourse.space.course import default_space as default_space
    from tfcourse.tuner.cohort_tuner import CohortTuner as CohortTuner

__version__ = "0.1.0"

_HOME = {
    "Babysitter": "tfcourse.babysitting.babysitter",
    "NetworkSpec": "tfcourse.models.spec",
    "OptimizerSpec": "tfcourse.models.spec",
    "build_mlp": "tfcourse.models.builders",
    "build_softmax_regression": "tfcourse.models.builders",
    "with_softmax": "tfcourse.models.builders",
    "ConvNetSpec": "tfcourse.models.convnet",
    "build_convnet": "tfcourse.models.convnet",
    "ConvNetHyperModel": "tfcourse.models.convnet_hypermodel",
    "MLPHyperModel": "tfcourse.models.hypermodels",
    "Parameter": "tfcourse.space",
    "SearchSpace": "tfcourse.space",
    "default_space": "tfcourse.space.course",
    "fit_together": "tfcourse.cohort",
    "MemberHistory": "tfcourse.cohort",
    "NotFusableError": "tfcourse.cohort",
    "TunedClassifier": "tfcourse.estimator",
    "CohortTuner": "tfcourse.tuner.cohort_tuner",
    "RandomOracle": "tfcourse.search.oracle",
    "UserError": "tfcourse.errors",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tfcourse' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
