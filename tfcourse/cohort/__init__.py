"""The cohort engine: many trials trained together as one compiled program, each as ``Model.fit`` would train it."""

from tfcourse.cohort.fit import MemberHistory, fit_together
from tfcourse.cohort.plan import NotFusable

__all__ = ["MemberHistory", "NotFusable", "fit_together"]
