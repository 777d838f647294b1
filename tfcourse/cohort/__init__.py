"""The cohort engine: many trials trained together as one compiled program, each as ``Model.fit`` would train it."""

from tfcourse.cohort.fit import MemberHistory, fit_together
from tfcourse.cohort.refusal import NotFusableError

__all__ = ["MemberHistory", "NotFusableError", "fit_together"]
