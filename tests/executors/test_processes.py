"""Worker processes of this machine: killed, stopped, out of memory, and gone when they should be."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import tfcourse
from tests.executors.examples import FIT, X, Y, check_same, trained
from tfcourse.cohort import fit_together
from tfcourse.executors import Processes, processes
from tfcourse.executors.dispatch import Waits
from tfcourse.executors.processes import ProcessWorkers
from tfcourse.executors.workers import Lost, Ready

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="worker processes need sockets that are handed on"),
    pytest.mark.timeout(600),  # what hangs fails by name, with the stacks of all threads
]
LONG = 200
"""Epochs, so that a worker is still at it when it is harmed."""


@pytest.fixture(scope="module")
def two() -> Iterator[Processes]:
    with Processes(2, Waits(silent=12.0, least_slow=1e9)) as executor:
        yield executor


@pytest.fixture(scope="module")
def wanted() -> list[Any]:
    return trained(workers=1)


@pytest.fixture(scope="module")
def wanted_of_long() -> list[Any]:
    return trained(workers=1, epochs=LONG)


def pids(executor: Processes) -> list[int]:
    assert isinstance(executor.workers, ProcessWorkers)
    return executor.workers.pids


def is_gone(pid: int) -> bool:
    """Say whether a process has ended, though nobody may have asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_they_give_what_threads_give(two: Processes, wanted: list[Any]) -> None:
    check_same(trained(executor=two), wanted)
    check_same(trained(executor=two), wanted)  # on what they have compiled
    assert sum(worker.cohorts for worker in two.tally.workers.values()) == 6


def network(rate: float) -> keras.Model:
    start = keras.initializers.GlorotUniform(1)
    scaled = layers.Normalization(mean=0.5, variance=4.0)
    model = keras.Sequential(
        [keras.Input((6,)), scaled, layers.Dense(8, "relu", kernel_initializer=start), layers.Dropout(0.2, seed=3)]
    )
    model.add(layers.Dense(3, "softmax", kernel_initializer=start))
    schedule = keras.optimizers.schedules.ExponentialDecay(rate, 3, 0.9)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_keras_models_get_their_weights_and_the_optimizers_averages(two: Processes) -> None:
    here, there = ([network(0.01), network(0.1)] for _ in range(2))
    fit_together(here, X[:80], Y[:80], **FIT)
    fit_together(there, X[:80], Y[:80], **FIT, executor=two)
    for one, other in zip(here, there, strict=True):
        assert int(one.optimizer.iterations) == int(other.optimizer.iterations) == 16
        for mine, theirs in zip(
            one.variables + one.optimizer.variables, other.variables + other.optimizer.variables, strict=True
        ):
            np.testing.assert_allclose(np.asarray(mine.numpy()), np.asarray(theirs.numpy()), rtol=1e-6, atol=1e-7)


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def stopped(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def out_of_memory(pid: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_AS, (1, 1))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (killed, "its process was killed"),
        (stopped, "said nothing for"),
        (out_of_memory, "its process|Error|said nothing"),
    ],
)
def test_a_worker_that_is_harmed_is_replaced_and_its_cohort_trained_again(
    harm: Callable[[int], None], why: str, two: Processes, wanted_of_long: list[Any]
) -> None:
    repeated, harmed = two.tally.repeated, list[int]()

    def under_way(news: Any) -> None:
        at_it = [run.worker for run in two._runs.values() if not run.stopping]
        if at_it and not harmed:
            harmed.append(at_it[0])
            harm(two.workers._children[at_it[0]].process.pid)  # type: ignore[attr-defined]

    check_same(trained(executor=two, epochs=LONG, on_progress=under_way), wanted_of_long)
    assert two.tally.repeated == repeated + 1
    assert re.search(why, two.tally.workers[harmed[0]].lost), two.tally.workers[harmed[0]].lost
    assert len(pids(two)) == 2


def test_no_process_is_left() -> None:
    with Processes(1) as executor:
        known = pids(executor)
        assert not any(map(is_gone, known))
    assert all(map(is_gone, known))


DRIVER = """
import sys, time
from tfcourse.executors import Processes, processes
executor = Processes(2)
print(*executor.workers.pids, flush=True)
time.sleep(100)
"""


def test_workers_of_a_driver_that_was_killed_end() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, text=True, env=environment)
    assert driver.stdout is not None
    known = [int(pid) for pid in driver.stdout.readline().split()]
    driver.kill()
    driver.wait()
    driver.stdout.close()
    assert len(known) == 2
    until = time.monotonic() + 60
    while not all(map(is_gone, known)) and time.monotonic() < until:
        time.sleep(0.1)
    assert all(map(is_gone, known))


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2"])
def test_a_number_of_workers_that_is_none(workers: Any) -> None:
    with pytest.raises(tfcourse.UserError, match=r"^workers=.* was given; allowed are whole numbers from 1\.$"):
        Processes(workers)


def test_workers_that_die_before_they_train_are_not_replaced_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Child:
        def __init__(self, number: int, events: Any) -> None:
            self.number, self.process = number, subprocess.Popen(["true"])
            self.close = self.process.wait

    monkeypatch.setattr(processes, "_Child", Child)
    workers = ProcessWorkers(3)
    workers._events.put(Ready(0, "here", "cpu"))
    for number in (1, 2, 3, 4, 5):
        workers._events.put(Lost(number, "no memory", False))
        workers.events(0.1)
    assert list(workers._children) == [0]  # each of the last four was the fourth that had died, or later
    workers._events.put(Lost(0, "killed", True))
    workers.events(0.1)
    assert len(workers._children) == 1  # one that could train is replaced
    workers.stop(0, 7)  # it has gone: nothing to stop
    workers.close()
