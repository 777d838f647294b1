"""The cohort engine of ``train`` keeps what the reference keeps, and a trial's bits do not depend on its mates."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pytest

from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.search.cohort_fit_tuner import CohortFitTuner
from tfcourse.search.fit import Schedule, TrainingData
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.following import Patience
from tfcourse.search.oracle import RandomOracle
from tfcourse.space import Parameter
from tfcourse.space.course import build_space

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 6)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
EXAMPLES = TrainingData(X[:100], Y[:100], X[100:], Y[100:])


def search(folder: Path, kind: type[FitTuner], trials: int, schedule: Schedule, **changes: Parameter) -> FitTuner:
    """Run a search of small networks and return its tuner."""
    space = build_space(
        {
            "units": Parameter("units", "integer", 4, 12),
            "dropout": Parameter("dropout", "choice", values=(0.0,)),
            "learning_rate": Parameter("learning_rate", "log", 1e-3, 0.05),
            **changes,
        }
    )
    hypermodel = MLPHyperModel(6, 2, rows=100, batch_size=32, space=space)
    hp = keras_tuner.HyperParameters()
    hypermodel.declare_hyperparameters(hp)
    tuner = kind(RandomOracle("val_loss", trials, seed=1, hyperparameters=hp), hypermodel, directory=folder)
    tuner.search(EXAMPLES, schedule)
    return tuner


def curves(tuner: FitTuner) -> dict[str, dict[str, list[float]]]:
    return {
        name: {key: [p.value[0] for p in h.get_history()] for key, h in trial.metrics.metrics.items()}
        for name, trial in tuner.oracle.trials.items()
    }


def test_both_engines_keep_the_same_curves_and_weights(tmp_path: Path) -> None:
    schedule = Schedule(epochs=3, patience=9, order_seed=4)
    reference = search(tmp_path / "keras", FitTuner, 4, schedule)
    together = search(tmp_path / "cohort", CohortFitTuner, 4, schedule)
    for name, expected in curves(reference).items():
        found = curves(together)[name]
        assert set(found) == set(expected) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        for curve in ("loss", "val_loss"):  # 12 steps in float32; accuracies would jump by whole examples
            np.testing.assert_allclose(found[curve], expected[curve], rtol=2e-4)
    for name in reference.oracle.trials:
        a, b = (t.load_model(t.oracle.trials[name]).get_weights() for t in (reference, together))
        for ours, keras_own in zip(b, a, strict=True):
            np.testing.assert_allclose(ours, keras_own, rtol=2e-3, atol=2e-4)


def test_a_trial_is_the_same_to_the_last_bit_whichever_trials_train_with_it(tmp_path: Path) -> None:
    schedule = Schedule(epochs=6, patience=2)
    dropout = Parameter("dropout", "linear", 0.1, 0.5)
    few = curves(search(tmp_path / "few", CohortFitTuner, 3, schedule, dropout=dropout))
    many = curves(search(tmp_path / "many", CohortFitTuner, 40, schedule, dropout=dropout))
    assert {int(name): curve for name, curve in few.items()} == {
        int(name): curve for name, curve in many.items() if int(name) < 3
    }


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_patience_stops_where_keras_would(patience: int) -> None:
    losses = [0.9, 0.5, 0.6, 0.4, 0.45, 0.41, 0.42, 0.3]
    waits = Patience(Schedule(epochs=9, patience=patience))
    stopped = next((epoch for epoch, loss in enumerate(losses) if waits.over(loss)), None)
    assert stopped == {1: 2, 2: 5, 3: 6}[patience]
    assert Patience(Schedule(9, 9, deadline=time.monotonic() - 1)).over(0.1)


def test_a_diverged_trial_fails_alone_and_leaves_finite_curves(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "learning_rate": Parameter("learning_rate", "choice", values=(0.01, 1e30)),
        "optimizer": Parameter("optimizer", "choice", values=("sgd",)),
        "l2": Parameter("l2", "choice", values=(1.0,)),
    }
    tuner = search(tmp_path, CohortFitTuner, 6, Schedule(epochs=3, patience=9), **changes)
    for trial in tuner.oracle.trials.values():
        diverges = trial.hyperparameters["learning_rate"] == 1e30
        assert trial.status == ("FAILED" if diverges else "COMPLETED")
        if diverges:
            assert trial.message.startswith("diverged: the loss was no longer finite in epoch ")
            assert trial.message.endswith(", at learning rate 1e+30")
    assert {t.status for t in tuner.oracle.trials.values()} == {"FAILED", "COMPLETED"}
    for path in tmp_path.glob("search/trial_*/trial.json"):
        assert "NaN" not in path.read_text()
        json.loads(path.read_text())


def test_an_interrupt_keeps_the_trials_that_ended(tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", CohortFitTuner, 8, Schedule(epochs=30, patience=1))
    lengths = sorted(len(each["val_loss"]) for each in curves(whole).values())
    assert lengths[0] < lengths[-1] - 3, "patience ends some trials long before others"
    calls = iter([False] * (sum(lengths) - 6) + [True] * 1000)
    schedule = Schedule(epochs=30, patience=1, interrupted=lambda: next(calls))
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "part", CohortFitTuner, 8, schedule)
    states = [json.loads(path.read_text()) for path in tmp_path.glob("part/search/trial_*/trial.json")]
    assert {state["status"] for state in states} == {"COMPLETED", "RUNNING"}
    for state in states:
        if state["status"] == "COMPLETED":
            trial = whole.oracle.trials[state["trial_id"]]
            assert state["score"] == trial.score
            with np.load(tmp_path / "part" / "search" / f"trial_{trial.trial_id}" / "best_epoch.npz") as kept:
                for ours, theirs in zip(kept.values(), whole.load_model(trial).get_weights(), strict=True):
                    np.testing.assert_array_equal(ours, theirs)
