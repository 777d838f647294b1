"""The engines that train a search's trials, each as well as it can be used."""

from __future__ import annotations

import concurrent.futures
import math
import multiprocessing
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine_tasks import Data, Stopwatch, Trial, training_operations

if TYPE_CHECKING:
    from tfcourse.cohort.dataset import Examples
    from tfcourse.cohort.member import Member
    from tfcourse.cohort.plan import CohortPlan


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
    """Return the operations a second inside the compiled training loop, every core at work, over all cohorts.

    Cohorts of one program and depth take the same time, so one of each is timed. ``loop_gflops`` counts what the
    networks need, ``loop_gflops_padded`` what is multiplied, padding and empty places too.
    """
    from tfcourse.cohort.dataset import Examples
    from tfcourse.cohort.fit import _cores
    from tfcourse.cohort.member import member_of_spec
    from tfcourse.cohort.plan import padding_waste, plan_cohorts

    training = Examples(data[0], data[1])
    members = [member_of_spec(*trial) for trial in trials]
    sizes = [settings["batch_size"]] * len(members)
    plans = plan_cohorts(members, sizes, examples=training.rows * settings["epochs"], workers=_cores())
    alike = defaultdict(list)
    for plan in plans:
        alike[plan.program, members[plan.indices[0]].depth].append(plan)
    passed = {"seconds": 0.0, "processor_seconds": 0.0}
    for cohorts in alike.values():
        # One epoch of Fashion-MNIST is enough to time; of digits it is not.
        timed = _loop_seconds(cohorts[0], members, training, 1 if training.rows > 10_000 else settings["epochs"])
        passed = {name: passed[name] + len(cohorts) * timed[name] for name in passed}
    needed = sum(training_operations(network) for network, _, _ in trials) * training.rows / 1e9
    padding = padding_waste(plans, members)
    return {
        "loop_gflops": needed / passed["seconds"],
        "loop_gflops_of_a_core": needed / passed["processor_seconds"],
        "loop_gflops_padded": needed / passed["seconds"] / (1 - padding),
        "loop_gflops_padded_of_a_core": needed / passed["processor_seconds"] / (1 - padding),
        "padding": padding,
    }


def _loop_seconds(plan: CohortPlan, members: Sequence[Member], training: Examples, epochs: int) -> dict[str, float]:
    """Return what an epoch of a cohort takes while every core trains one, each core's share of the time."""
    from tfcourse.cohort.dataset import order_of_epoch
    from tfcourse.cohort.fit import _cores
    from tfcourse.cohort.running import RunningCohort, layout_of

    chosen = {index: members[index] for index in plan.indices}
    layout = layout_of(plan, members, training, None)
    tensors = training.tensors(members[plan.indices[0]].input_layers)
    order = order_of_epoch(0, 0, training.rows, plan.batch_size, True)
    cohorts = [
        RunningCohort(layout, chosen, [member.start() for member in chosen.values()], 0, True) for _ in range(_cores())
    ]
    for cohort in cohorts:
        cohort.advance(tensors, None, order)
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
    return {name: seconds / epochs / len(cohorts) for name, seconds in best.items()}


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
