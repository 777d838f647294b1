"""What the settings of ``portfolio.py`` reach on a table: each trained once, as a trial of ``train`` is."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from tfcourse.data.prepare import Prepared
from tfcourse.models.answers import answers_of
from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.models.spec import NetworkSpec
from tfcourse.models.stacked import folded_layers
from tfcourse.run.measure import log_loss
from tfcourse.search.cohort_fit_tuner import CohortFitTuner
from tfcourse.search.fit import Schedule, Training, TrainingData
from tfcourse.search.oracle import trial_seed
from tfcourse.search.padding import Padding
from tfcourse.search.retrain import Recipe, retrain
from tfcourse.search.rounds_oracle import RoundsOracle
from tfcourse.search.sampler import random_point
from tfcourse.space import SearchSpace, Value
from tfcourse.tuning import defaults
from tfcourse.tuning.first import LEAST_TRIALS_OF_A_ROUND
from tfcourse.tuning.plan import default_epochs, default_patience, round_starts, with_batch_size

SEED = 16_000
"""Of the draws: far from the seeds that searches are compared by, which would draw the same settings."""


def draws(space: SearchSpace, count: int) -> list[dict[str, Value]]:
    """Return settings as ``train`` draws them, the same for every table; the batch size is the table's own."""
    return [space.values_at(random_point(SEED, number, space.names)) for number in range(count)]


def measured(prepared: Prepared, space: SearchSpace, settings: Sequence[Mapping[str, Value]], seed: int) -> Any:
    """Return for each setting its validation losses, an epoch each, and the test log-loss of the best epoch."""
    rows, width, classes = len(prepared.train), prepared.features.width, len(prepared.classes)
    whole = with_batch_size(space, None, rows)
    hypermodel = MLPHyperModel(width, classes, rows=rows, space=whole)
    own = {"batch_size": whole["batch_size"].from_unit(0.5)}
    recipes = [Recipe(*hypermodel.specs_of({**own, **setting})) for setting in settings]
    epochs = default_epochs(rows, int(own["batch_size"]))
    schedule = Schedule(epochs, default_patience(epochs), order_seed=seed)
    curves: list[list[float]] = [[] for _ in recipes]
    test = [math.inf] * len(recipes)

    def keep(job: int, training: Training) -> None:
        curves[job] = [round(loss, 6) for loss in training.curves.get("val_loss", [])]
        if training.diverged:
            curves[job] = []  # which is no trial's result
        else:
            test[job] = _test_loss(recipes[job].network, training.weights, prepared)

    began = time.process_time()
    jobs = [(recipe, trial_seed(seed, number)) for number, recipe in enumerate(recipes)]
    padding = Padding.of_space(whole, inputs=width, examples=rows * epochs)
    retrain(jobs, TrainingData.of(prepared), schedule, padding=padding, on_end=keep)
    seconds = time.process_time() - began
    shares = np.bincount(prepared.train.y, minlength=classes) / rows
    prior = [log_loss(np.tile(shares, (len(part), 1)), part.y) for part in (prepared.validation, prepared.test)]
    return {"rows": rows, "epochs": epochs, "prior": prior, "curves": curves, "test": test, "cpu_seconds": seconds}


def _test_loss(network: Any, weights: Sequence[NDArray[Any]], prepared: Prepared) -> float:
    """Return the log-loss on the test part of a network with these weights."""
    assert isinstance(network, NetworkSpec)
    *hidden, (kernel, bias) = folded_layers(network, weights)
    a = prepared.test.x.astype(np.float64)
    for own_kernel, own_bias in hidden:
        a = np.asarray(keras.activations.get(network.activation)(a @ own_kernel + own_bias))
    return float(log_loss(np.asarray(softmax(a @ kernel + bias, axis=1)), prepared.test.y))


def searched(
    prepared: Prepared, space: SearchSpace, first: Sequence[Mapping[str, Value]], seed: int, trials: int
) -> dict[str, Any]:
    """Return what a search finds that is as ``train``'s but for the settings that it tries first."""
    rows, width, classes = len(prepared.train), prepared.features.width, len(prepared.classes)
    whole = with_batch_size(space, None, rows)
    epochs = default_epochs(rows, int(whole["batch_size"].from_unit(0.5)))
    rounds = defaults.ROUNDS if trials >= LEAST_TRIALS_OF_A_ROUND * defaults.ROUNDS else 1
    halving = trials // rounds >= defaults.LEAST_TRIALS_TO_HALVE
    schedule = Schedule(epochs, default_patience(epochs), order_seed=seed, halving=halving)
    starts = round_starts(trials, rounds)
    first = first[: starts[1] // 2 if rounds > 1 else trials]
    began = time.process_time()
    oracle = RoundsOracle(
        "val_loss", trials, space=whole, seed=seed, starts=starts, first=first, portfolio=len(first)
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        tuner = CohortFitTuner(oracle, MLPHyperModel(width, classes, rows=rows, space=whole), directory=folder)
        tuner.search(TrainingData.of(prepared), schedule)
        best = oracle.get_best_trials(1)[0]
        logits = answers_of(tuner.load_model(best), prepared.test.x).astype(np.float64)
    shares = np.bincount(prepared.train.y, minlength=classes) / rows
    return {
        "validation": best.score,
        "test": float(log_loss(np.asarray(softmax(logits, axis=1)), prepared.test.y)),
        "prior": float(log_loss(np.tile(shares, (len(prepared.test), 1)), prepared.test.y)),
        "best": int(best.trial_id),
        "first": len(first),
        "cpu_seconds": time.process_time() - began,
    }
