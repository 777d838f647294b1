"""Compare ways of searching: best validation and test log-loss against the number of trials and against seconds.

    python scripts/benchmarks/search.py --data ../shared/data --out search.json
    python scripts/benchmarks/search.py --data ../shared/data --seeds 3 --trials 32 --tables car-evaluation vehicle

Every way searches the same space on the same split with the same training for each trial, by the cohort engine. The
ways that learn from results (Bayesian optimization, TPE) are asked for 8 settings at a time, so that a cohort can
train them; sequential asking would need 8 times the programs. Seconds: programs are compiled once for each table and
way, by the first seed; what it takes longer than the others is added to their seconds. KerasTuner's own seconds
are not those of the cohort: they are a trial's cost in ``keras_tuner`` itself, measured on a sample, times the trials.
On a machine that others use as well, ``--processor-seconds`` counts seconds of processor time in place of the clock's.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tfcourse.course_space import default_space, most_units
from tfcourse.data.prepare import DataOptions, Prepared, prepare
from tfcourse.plan import default_batch_size, default_epochs, default_patience, round_starts, with_batch_size
from tfcourse.space import SearchSpace

TARGETS = {
    "car-evaluation": "class",
    "vehicle": "Class",
    "german-credit": "class",
    "segment": "class",
    "wine-quality-red": "quality",
    "spambase": "class",
    "banknote": "class",
}
DEFAULT_TABLES = list(TARGETS)[:5]
OWN: dict[str, dict[str, Any]] = {
    "random": {},
    "quasi-random": {"sampler": "quasi-random"},
    "coarse to fine": {"rounds": 2},
    "coarse to fine, quasi-random": {"rounds": 2, "sampler": "quasi-random"},
    "halving": {"halving": True},
    "coarse to fine, halving": {"rounds": 2, "halving": True},
}
LEARNERS = ("keras_tuner.RandomSearch", "keras_tuner.BayesianOptimization", "Optuna TPE")
AT_ONCE = 8
clock = time.perf_counter
# A trial that ended: its number, seconds since the start, validation loss, and how to get its test log-loss.
Ended = tuple[int, float, float, Callable[[], float]]
# The same with the test log-loss worked out, where it is the best so far by number, else not a number.
Trial = tuple[float, float, float]


class Task:
    """One table, split by one seed, with the plan that ``train`` would make."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        options = DataOptions(data=str(folder / f"{name}.csv"), target=TARGETS[name], seed=seed)
        self.prepared: Prepared = prepare(options)
        rows = len(self.prepared.train)
        self.space: SearchSpace = with_batch_size(default_space(), None, rows)
        self.epochs = min(20, default_epochs(rows, default_batch_size(rows)))

    @property
    def size(self) -> tuple[int, int, int]:
        """Features, classes and training rows."""
        return self.prepared.features.width, len(self.prepared.classes), len(self.prepared.train)

    def examples(self) -> Any:
        """Return the training and validation examples."""
        from tfcourse.search.fit import Examples

        train, validation = self.prepared.train, self.prepared.validation
        return Examples(train.x, train.y, validation.x, validation.y)

    def schedule(self, halving: bool = False) -> Any:
        """Return how long each trial trains."""
        from tfcourse.search.fit import Schedule

        return Schedule(self.epochs, default_patience(self.epochs), order_seed=self.seed, halving=halving)

    def test_loss(self, model: Any) -> float:
        """Return a network's log-loss on the test split; it gives logits."""
        from tfcourse.retesting.train_again import softmax_of
        from tfcourse.run.measure import log_loss

        return log_loss(softmax_of(model, self.prepared.test.x), self.prepared.test.y)


def own_search(task: Task, trials: int, rounds: int = 1, sampler: str = "random", halving: bool = False) -> list[Trial]:
    """Search as ``train`` does and return the trials as they ended."""
    from tfcourse.models.hypermodels import MLPHyperModel
    from tfcourse.search.cohort_fit_tuner import CohortFitTuner
    from tfcourse.search.rounds_oracle import RoundsOracle

    width, classes, rows = task.size
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
    from tfcourse.search.retrain import Setting, retrain

    width, classes, rows = task.size
    decider = (Optuna if learner == "Optuna TPE" else KerasTuner)(task, trials, learner)
    ended: list[Ended] = []
    began = clock()
    while len(ended) < trials:
        asked = decider.ask(min(AT_ONCE, trials - len(ended)))
        settings = [
            Setting(
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

        retrain(jobs, task.examples(), task.schedule(), pad_to=most_units(task.space), on_end=keep)
        decider.tell(losses)
        for job, loss in enumerate(losses):

            def test(network: Any = settings[job].network, job: int = job, weights: dict[int, Any] = weights) -> float:
                model = build_mlp(network)
                model.set_weights(weights[job])
                return task.test_loss(model)

            ended.append((len(ended), clock() - began, loss, test))
    return resolved(ended)


class KerasTuner:
    """KerasTuner's random or Bayesian oracle, asked for a few settings at a time."""

    def __init__(self, task: Task, trials: int, name: str) -> None:
        import keras_tuner

        from tfcourse.models.hypermodels import declare

        space = keras_tuner.HyperParameters()
        declare(task.space, space)
        kind = {"RandomSearch": "RandomSearchOracle", "BayesianOptimization": "BayesianOptimizationOracle"}
        self.oracle: Any = getattr(keras_tuner.oracles, kind[name.split(".")[1]])(
            "val_loss", trials, seed=task.seed + 1, hyperparameters=space, max_consecutive_failed_trials=10**6
        )
        self.folder = tempfile.TemporaryDirectory()
        self.oracle._set_project_dir(self.folder.name, "search")
        self.oracle.verbose = 0
        self.waiting: list[Any] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        """Return the next settings."""
        from tfcourse.models.hypermodels import values_from_hp

        self.waiting = [self.oracle.create_trial(f"tuner{n}") for n in range(count)]
        return [values_from_hp(trial.hyperparameters.values) for trial in self.waiting]

    def tell(self, losses: Sequence[float]) -> None:
        """Tell what came of them."""
        for trial, loss in zip(self.waiting, losses, strict=True):
            trial.status = "COMPLETED" if math.isfinite(loss) else "INVALID"
            if math.isfinite(loss):
                self.oracle.update_trial(trial.trial_id, {"val_loss": loss})
            self.oracle.end_trial(trial)


class Optuna:
    """Optuna's tree-structured Parzen estimator, asked for a few settings at a time."""

    def __init__(self, task: Task, trials: int, name: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.space = task.space
        self.study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=task.seed, constant_liar=True))
        self.waiting: list[Any] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        """Return the next settings."""
        self.waiting = [self.study.ask() for _ in range(count)]
        return [self._values(trial) for trial in self.waiting]

    def _values(self, trial: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for p in self.space:
            if not p.active(values):
                continue
            if p.scale == "choice":
                values[p.name] = trial.suggest_categorical(p.name, p.values)
            elif p.scale == "integer":
                values[p.name] = trial.suggest_int(p.name, int(p.low), int(p.high))
            elif p.scale == "one_minus_log":
                values[p.name] = 1 - trial.suggest_float(f"one_minus_{p.name}", 1 - p.high, 1 - p.low, log=True)
            else:
                values[p.name] = trial.suggest_float(p.name, p.low, p.high, log=p.scale == "log")
        return values

    def tell(self, losses: Sequence[float]) -> None:
        """Tell what came of them."""
        import optuna

        for trial, loss in zip(self.waiting, losses, strict=True):
            if math.isfinite(loss):
                self.study.tell(trial, loss)
            else:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)


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


def run(task: Task, way: str, trials: int) -> list[Trial]:
    """Search one way."""
    return own_search(task, trials, **OWN[way]) if way in OWN else learner_search(task, trials, way)


def measured(folder: Path, table: str, way: str, seeds: int, trials: int, kt_seconds: float) -> dict[str, Any]:
    """Return the runs of one way on one table: for each seed the losses and seconds of its trials, in order."""
    from tfcourse.cohort import program

    program._programs.clear()
    runs: list[dict[str, Any]] = []
    took: list[float] = []
    for seed in range(seeds):
        began = clock()
        ended = run(Task(folder, table, seed), way, trials)
        took.append(clock() - began)
        seconds = [each[0] for each in ended]
        if way.startswith("keras_tuner"):
            seconds = [kt_seconds * (number + 1) for number in range(len(ended))]
        runs.append(
            {"seconds": seconds, "validation": [each[1] for each in ended], "test": [each[2] for each in ended]}
        )
    compiling = max(0.0, took[0] - float(np.median(took[1:]))) if seeds > 1 else 0.0
    for later in runs[1:]:
        later["compiling"] = compiling
        if not way.startswith("keras_tuner"):
            later["seconds"] = [seconds + compiling for seconds in later["seconds"]]
    return {"table": table, "way": way, "runs": runs}


def best_at(values: Sequence[float], count: int) -> float:
    """Return the best of the first ``count`` trials."""
    return min(values[:count], default=math.inf)


def test_at(run: dict[str, Any], count: int) -> float:
    """Return the test log-loss of the best of the first ``count`` trials."""
    losses = run["validation"][:count]
    return float(run["test"][int(np.argmin(losses))]) if losses else math.inf


def seconds_until(run: dict[str, Any], loss: float) -> float:
    """Return the seconds until a search's best validation loss is at most ``loss``; infinite if it never is."""
    reached = [seconds for seconds, value in zip(run["seconds"], run["validation"], strict=True) if value <= loss]
    return min(reached, default=math.inf)


def interval(values: Iterable[float]) -> str:
    """Return the median with its 95 % bootstrap interval."""
    found = np.array([value for value in values if not math.isnan(value)])
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(found, (2000, len(found))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return f"{np.median(found):.4f} [{low:.4f}, {high:.4f}]"


def excess(results: list[dict[str, Any]], way: str, pick: Callable[[dict[str, Any]], float]) -> list[float]:
    """Return how much worse a way is than the best of all ways, for each table and seed, as a ratio minus 1."""
    found = []
    tables = {result["table"] for result in results}
    for table in sorted(tables):
        here = {result["way"]: result["runs"] for result in results if result["table"] == table}
        for seed in range(len(here[way])):
            best = min(pick(runs[seed]) for runs in here.values())
            found.append(pick(here[way][seed]) / best - 1)
    return found


def report(results: list[dict[str, Any]], trials: int, console: Console) -> None:
    """Print what the ways reach by trials and by seconds, over all tables and seeds."""
    ways = list(dict.fromkeys(result["way"] for result in results))
    tables = sorted({result["table"] for result in results})
    counts = [count for count in (8, 16, 32, 64, 100) if count <= trials]
    console.print(f"Tables: {', '.join(tables)}; {len(results[0]['runs'])} seeds; medians with 95 % intervals")
    for what in ("validation", "test"):
        table = Table(title=f"{what} log-loss of the best so far, excess over the best way (0 is best)")
        for column in ("way", *(f"{count} trials" for count in counts)):
            table.add_column(column, overflow="fold")
        for way in ways:
            cells = []
            for count in counts:
                pick = (
                    (lambda run, count=count: best_at(run["validation"], count))
                    if what == "validation"
                    else (lambda run, count=count: test_at(run, count))
                )
                cells.append(interval(excess(results, way, pick)))
            table.add_row(way, *cells)
        console.print(table)
    table = Table(title="seconds: for all trials, and until KerasTuner's random best is reached")
    for column in ("way", "s, all trials", "s until reached", "reached in", "share of KerasTuner's seconds"):
        table.add_column(column)
    for way in ways:
        mine = [(result["table"], n, run) for result in results if result["way"] == way
                for n, run in enumerate(result["runs"])]  # fmt: skip
        theirs = {
            (result["table"], n): run
            for result in results
            if result["way"] == LEARNERS[0]
            for n, run in enumerate(result["runs"])
        }
        until = [seconds_until(run, min(theirs[name, n]["validation"])) for name, n, run in mine] if theirs else []
        shares = (
            [s / theirs[name, n]["seconds"][-1] for s, (name, n, _) in zip(until, mine, strict=True)] if until else []
        )
        table.add_row(
            way,
            f"{np.median([run['seconds'][-1] for _, _, run in mine]):.1f}",
            f"{np.median(until):.1f}" if until else "",
            f"{np.mean(np.isfinite(until)):.0%} of runs" if until else "",
            f"{np.median(shares):.3f}" if shares else "",
        )
    console.print(table)


def main(argv: list[str] | None = None) -> int:
    """Measure, print tables, and write the JSON file when asked."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--tables", nargs="+", choices=list(TARGETS), default=DEFAULT_TABLES)
    parser.add_argument("--ways", nargs="+", choices=[*OWN, *LEARNERS], default=[*OWN, *LEARNERS])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--sample", type=int, default=4, help="trials timed in keras_tuner itself")
    parser.add_argument("--out", type=Path, help="file for the measurements as JSON")
    parser.add_argument("--processor-seconds", action="store_true", help="count processor time, not the clock's")
    options = parser.parse_args(argv)
    if options.processor_seconds:
        globals()["clock"] = time.process_time
    console, results = Console(), []
    for table in options.tables:
        kt_seconds = keras_tuner_seconds(Task(options.data, table, 0), options.sample)
        for way in options.ways:
            began = clock()
            results.append(measured(options.data, table, way, options.seeds, options.trials, kt_seconds))
            console.print(f"{table}, {way}: {clock() - began:.0f} s", highlight=False)
            if options.out:
                options.out.write_text(json.dumps(results))
    report(results, options.trials, console)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
