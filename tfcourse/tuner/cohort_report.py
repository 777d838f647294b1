"""What a tuner of cohorts tells its oracle of a trial: each epoch, if the oracle wants to know, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras_tuner
from keras_tuner.src.engine import tuner_utils
from keras_tuner.src.engine.metrics_tracking import MetricHistory, MetricsTracker

from tfcourse.cohort import MemberHistory
from tfcourse.search.synchronized import given_back
from tfcourse.tuner.cohort_reasons import is_own


def wants_epochs(oracle: keras_tuner.Oracle) -> bool:
    """Return whether an oracle has an ``update_trial`` of its own, which may stop a trial.

    >>> wants_epochs(keras_tuner.oracles.RandomSearchOracle("val_loss"))
    False
    """
    return is_own(oracle, "update_trial", keras_tuner.Oracle)


def stopped_by(oracle: keras_tuner.Oracle, trial: Any, history: MemberHistory) -> bool:
    """Tell an oracle the values of a trial's last epoch, and return whether it stops the trial."""
    with given_back(oracle):
        answer = oracle.update_trial(trial.trial_id, dict(history.logs), step=history.epoch[-1])
    return bool(getattr(answer, "status", answer) == "STOPPED")


def forget_epochs(oracle: keras_tuner.Oracle, trial: Any) -> None:
    """Forget what was reported of a trial that is trained anew; KerasTuner would take it for this training's."""
    kept = oracle.get_trial(trial.trial_id)
    if kept.metrics.metrics:
        kept.metrics = MetricsTracker()


def report(oracle: keras_tuner.Oracle, trial: Any, histories: Sequence[MemberHistory]) -> None:
    """Tell an oracle what came of a trial as ``keras_tuner.Tuner`` does, and keep the curves of a single training.

    An oracle that was told each epoch knows already.
    """
    diverged = [history for history in histories if history.diverged]
    if diverged:
        trial.message = f"The loss was no longer a finite number in epoch {diverged[-1].epoch[-1] + 1}."
    if wants_epochs(oracle) and len(histories) == 1:
        return
    forget_epochs(oracle, trial)
    oracle.update_trial(
        trial.trial_id,
        tuner_utils.convert_to_metrics_dict(list(histories), oracle.objective),
        step=tuner_utils.get_best_step(list(histories), oracle.objective),
    )
    if len(histories) > 1:
        return
    metrics = oracle.get_trial(trial.trial_id).metrics
    for name, values in histories[0].history.items():
        if metrics.exists(name):
            curve = MetricHistory(metrics.get_direction(name))
            for epoch, value in enumerate(values):
                curve.update(float(value), step=epoch)
            metrics.metrics[name] = curve
