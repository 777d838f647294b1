"""The tuner of ``train`` on the cohort engine: many trials trained as one program, the same files kept."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from tfcourse.cohort import MemberHistory, fit_together
from tfcourse.cohort.member import member_of_spec
from tfcourse.search.fit import Examples, Schedule, Training
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.oracle import Status

TRIALS_AT_ONCE = 64
FIRST_WITH_A_DEADLINE = 8
"""Each trial that was drawn trains for an epoch at least, so a budget of time starts with few and doubles."""


class CohortFitTuner(FitTuner):
    """Train the trials of a :class:`~tfcourse.search.oracle.RandomOracle` together: ``--engine cohort``.

    Hidden layers are padded to the widest that the space allows, so that the compiled programs, and with them a
    trial's result to the last bit, are the same whichever trials train together; a resumed search depends on it.
    """

    def draw(self, schedule: Schedule) -> list[Any]:
        """Return the next trials to train together, each under a tuner id of its own."""
        ended = len(self.oracle.end_order)
        few = TRIALS_AT_ONCE if math.isinf(schedule.deadline) else max(FIRST_WITH_A_DEADLINE, ended)
        trials: list[Any] = []
        while len(trials) < min(few, TRIALS_AT_ONCE):
            trial = self.oracle.create_trial(f"{self.tuner_id}_{len(trials)}")
            if trial.status == Status.STOPPED:
                break
            trials.append(trial)
        return trials

    def train(self, trials: list[Any], examples: Examples, schedule: Schedule) -> None:
        """Train trials together and keep what came of each as it ends."""
        specs = [self.hypermodel.specs(trial.hyperparameters) for trial in trials]
        members = [
            member_of_spec(network, optimizer, self.seed_of(trial), pad_to=self.hypermodel.most_units)
            for trial, (network, optimizer, _) in zip(trials, specs, strict=True)
        ]
        waits = [Patience(schedule) for _ in trials]
        under_way: dict[int, float] = {}

        def epoch_ended(history: MemberHistory) -> None:
            if schedule.interrupted():
                raise KeyboardInterrupt
            under_way[history.index] = len(history.epoch) / schedule.epochs
            self.on_progress(sum(list(under_way.values())))
            if waits[history.index].over(history.logs["val_loss"]):
                history.stop()

        def member_ended(history: MemberHistory) -> None:
            under_way.pop(history.index, None)
            self.on_progress(sum(list(under_way.values())))
            self.keep(trials[history.index], training_of(history))

        fit_together(
            members,
            examples.x,
            examples.y,
            validation_data=(examples.x_validation, examples.y_validation),
            epochs=schedule.epochs,
            batch_size=[batch_size for _, _, batch_size in specs],
            monitor=schedule.objective,
            restore_best_weights=True,
            seed=schedule.order_seed,
            on_epoch_end=epoch_ended,
            on_member_end=member_ended,
        )


class Patience:
    """Early stopping by validation loss, and by the deadline; the best epoch may be by another objective."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.lowest, self.waited = schedule, math.inf, 0

    def over(self, loss: float) -> bool:
        """Say, after an epoch with validation loss ``loss``, whether it was the last."""
        self.waited = 0 if loss < self.lowest else self.waited + 1
        self.lowest = min(self.lowest, loss)
        return self.waited >= self.schedule.patience or time.monotonic() > self.schedule.deadline


def training_of(history: MemberHistory) -> Training:
    """Return a member's history as the reference training would have it: curves end before they are not finite."""
    values = np.array(list(history.history.values()))
    broken = np.flatnonzero(~np.isfinite(values).all(axis=0))
    epochs = int(broken[0]) if len(broken) else values.shape[1]
    return Training(
        curves={name: [float(value) for value in curve[:epochs]] for name, curve in history.history.items()},
        best_epoch=-1 if history.best_epoch is None else history.best_epoch,
        weights=history.weights,
        diverged=f"the loss was no longer finite in epoch {epochs + 1}" if len(broken) else "",
    )
