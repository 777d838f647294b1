"""Softmax regression beside every search: what a network without hidden layers reaches (slides C2)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tfcourse.errors import UserError
from tfcourse.files.shape import read_record
from tfcourse.files.writing import make_folder, replacing, write_json
from tfcourse.models.builders import build_softmax_regression
from tfcourse.models.kept_weights import set_kept_weights
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.run.folder import RunFolder
from tfcourse.run.results import Baseline
from tfcourse.search.fit import Schedule, Training, TrainingData, fit_network
from tfcourse.search.oracle import trial_seed
from tfcourse.search.padding import Padding
from tfcourse.search.retrain import OutOfTimeError, Recipe, retrain
from tfcourse.space.objective import Objective
from tfcourse.tuning.tuning_run import TuningRun

RATES = (0.1, 0.01, 0.001)
"""Learning rates of Adam that softmax regression is trained with; the best by validation is the baseline."""


def fit_baseline(run: TuningRun, examples: TrainingData, schedule: Schedule) -> None:
    """Train softmax regression with a few learning rates and keep the best, unless an earlier part did.

    Raises:
        UserError: if it diverged at every rate, or the time was over before it was trained.
    """
    plan, path = run.plan, run.folder.path / "baseline"
    if (path / "baseline.json").exists():
        return
    make_folder(path)
    network = NetworkSpec(run.prepared.features.width, len(run.prepared.classes))
    batch_size = int(plan.space["batch_size"].from_unit(0.5))
    seed = trial_seed(plan.seed, 0)
    found: dict[float, Training] = {}
    if plan.engine == "cohort":
        jobs = [(Recipe(network, OptimizerSpec("adam", rate), batch_size), seed) for rate in RATES]
        try:
            retrain(
                jobs,
                examples,
                schedule,
                padding=Padding(1),
                on_end=lambda index, training: found.update({RATES[index]: training}),
            )
        except OutOfTimeError:
            if not found:
                raise out_of_time(run.folder) from None
    else:
        for rate in RATES:
            optimizer = OptimizerSpec("adam", rate)
            found[rate] = fit_network(network, optimizer, examples, schedule, batch_size=batch_size, seed=seed)
    sign = Objective(plan.objective).sign
    scores = {
        rate: sign * found[rate].score(plan.objective)
        for rate in RATES
        if rate in found and found[rate].best_epoch >= 0 and not found[rate].diverged
    }
    if not scores:
        raise UserError("Softmax regression diverged at every learning rate; are the numbers in the data sensible?")
    rate = min(scores, key=lambda rate: scores[rate])
    training = found[rate]
    with replacing(path / "best_epoch.npz") as temporary:
        np.savez(temporary, *training.weights)
    write_json(
        path / "baseline.json",
        {
            "hyperparameters": {"optimizer": "adam", "learning_rate": rate, "batch_size": batch_size},
            "epoch": training.best_epoch + 1,
            "validation": {name: training.curves[f"val_{name}"][training.best_epoch] for name in ("loss", "accuracy")},
            "curves": training.curves,
        },
    )


def out_of_time(folder: RunFolder) -> UserError:
    """Return the error for a budget that is over before a first trial could train."""
    return UserError(
        "--budget: the time was over before a first trial could train. What was trained is kept; give more and go on"
        f" with: python -m tfcourse.train --resume {folder.path} --budget 2m"
    )


def load_baseline(run: TuningRun) -> tuple[dict[str, Any], keras.Model]:
    """Return the baseline as it was kept, without its curves, and its network, which gives logits."""
    path = run.folder.path / "baseline"
    kept = read_record(path / "baseline.json", Baseline)
    model = build_softmax_regression(run.prepared.features.width, len(run.prepared.classes))
    set_kept_weights(model, path / "best_epoch.npz")
    del kept["curves"]
    return kept, model
