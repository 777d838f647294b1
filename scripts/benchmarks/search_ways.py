"""The ways of searching that are compared: the package's own, KerasTuner's, and Optuna's, all trained by the cohort."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from search_deciders import KerasTuner, Optuna
from search_task import Task

from tfcourse.tuning.plan import default_patience, round_starts

OWN: dict[str, dict[str, Any]] = {
    "random": {},
    "quasi-random": {"sampler": "quasi-random"},
    "coarse to fine": {"rounds": 2},
    "halving": {"halving": True},
    "coarse to fine, halving": {"rounds": 2, "halving": True},
    "coarse to fine, quasi-random": {"rounds": 2, "sampler": "quasi-random"},
    # A way that takes less time may have more trials in the same time.
    "coarse to fine, twice the trials": {"rounds": 2, "times": 2},
    "coarse to fine, halving, twice the trials": {"rounds": 2, "halving": True, "times": 2},
}
LEARNERS = ("keras_tuner.RandomSearch", "keras_tuner.BayesianOptimization", "Optuna TPE")
AT_ONCE = 10
clock = time.perf_counter
# A trial that ended: its number, seconds since the start, validation loss, and how to get its test log-loss.
Ended = tuple[int, float, float, Callable[[], float]]
# The same with the test log-loss worked out, where it is the best so far by number, else not a number.
Trial = tuple[float, float, float]


def count_processor_seconds() -> None:
    """Count seconds of processor time from now on, not the clock's."""
    global clock
    clock = time.process_time


def run(task: Task, way: str, trials: int) -> list[Trial]:
    """Search one way."""
    return own_search(task, trials, **OWN[way]) if way in OWN else learner_search(task, trials, way)


def own_search(
    task: Task, trials: int, rounds: int = 1, sampler: str = "random", halving: bool = False, times: int = 1
) -> list[Trial]:
    """Search as ``train`` does, with ``times`` as many trials, and return the trials as they ended."""
    from tfcourse.models.hypermodels import MLPHyperModel
    from tfcourse.search.cohort_fit_tuner import CohortFitTuner
    from tfcourse.search.rounds_oracle import RoundsOracle

    width, classes, rows = task.size
    trials *= times
    ended: list[Ended] = []
    oracle = RoundsOracle(
        "val_loss", trials, space=task.space, seed=task.seed, sampler=sampler, starts=round_starts(trials, rounds)
    )
    with tempfile.TemporaryDirectory() as folder:
        tuner = CohortFitTuner(oracle, MLPHyperModel(width, classes, rows=rows, space=task.space), directory=folder)
        began = clock()
        tuner.on_trial = lambda trial: ended.append(
            (
                int(trial.trial_id),
                clock() - began,
                trial.score if trial.status == "COMPLETED" else math.inf,
                lambda: task.test_loss(tuner.load_model(trial)),
            )
        )
        tuner.search(task.examples(), task.schedule(halving))
        return resolved(ended)


def resolved(ended: Sequence[Ended]) -> list[Trial]:
    """Return the trials by number, with the test log-loss of each new best worked out while its files are there."""
    best, found = math.inf, []
    for _, seconds, loss, test in sorted(ended, key=lambda each: each[0]):
        found.append((seconds, loss, test() if loss < best else math.nan))
        best = min(best, loss)
    return found


def learner_search(task: Task, trials: int, learner: str) -> list[Trial]:
    """Search with somebody else's decider, its settings trained by the cohort."""
    from tfcourse.models.builders import build_mlp
    from tfcourse.models.spec import network_from_values, optimizer_from_values
    from tfcourse.search.oracle import trial_seed
    from tfcourse.search.padding import Padding
    from tfcourse.search.retrain import Recipe, retrain

    width, classes, rows = task.size
    padding = Padding.of_space(task.space, inputs=width, examples=rows * task.epochs)
    decider = (Optuna if learner == "Optuna TPE" else KerasTuner)(task, trials, learner)
    ended: list[Ended] = []
    began = clock()
    while len(ended) < trials:
        left = trials - len(ended)
        asked = decider.ask(left if "Random" in learner else min(AT_ONCE, left))  # random draws learn nothing
        settings = [
            Recipe(
                network_from_values(values, inputs=width, classes=classes),
                optimizer_from_values(values, steps_per_epoch=math.ceil(rows / int(values["batch_size"]))),
                int(values["batch_size"]),
            )
            for values in asked
        ]
        jobs = [(setting, trial_seed(task.seed, len(ended) + n)) for n, setting in enumerate(settings)]
        losses = [math.inf] * len(jobs)
        weights: dict[int, Any] = {}

        def keep(job: int, training: Any, losses: list[float] = losses, weights: dict[int, Any] = weights) -> None:
            if not training.diverged:
                losses[job], weights[job] = training.score("val_loss"), training.weights

        retrain(jobs, task.examples(), task.schedule(), padding=padding, on_end=keep)
        decider.tell(losses)
        for job, loss in enumerate(losses):

            def test(network: Any = settings[job].network, job: int = job, weights: dict[int, Any] = weights) -> float:
                model = build_mlp(network)
                model.set_weights(weights[job])
                return task.test_loss(model)

            ended.append((len(ended), clock() - began, loss, test))
    return resolved(ended)


def keras_tuner_seconds(task: Task, sample: int) -> float:
    """Return what a trial costs in ``keras_tuner.RandomSearch`` as its users run it, in seconds."""
    import keras
    import keras_tuner

    from tfcourse.models.hypermodels import MLPHyperModel

    width, classes, rows = task.size
    with tempfile.TemporaryDirectory() as folder:
        hypermodel = MLPHyperModel(width, classes, rows=rows, space=task.space)
        tuner = keras_tuner.RandomSearch(hypermodel, "val_loss", max_trials=sample, seed=1, directory=folder)
        train, validation = task.prepared.train, task.prepared.validation
        began = clock()
        tuner.search(
            train.x, train.y, validation_data=(validation.x, validation.y), epochs=task.epochs, verbose=0,
            callbacks=[keras.callbacks.EarlyStopping(patience=default_patience(task.epochs))],
        )  # fmt: skip
        return (clock() - began) / sample


def measured(
    folder: Path, table: str, way: str, seeds: Sequence[int], trials: int, kt_seconds: float
) -> dict[str, Any]:
    """Return the runs of one way on one table: for each seed the losses and seconds of its trials, in order."""
    from tfcourse.cohort import program

    program._programs.clear()
    runs: list[dict[str, Any]] = []
    took: list[float] = []
    for seed in seeds:
        began = clock()
        ended = run(Task(folder, table, seed), way, trials)
        took.append(clock() - began)
        seconds = [each[0] for each in ended]
        if way in LEARNERS:
            seconds = [kt_seconds * (number + 1) for number in range(len(ended))]
        runs.append(
            {"seconds": seconds, "validation": [each[1] for each in ended], "test": [each[2] for each in ended]}
        )
    compiling = max(0.0, took[0] - float(np.median(took[1:]))) if len(seeds) > 1 and way in OWN else 0.0
    runs[0]["compiling"] = compiling  # which its seconds have already
    for later in runs[1:]:
        later["compiling"] = compiling
        later["seconds"] = [seconds + compiling for seconds in later["seconds"]]
    return {"table": table, "way": way, "runs": runs, "keras_tuner_seconds": kt_seconds}
