"""What more processes and more machines cost and bring: overhead, bytes, the driver's own time, and a simulation.

    python scripts/benchmarks/scale.py --overhead 3       200 digits trials: threads, --workers 2, --ray local, in turns
    python scripts/benchmarks/scale.py --driver 4000         the real driver and workers that answer at once
    python scripts/benchmarks/scale.py --simulate 10 100 1000

The simulation is the real driver too: its tuner, its oracle, its files and its rules for workers. Only the workers are
not there; they answer on a clock of their own, to which the driver's measured time is added. A cohort takes what one
took here, by its operations, and the first of a program its compiling as well; one in fifty takes five times as long;
a worker takes as long to start as here, and of all workers 1 % an hour are lost. The driver's seconds are those of its
processor: where the disk is slow to sync, six files a trial come on top.
"""

from __future__ import annotations

import argparse
import copy
import gc
import heapq
import json
import math
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

WAYS = {"threads": [], "--workers 2": ["--workers", "2"], "--ray local": ["--ray", "local"]}
STARTING, COMPILING, SPEED = 6.0, 4.0, 4e9
"""Seconds of starting a worker and of compiling a program, and operations a second of one, on two cores."""
LOST_AN_HOUR, SLOW, SLOWER = 0.01, 0.02, 5.0
EPOCHS = 20


class Absent:
    """Workers that are not there: what they are handed comes back when their clock says so, made up but well formed.

    Args:
        size: how many.
        seconds: whether a cohort takes time.
        longer: how many times as long as a cohort of digits one takes.
    """

    def __init__(self, size: int, *, seconds: bool, longer: float = 1.0) -> None:
        from tfcourse.executors.workers import Ready

        self.size, self.beside, self.seconds, self.longer = size, 2, seconds, longer
        self.now, self.own, self.bytes_out, self.bytes_back, self.busy = 0.0, 0.0, 0, 0, 0.0
        self.random = np.random.default_rng(0)
        self.seen: dict[int, set[Any]] = {}
        self.dead: set[int] = set()
        self.tasks: dict[int, int] = {}
        self.events_to_come: list[tuple[float, int, Any]] = []
        self.order = self.next = 0
        self.sized: dict[Any, int] = {}
        self.left = time.process_time()
        for _ in range(size):
            self._start(Ready)

    def _start(self, ready: Any) -> None:
        from tfcourse.executors.workers import Lost

        worker, self.next = self.next, self.next + 1
        self._later(STARTING * self.seconds, ready(worker, "nowhere", "none"))
        if self.seconds:
            self._later(self.random.exponential(3600 / LOST_AN_HOUR), Lost(worker, "it was lost"))

    def _later(self, seconds: float, event: Any) -> None:
        heapq.heappush(self.events_to_come, (self.now + seconds, self.order, event))
        self.order += 1

    def clock(self) -> float:
        return self.now

    def hand(self, worker: int, task: int, cohort: Any, data: Any) -> None:
        from tfcourse.executors.workers import Done

        began = time.process_time()
        found = made_up(cohort)
        if len(self.sized) < 20:
            self.bytes_out += len(pickle.dumps(cohort)) // len(cohort.members)
            self.bytes_back += len(pickle.dumps(found)) // len(cohort.members)
            self.sized[task] = 1
        seconds = 0.0
        if self.seconds:
            known = self.seen.setdefault(worker, set())
            seconds = self.longer * cohort.operations / SPEED + COMPILING * (cohort.layout not in known)
            known.add(cohort.layout)
            seconds *= SLOWER if self.random.random() < SLOW else 1.0
            self.busy += seconds
        self.tasks[worker] = task
        self._later(seconds, Done(worker, task, found))
        self.own += time.process_time() - began

    def stop(self, worker: int, task: int) -> None:
        from tfcourse.executors.workers import Stopped

        self._later(0.01, Stopped(worker, task))

    def end(self, worker: int, why: str) -> None:
        from tfcourse.executors.workers import Lost

        self._later(0.0, Lost(worker, why))

    def events(self, seconds: float) -> list[Any]:
        """Return what has happened by now; the clock goes on by what the driver took, and to the next event."""
        from tfcourse.executors.workers import Beat, Lost, Ready

        entered = time.process_time()
        if self.seconds:
            self.now += max(0.0, entered - self.left - self.own)
            self.own = 0.0
        if self.events_to_come and self.events_to_come[0][0] > self.now:
            self.now = min(self.events_to_come[0][0], self.now + seconds)
        found: list[Any] = []
        while self.events_to_come and self.events_to_come[0][0] <= self.now:
            event = heapq.heappop(self.events_to_come)[2]
            if event.worker in self.dead:
                continue
            if isinstance(event, Lost):
                self.dead.add(event.worker)
                self._start(Ready)
            found.append(event)
        found += [Beat(worker, task, {}) for worker, task in self.tasks.items() if worker not in self.dead]
        self.left = time.process_time()
        return found

    def close(self) -> None:
        """There is nothing to end."""


def made_up(cohort: Any) -> list[Any]:
    """Return well-formed results of a cohort, with curves that go down and weights of the right shapes."""
    from tfcourse.cohort.history import MemberHistory
    from tfcourse.cohort.layers import variables
    from tfcourse.cohort.member import State
    from tfcourse.cohort.work import Trained

    found = []
    for place, member in enumerate(cohort.members):
        watch = copy.copy(cohort.watches[place])
        watch.training = copy.deepcopy(watch.training)
        watch._patience = copy.copy(watch._patience)
        shapes = [v.shape for layer in variables(member.layers, member.inputs) for v in layer]
        state = State(*([np.zeros(shape, np.float32) for shape in shapes] for _ in range(3)))
        history = MemberHistory(place, cohort.stopping[place], cohort.epochs[place])
        level = abs(math.log10(member.optimizer.spec.learning_rate) + 2) / 10
        while not watch.over and len(history.epoch) < cohort.epochs[place] - cohort.initial_epoch:
            epoch = cohort.initial_epoch + len(history.epoch)
            loss = level + 1 / (epoch + 1)
            logs = {"accuracy": 1 - loss / 2, "loss": loss, "val_accuracy": 1 - loss / 2, "val_loss": loss + 0.01}
            history.record(epoch, logs, lambda state=state: state)  # type: ignore[misc]
            watch.epoch_ended(history)
        own = None if watch.over else state
        found.append(Trained(history.history, history.epoch, None, False, 0.1, cohort.layout.steps, own, watch))
    return found


def searched(workers: Absent, trials: int, folder: Path) -> tuple[float, Any]:
    """Let the real driver search digits on workers that are not there; return its seconds and its executor."""
    from tfcourse.process.start_keras import start_keras

    start_keras()
    gc.freeze()  # as the command does
    from tfcourse.data.prepare import DataOptions, prepare
    from tfcourse.executors.dispatch import Dispatch
    from tfcourse.models.hypermodels import MLPHyperModel
    from tfcourse.search.cohort_fit_tuner import CohortFitTuner
    from tfcourse.search.fit import Schedule, TrainingData
    from tfcourse.search.rounds_oracle import RoundsOracle
    from tfcourse.space.course import default_space
    from tfcourse.tuning.plan import with_batch_size
    from tfcourse.tuning.search import BestSoFar

    prepared = prepare(DataOptions(data="digits"))
    train, validation = prepared.train, prepared.validation
    space = with_batch_size(default_space(), None, len(train))
    hypermodel = MLPHyperModel(prepared.features.width, len(prepared.classes), rows=len(train), space=space)
    oracle = RoundsOracle("val_loss", trials, space=space, starts=(0, trials // 2))
    best = BestSoFar(oracle)

    def trial_ended(trial: Any) -> None:
        best.take(trial)
        best.in_words()

    tuner = CohortFitTuner(oracle, hypermodel, directory=folder, on_trial=trial_ended)
    executor = tuner.executor = Dispatch(workers, clock=workers.clock)
    examples = TrainingData(train.x, train.y, validation.x, validation.y)
    began = time.process_time()
    workers.left, workers.own = began, 0.0
    tuner.search(examples, Schedule(EPOCHS, 7, halving=True))
    return time.process_time() - began, executor


def driver(trials: int) -> None:
    """Print the driver's own seconds, and the bytes that go out and come back."""
    workers = Absent(1000, seconds=False)
    with tempfile.TemporaryDirectory() as folder:
        seconds, _ = searched(workers, trials, Path(folder))
    own = seconds - workers.own
    print(
        f"{trials} trials: the driver took {own:.2f} s of its processor ({1000 * own / trials:.2f} s a 1000 trials,"
        f" {trials / own:,.0f} trials a second) besides {workers.own:.2f} s in which answers were made up;"
        f" {workers.bytes_out / len(workers.sized):,.0f} bytes out and {workers.bytes_back / len(workers.sized):,.0f}"
        " bytes back a member and cohort"
    )


def simulate(sizes: Sequence[int], trials: int, longer: float) -> None:
    """Print what so many workers would bring."""
    for size in sizes:
        workers = Absent(size, seconds=True, longer=longer)
        with tempfile.TemporaryDirectory() as folder:
            real, executor = searched(workers, trials, Path(folder))
        tally = executor.tally
        print(
            f"{size} workers, cohorts {longer:g} times as long: {trials} trials in {workers.now:.0f} s,"
            f" {trials / workers.now:.1f} a second; workers busy {workers.busy / (size * workers.now):.0%} of the time,"
            f" the driver {real / workers.now:.0%}; {tally.lost} lost, {tally.repeated} repeated,"
            f" {tally.twice} trained twice, {tally.given_up} given up"
        )


def overhead(times: int, trials: int) -> None:
    """Print the seconds of the command in each way, in turns."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for number in range(times):
        for way, words in WAYS.items():
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "run"
                command = [
                    sys.executable,
                    "-m",
                    "tfcourse.train",
                    "--trials",
                    str(trials),
                    "--quiet",
                    "--out",
                    str(out),
                ]
                began = time.perf_counter()
                subprocess.run([*command, *words], check=True)
                whole = time.perf_counter() - began
                record = json.loads((out / "run.json").read_text(encoding="utf-8"))
            found[way].append((whole, record["seconds"]))
            print(f"{number + 1}. {way}: {whole:.1f} s, of these {record['seconds']:.1f} s of search", flush=True)
    first = np.median(found["threads"], axis=0)
    for way, seconds in found.items():
        whole, search = np.median(seconds, axis=0)
        more = [f"{one:.1f} s ({one / other - 1:+.0%})" for one, other in zip((whole, search), first, strict=True)]
        print(f"{way}: median {more[0]}, search {more[1]}")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--overhead", type=int, metavar="TIMES", help="run the command so often in each way")
    parser.add_argument("--driver", type=int, metavar="TRIALS", help="the driver's own time for so many trials")
    parser.add_argument("--simulate", type=int, nargs="+", metavar="N", help="numbers of workers")
    parser.add_argument("--trials", type=int, default=200, metavar="N", help="of --overhead and --simulate")
    parser.add_argument(
        "--longer", type=float, default=1.0, metavar="X", help="cohorts take X times as long as digits'"
    )
    options = parser.parse_args(argv)
    if options.overhead:
        overhead(options.overhead, options.trials)
    if options.driver:
        driver(options.driver)
    if options.simulate:
        simulate(options.simulate, options.trials, options.longer)


if __name__ == "__main__":
    main()
