"""The engines that train a search's trials, each as well as it can be used."""

from __future__ import annotations

import concurrent.futures
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine_tasks import Data, Stopwatch, Trial, training_operations


def keras_tuner_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials as the users of keras_tuner.RandomSearch do."""
    import keras_tuner

    from tfcourse.models.builders import build_mlp

    def build(hp: Any) -> Any:
        network, optimizer, seed = trials[hp.Choice("trial", list(range(len(trials))))]
        return build_mlp(network, optimizer, seed=seed)

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.RandomSearch(build, "val_accuracy", max_trials=len(trials), directory=folder)
        watch = Stopwatch()
        tuner.search(
            data[0],
            data[1],
            validation_data=data[2:],
            epochs=settings["epochs"],
            batch_size=settings["batch_size"],
            verbose=0,
        )
        return {**watch.read(), "trials": len(trials)}


def fit_one(
    trial: Trial, data: Data, settings: dict[str, Any], steps_per_execution: int, jit_compile: bool
) -> dict[str, float]:
    """Return the seconds of building and fitting one trial."""
    import keras

    from tfcourse.models.builders import build_mlp

    watch = Stopwatch()
    keras.backend.clear_session()
    model = build_mlp(trial[0], trial[1], seed=trial[2])
    model.compile(
        model.optimizer,
        model.loss,
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
        jit_compile=jit_compile,
    )
    model.fit(
        data[0],
        data[1],
        validation_data=data[2:],
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        verbose=0,
    )
    return watch.read()


def fit_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials one by one with the fastest setting of Model.fit, found on the first trial."""
    steps = math.ceil(len(data[0]) / settings["batch_size"])
    ways = [(1, False), (min(steps, 50), False), (steps, False), (min(steps, 50), True), (1, True)]
    found = {way: fit_one(trials[0], data, settings, *way)["seconds"] for way in ways}
    best = min(found, key=lambda way: found[way])
    watch = Stopwatch()
    for trial in trials:
        fit_one(trial, data, settings, *best)
    ways_text = {f"steps_per_execution={way[0]} jit_compile={way[1]}": seconds for way, seconds in found.items()}
    return {**watch.read(), "trials": len(trials), "way": best, "seconds_of_ways": ways_text}


def ready() -> int:
    """Import what a worker needs, and stay long enough for the other worker to start as well."""
    import keras  # noqa: F401

    time.sleep(2)
    return os.getpid()


def pool_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials in a pool of two processes, each by the fastest setting of Model.fit."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, context) as pool:
        list(concurrent.futures.as_completed([pool.submit(ready) for _ in range(2)]))
        began = time.perf_counter()
        waiting = [pool.submit(fit_one, trial, data, settings, *settings["way"]) for trial in trials]
        worked = sum(each.result()["processor_seconds"] for each in waiting)
        return {"seconds": time.perf_counter() - began, "processor_seconds": worked, "trials": len(trials)}


def cohort_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials together, compile time included; then again, everything compiled, for the rate of the loop."""
    from tfcourse.cohort import fit_together

    fit = {"validation_data": data[2:], "epochs": settings["epochs"], "batch_size": settings["batch_size"]}
    watch = Stopwatch()
    histories = fit_together(trials, data[0], data[1], **fit)
    first = watch.read()
    watch = Stopwatch()
    fit_together(trials, data[0], data[1], **fit)
    compiled_seconds = watch.read()["seconds"]
    operations = sum(training_operations(network) for network, _, _ in trials) * len(data[0]) * settings["epochs"]
    return {
        **first,
        "trials": len(trials),
        "compiled_seconds": compiled_seconds,
        "gflops": operations / compiled_seconds / 1e9,
        "best_val_accuracy": max(max(history.history["val_accuracy"]) for history in histories),
        **loop_rate(trials, data, settings),
    }


def loop_rate(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the operations a second inside the compiled training loop, every core at work, padding not counted."""
    import threading

    from tfcourse.cohort.dataset import Examples, order_of_epoch
    from tfcourse.cohort.fit import _cores
    from tfcourse.cohort.member import member_of_spec
    from tfcourse.cohort.plan import plan_cohorts
    from tfcourse.cohort.running import RunningCohort, layout_of

    training = Examples(data[0], data[1])
    members = [member_of_spec(*trial) for trial in trials]
    sizes = [settings["batch_size"]] * len(members)
    plans = plan_cohorts(members, sizes, examples=training.rows * settings["epochs"], workers=_cores())
    deepest = members[plans[0].indices[0]].depth
    widest = [p for p in plans if p.widths == plans[0].widths and members[p.indices[0]].depth == deepest]
    largest = max(widest, key=lambda plan: len(plan.indices))
    layout = layout_of(largest, [members[index] for index in largest.indices], training, None)
    chosen = {index: members[index] for index in largest.indices}
    tensors = training.tensors(members[0].input_layers)
    order = order_of_epoch(0, 0, training.rows, settings["batch_size"], True)
    cohorts = [
        RunningCohort(layout, chosen, [member.start() for member in chosen.values()], 0, True) for _ in range(_cores())
    ]
    for cohort in cohorts:
        cohort.advance(tensors, None, order)
    # One epoch of Fashion-MNIST is enough to time; of digits it is not.
    epochs = settings["epochs"] if layout.steps < 100 else 1
    best = {"seconds": math.inf, "processor_seconds": math.inf}
    for _ in range(3):
        threads = [
            threading.Thread(target=lambda c=cohort: [c.advance(tensors, None, order) for _ in range(epochs)])
            for cohort in cohorts
        ]
        watch = Stopwatch()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        best = {name: min(best[name], seconds) for name, seconds in watch.read().items()}
    needed = sum(training_operations(trials[index][0]) for index in chosen) * training.rows * epochs * len(cohorts)
    done = 2 * layout.multiplications * epochs * len(cohorts)
    return {
        "loop_gflops": needed / best["seconds"] / 1e9,
        "loop_gflops_of_a_core": needed / best["processor_seconds"] / 1e9,
        "padding": 1 - needed / done,
    }


def memory_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials a hundred at a time and note the time and the memory after each hundred."""
    from tfcourse.cohort import fit_together

    whole, rows = Stopwatch(), []
    for start in range(0, len(trials), 100):
        watch = Stopwatch()
        fit_together(
            trials[start : start + 100],
            data[0],
            data[1],
            validation_data=data[2:],
            epochs=settings["epochs"],
            batch_size=settings["batch_size"],
        )
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        rows.append({"trials": start + 100, **watch.read(), "megabytes": megabytes})
    return {"rows": rows, **whole.read(), "trials": len(trials)}


ENGINES: dict[str, Callable[..., dict[str, Any]]] = {
    "keras_tuner.RandomSearch": keras_tuner_engine,
    "Model.fit, tuned": fit_engine,
    "Model.fit, two processes": pool_engine,
    "cohort": cohort_engine,
}
