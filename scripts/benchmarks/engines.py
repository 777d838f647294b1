"""Time the engines that train a search's trials: KerasTuner, tuned Model.fit, a pool of it, and the cohort.

    python scripts/benchmarks/engines.py --task digits --trials 200 64 --out digits.json
    python scripts/benchmarks/engines.py --task fashion --trials 24 --fashion DIR
    python scripts/benchmarks/engines.py --task memory --trials 3000

Every engine trains the same trials on the same data for the same epochs, each in a process of its own, one after the
other. The slow engines train a sample of the trials, and the table says so; their time per trial is what is compared.
The matrix-product peak of the machine is measured before and after each engine.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import gzip
import itertools
import json
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tfcourse.models.spec import NetworkSpec, OptimizerSpec

Trial = tuple[NetworkSpec, OptimizerSpec, int]
Data = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]
TASKS: dict[str, dict[str, Any]] = {
    "digits": {"trials": [200, 64], "epochs": 20, "batch_size": 64},
    "fashion": {"trials": [24], "epochs": 3, "batch_size": 128},
    "memory": {"trials": [3000], "epochs": 20, "batch_size": 64},
}


def digits() -> Data:
    """Return 1200 digits for training and 297 for validation, 64 features in [0, 1]."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x: NDArray[np.float32] = np.asarray(bunch.data / 16, dtype=np.float32)
    y: NDArray[np.int64] = np.asarray(bunch.target, dtype=np.int64)
    return x[:1200], y[:1200], x[1200:1497], y[1200:1497]


def fashion(folder: Path | None) -> Data:
    """Return Fashion-MNIST, 60000 and 10000 images of 784 features in [0, 1], from its files or Keras's cache."""
    if folder is None:
        import keras

        (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    else:
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        parts = []
        for name in names:
            content = gzip.decompress((folder / f"{name}-ubyte.gz").read_bytes())
            parts.append(np.frombuffer(content, np.uint8, offset=16 if "images" in name else 8))
        x, y, x_test, y_test = parts
    images = [np.asarray(np.reshape(each, (-1, 784)) / 255, dtype=np.float32) for each in (x, x_test)]
    return images[0], y.astype(np.int64), images[1], y_test.astype(np.int64)


def draw(count: int, data: Data, batch_size: int) -> list[Trial]:
    """Return trials from the default space: 2 to 4 layers of 50 to 100 units, any optimizer, decay and dropout."""
    rng = np.random.default_rng(0)
    steps = math.ceil(len(data[0]) / batch_size)
    trials = []
    for seed in range(count):
        units = tuple(rng.integers(50, 101, rng.integers(2, 5)).tolist())
        beta = 1 - 10 ** rng.uniform(-3, -1)
        optimizer = OptimizerSpec(
            ("sgd", "rmsprop", "adam")[rng.integers(3)],
            10 ** rng.uniform(-4, 0),
            momentum=beta,
            rho=beta,
            beta_1=beta,
            decay_rate=rng.uniform(0, 1),
            decay_steps=steps,
        )
        trials.append((NetworkSpec(data[0].shape[1], 10, units, dropout=rng.uniform(0, 0.5)), optimizer, seed))
    return trials


def peak() -> float:
    """Return the machine's matrix-product peak now, in GFLOP/s, from products of 2048 by 2048."""
    import tensorflow as tf

    a = tf.random.normal((2048, 2048))
    product = tf.function(lambda: tf.matmul(a, a))
    product()
    best = 0.0
    for _ in range(8):
        began = time.perf_counter()
        product().numpy()
        best = max(best, 2 * 2048**3 / (time.perf_counter() - began) / 1e9)
    return best


def keras_tuner_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials as the users of keras_tuner.RandomSearch do."""
    import keras_tuner

    from tfcourse.models.builders import build_mlp

    def build(hp: Any) -> Any:
        network, optimizer, seed = trials[hp.Choice("trial", list(range(len(trials))))]
        return build_mlp(network, optimizer, seed=seed)

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.RandomSearch(build, "val_accuracy", max_trials=len(trials), directory=folder)
        began = time.perf_counter()
        tuner.search(
            data[0],
            data[1],
            validation_data=data[2:],
            epochs=settings["epochs"],
            batch_size=settings["batch_size"],
            verbose=0,
        )
        return {"seconds": time.perf_counter() - began, "trials": len(trials)}


def fit_one(trial: Trial, data: Data, settings: dict[str, Any], steps_per_execution: int, jit_compile: bool) -> float:
    """Return the seconds of building and fitting one trial."""
    import keras

    from tfcourse.models.builders import build_mlp

    began = time.perf_counter()
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
    return time.perf_counter() - began


def fit_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials one by one with the fastest setting of Model.fit, found on the first trial."""
    steps = math.ceil(len(data[0]) / settings["batch_size"])
    ways = [(1, False), (min(steps, 50), False), (steps, False), (min(steps, 50), True), (1, True)]
    found = {way: fit_one(trials[0], data, settings, *way) for way in ways}
    best = min(found, key=lambda way: found[way])
    began = time.perf_counter()
    for trial in trials:
        fit_one(trial, data, settings, *best)
    ways_text = {f"steps_per_execution={way[0]} jit_compile={way[1]}": seconds for way, seconds in found.items()}
    return {"seconds": time.perf_counter() - began, "trials": len(trials), "way": best, "seconds_of_ways": ways_text}


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
        for each in waiting:
            each.result()
        return {"seconds": time.perf_counter() - began, "trials": len(trials)}


def cohort_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials together, compile time included; then again, everything compiled, for the rate of the loop."""
    from tfcourse.cohort import fit_together

    fit = {"validation_data": data[2:], "epochs": settings["epochs"], "batch_size": settings["batch_size"]}
    began = time.perf_counter()
    histories = fit_together(trials, data[0], data[1], **fit)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    fit_together(trials, data[0], data[1], **fit)
    compiled_seconds = time.perf_counter() - began
    operations = sum(training_operations(network) for network, _, _ in trials) * len(data[0]) * settings["epochs"]
    return {
        "seconds": seconds,
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
    widest = [plan for plan in plans if plan.widths == plans[0].widths]
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
    epochs = max(1, settings["epochs"])
    best = math.inf
    for _ in range(3):
        threads = [
            threading.Thread(target=lambda c=cohort: [c.advance(tensors, None, order) for _ in range(epochs)])
            for cohort in cohorts
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        best = min(best, time.perf_counter() - began)
    needed = sum(training_operations(trials[index][0]) for index in chosen) * training.rows * epochs * len(cohorts)
    done = 2 * layout.multiplications * epochs * len(cohorts)
    return {"loop_gflops": needed / best / 1e9, "loop_gflops_with_padding": done / best / 1e9}


def training_operations(network: NetworkSpec) -> int:
    """Return the operations of the matrix products of one example's forward and backward pass."""
    sizes = (network.inputs, *network.units, network.classes)
    products = [first * second for first, second in itertools.pairwise(sizes)]
    # The first layer needs no gradient of its input.
    return 2 * (3 * sum(products) - products[0])


ENGINES: dict[str, Callable[..., dict[str, Any]]] = {
    "keras_tuner.RandomSearch": keras_tuner_engine,
    "Model.fit, tuned": fit_engine,
    "Model.fit, two processes": pool_engine,
    "cohort": cohort_engine,
}


def memory_engine(trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Train the trials a hundred at a time and note the time and the memory after each hundred."""
    from tfcourse.cohort import fit_together

    rows = []
    for start in range(0, len(trials), 100):
        began = time.perf_counter()
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
        rows.append({"trials": start + 100, "seconds": time.perf_counter() - began, "megabytes": megabytes})
    return {"rows": rows, "seconds": sum(row["seconds"] for row in rows), "trials": len(trials)}


def _measured(engine: str, trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    before = peak()
    result = {**ENGINES, "memory": memory_engine}[engine](trials, data, settings)
    return {**result, "peak_gflops": max(before, peak())}


def measure(engine: str, trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what ``engine`` measured, in a process of its own."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        result = process.submit(_measured, engine, trials, data, settings).result()
    return {"engine": engine, "seconds_per_trial": result["seconds"] / result["trials"], **result}


def compare(task: str, count: int, data: Data, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the measurements of every engine on ``count`` trials; slow engines train the first few of them."""
    settings: dict[str, Any] = {**TASKS[task], "way": (1, False)}
    trials = draw(count, data, settings["batch_size"])
    results = []
    for engine in ENGINES:
        if options.engines and engine not in options.engines:
            continue
        sample = trials if engine == "cohort" else trials[: options.sample]
        results.append(measure(engine, sample, data, settings))
        settings["way"] = results[-1].get("way", settings["way"])
    return results


def table(title: str, results: list[dict[str, Any]], count: int) -> Table:
    """Return the measurements as a table."""
    shown = Table(title=title)
    for column in ("engine", "trials timed", "s / trial", f"s for {count}", "cohort is faster by", "GFLOP/s", "peak"):
        shown.add_column(column, justify="left" if column == "engine" else "right")
    cohort = next((row["seconds_per_trial"] for row in results if row["engine"] == "cohort"), math.nan)
    for row in results:
        each = row["seconds_per_trial"]
        rate = f"{row['loop_gflops']:.0f}" if "loop_gflops" in row else ""
        timed = str(row["trials"]) + ("" if row["trials"] == count else " (sample)")
        shown.add_row(
            row["engine"], timed, f"{each:.3f}", f"{each * count:.0f}", f"{each / cohort:.1f}", rate,
            f"{row['peak_gflops']:.0f}",
        )  # fmt: skip
    return shown


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=list(TASKS), default="digits")
    parser.add_argument("--trials", type=int, nargs="+", help="numbers of trials (default: those of the task)")
    parser.add_argument("--sample", type=int, default=4, help="trials that a slow engine trains (default: %(default)s)")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), help="only these engines")
    parser.add_argument("--fashion", type=Path, help="folder of Fashion-MNIST's four .gz files; else Keras's cache")
    parser.add_argument("--out", type=Path, help="file for the measurements as JSON")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Measure, print a table, and write the JSON file when asked."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = build_parser().parse_args(argv)
    data = fashion(options.fashion) if options.task == "fashion" else digits()
    console, written = Console(), []
    for count in options.trials or TASKS[options.task]["trials"]:
        if options.task == "memory":
            result = measure("memory", draw(count, data, 64), data, TASKS["memory"])
            for row in result["rows"]:
                console.print(
                    f"{row['trials']:5d} trials  {row['seconds'] / 100:.4f} s/trial  {row['megabytes']:.0f} MB"
                )
            written.append(result)
            continue
        results = compare(options.task, count, data, options)
        console.print(table(f"{options.task}: {count} trials, {os.cpu_count()} cores", results, count))
        written.append({"task": options.task, "trials": count, "results": results})
        if options.out:
            options.out.write_text(json.dumps(written, indent=1))
    if options.out:
        options.out.write_text(json.dumps(written, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
