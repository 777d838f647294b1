"""Where cohorts are trained, if not on threads of this process: N processes of this machine, or a Ray cluster.

The names are loaded when they are first used, so that a command's ``--help`` loads no TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfcourse.executors.processes import Processes as Processes
    from tfcourse.executors.ray_cluster import RayCluster as RayCluster

_HOME = {"Processes": "tfcourse.executors.processes", "RayCluster": "tfcourse.executors.ray_cluster"}
__all__ = ["Processes", "RayCluster"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tfcourse.executors' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
