"""Where cohorts are trained: on threads of this process, in N processes of this machine, or on a Ray cluster."""

from tfcourse.executors.processes import Processes
from tfcourse.executors.ray_cluster import RayCluster

__all__ = ["Processes", "RayCluster"]
