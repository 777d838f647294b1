"""Tune batch-norm + softmax classifiers by random search on the right scales.

The public names are loaded when they are first used, so that ``import tfcourse`` loads no TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "NetworkSpec": "tfcourse.models.spec",
    "OptimizerSpec": "tfcourse.models.spec",
    "build_mlp": "tfcourse.models.builders",
    "build_softmax_regression": "tfcourse.models.builders",
    "with_softmax": "tfcourse.models.builders",
    "MLPHyperModel": "tfcourse.models.hypermodels",
    "Parameter": "tfcourse.space",
    "SearchSpace": "tfcourse.space",
    "default_space": "tfcourse.course_space",
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
