"""Follow the trainings of a cohort as the reference training follows its own: curves, best epoch, when to stop."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from tfcourse.cohort import MemberHistory
from tfcourse.search.fit import Schedule, Training, never
from tfcourse.space.objective import Objective


class Patience:
    """Early stopping by validation loss, and by the deadline; the best epoch may be by another objective."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.lowest, self.waited = schedule, math.inf, 0

    def over(self, loss: float) -> bool:
        """Say, after an epoch with validation loss ``loss``, whether it was the last."""
        self.waited = 0 if loss < self.lowest else self.waited + 1
        self.lowest = min(self.lowest, loss)
        return self.waited >= self.schedule.patience or time.monotonic() > self.schedule.deadline


class Following:
    """One training in a cohort, in one piece or in several that go on from one another.

    Args:
        schedule: how long it may be.

    Attributes:
        training: what came of it so far.
        over: whether it has ended.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.training, self.over = schedule, Training(), False
        self._patience, self._best = Patience(schedule), math.inf

    @property
    def epochs(self) -> int:
        """Epochs trained so far."""
        return len(self.training.curves.get("val_loss", ()))

    def epoch_ended(self, history: MemberHistory) -> None:
        """Take in an epoch; an epoch with a value that is not finite ends the training and is left out."""
        logs = history.logs
        if not all(math.isfinite(value) for value in logs.values()):
            self.training.diverged = f"the loss was no longer finite in epoch {self.epochs + 1}"
            self.over = True
            return
        for name, value in logs.items():
            self.training.curves.setdefault(name, []).append(value)
        objective = logs[self.schedule.objective] * Objective(self.schedule.objective).sign
        if objective < self._best:
            self._best, self.training.best_epoch = objective, self.epochs - 1
            self.training.weights = history.weights
        patient = not self._patience.over(logs["val_loss"])
        self.over = not patient or self.epochs >= self.schedule.epochs

    def take(self, other: Following) -> None:
        """Take over what a copy of this has seen in another process."""
        self.training, self.over, self._best = other.training, other.over, other._best
        self._patience.lowest, self._patience.waited = other._patience.lowest, other._patience.waited

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy elsewhere needs: nobody interrupts it there, and another machine has another clock."""
        left = replace(self.schedule, deadline=self.schedule.deadline - time.monotonic(), interrupted=never)
        patience = Patience(left)
        patience.lowest, patience.waited = self._patience.lowest, self._patience.waited
        return {**vars(self), "schedule": left, "_patience": patience}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.schedule = replace(self.schedule, deadline=self.schedule.deadline + time.monotonic())
        self._patience.schedule = self.schedule
