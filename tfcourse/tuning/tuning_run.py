"""A run that is carried out: its folder, its data and its plan, which every stage of it looks at."""

from __future__ import annotations

from dataclasses import dataclass

from tfcourse.data.prepare import Prepared
from tfcourse.run.folder import RunFolder
from tfcourse.tuning.plan import Plan


@dataclass(frozen=True)
class TuningRun:
    """What the stages of a run share.

    Args:
        folder: where everything is kept.
        prepared: the data.
        plan: what to do.
    """

    folder: RunFolder
    prepared: Prepared
    plan: Plan
