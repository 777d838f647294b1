"""Workers that are actors on a Ray cluster: Ray finds them a machine, moves the data, and tells who has died.

Only Ray Core is used. A worker is one actor, so that a program is compiled once in it and kept; the data lie in Ray's
object store, once a machine, and are read where they lie.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import math
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tfcourse.cohort.plan import GPU_PLACES
from tfcourse.cohort.work import Cohort, Shared
from tfcourse.errors import UserError
from tfcourse.executors.dispatch import Dispatch, Waits
from tfcourse.executors.ray_actor import Actor
from tfcourse.executors.workers import Beat, Done, Event, Lost, Ready, Stopped

LOOPBACK = "127.0.0.1"
SECONDS_TO_ANSWER = 5.0
SECONDS_BETWEEN_COUNTS = 2.0
"""Of the cluster's processors: nodes come and go."""
SECONDS_TO_FETCH = 120.0
"""For an answer that is there; its node may be gone before it has been fetched."""
THREADS = 4
"""Calls that an actor answers at a time: it trains, and hears while it does."""

_Call: TypeAlias = tuple[Literal["ready", "train", "beat"], int, int]
"""What was asked, of which worker, and for which task."""


@dataclass(frozen=True)
class _Room:
    """A node's part for one worker: which node, how many workers it has, what each of them may take."""

    node: str
    workers: int
    memory: float
    gpu: bool

    @classmethod
    def of(cls, node: dict[str, Any]) -> _Room:
        has = node["Resources"]
        workers = int(has.get("GPU", 0)) or int(has.get("CPU", 0))
        return cls(node["NodeID"], workers, has.get("memory", math.inf) / max(workers, 1), has.get("GPU", 0) >= 1)


class RayWorkers:
    """An actor a processor of the cluster, on nodes with GPUs one a GPU; more as nodes join, and lost ones replaced."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._actor = ray.remote(num_cpus=1, max_restarts=0, max_concurrency=THREADS)(Actor)
        self._room: dict[int, _Room] = {}
        self._numbers = itertools.count()
        self._actors: dict[int, Any] = {}
        self._why: dict[int, str] = {}
        self._calls: dict[Any, _Call] = {}
        self._stored: dict[str, tuple[tuple[int, int], list[Any]]] = {}
        self._told: list[Event] = []
        self._counted = -SECONDS_BETWEEN_COUNTS
        self._size = 1
        self._fill()

    @property
    def size(self) -> int:
        """How many there are, starting ones included."""
        return self._size

    @property
    def beside(self) -> int:
        """How many of them are on one machine, at most."""
        return max(1, max((room.workers for room in self._rooms()), default=1))

    def _rooms(self) -> list[_Room]:
        return [_Room.of(node) for node in self._ray.nodes() if node["Alive"]]

    def _fill(self) -> None:
        """Start as many actors as each node has room for, once in a while."""
        if time.monotonic() - self._counted < SECONDS_BETWEEN_COUNTS:
            return
        self._counted = time.monotonic()
        rooms = self._rooms()
        self._size = max(1, sum(room.workers for room in rooms))
        there = Counter(self._room[number].node for number in self._actors)
        for room in rooms:
            for _ in range(room.workers - there[room.node]):
                self._start(room)

    def _start(self, room: _Room) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        number = next(self._numbers)
        here = NodeAffinitySchedulingStrategy(room.node, soft=False)
        actor = self._actor.options(num_gpus=int(room.gpu), scheduling_strategy=here).remote()
        self._actors[number], self._room[number] = actor, room
        self._calls[actor.machine.remote()] = ("ready", number, -1)

    def hand(self, worker: int, task: int, cohort: Cohort, data: Shared) -> None:
        """Give a worker something to do."""
        if cohort.data not in self._stored:
            parts = (len(data.training), len(data.validation))
            self._stored[cohort.data] = parts, [self._ray.put(each) for each in (*data.training, *data.validation)]
        parts, arrays = self._stored[cohort.data]
        actor = self._actors[worker]
        self._calls[actor.train.remote(task, cohort, parts, *arrays)] = ("train", worker, task)
        self._calls[actor.beat.remote(task)] = ("beat", worker, task)

    def stop(self, worker: int, task: int) -> None:
        """Tell a worker to put down what it is at."""
        if worker in self._actors:
            self._actors[worker].stop.remote(task)

    def end(self, worker: int, why: str) -> None:
        """Kill a worker."""
        if worker in self._actors:
            self._why[worker] = why
            self._lose(worker, why)

    def _lose(self, worker: int, why: str) -> None:
        actor = self._actors.pop(worker, None)
        if actor is None:  # told already
            return
        with contextlib.suppress(Exception):  # it may be gone, and its node with it
            self._ray.kill(actor)
        self._calls = {ref: call for ref, call in self._calls.items() if call[1] != worker}
        self._told.append(Lost(worker, why))

    def events(self, seconds: float) -> list[Event]:
        """Return what has happened."""
        self._fill()
        waiting = list(self._calls)
        if not waiting:
            time.sleep(0.0 if self._told else seconds)
        elif not self._told:
            self._ray.wait(waiting, num_returns=1, timeout=seconds, fetch_local=False)
        ready, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0) if waiting else ([], [])
        for ref in ready:
            call = self._calls.pop(ref, None)
            if call is not None:
                self._heard(ref, *call)
        found, self._told = self._told, []
        return found

    def _heard(self, ref: Any, kind: str, worker: int, task: int) -> None:
        try:
            said = self._ray.get(ref, timeout=SECONDS_TO_FETCH)
        except self._ray.exceptions.RayError as error:
            self._lose(worker, _how_it_died(error))
            return
        if kind == "ready":
            room = self._room[worker]
            self._told.append(Ready(worker, **said, memory=room.memory, places=GPU_PLACES if room.gpu else 0))
        elif kind == "beat":
            if said:
                self._told.append(Beat(worker, task, said))
            at_it = any(call == ("train", worker, task) for call in self._calls.values())
            if at_it:
                self._calls[self._actors[worker].beat.remote(task)] = ("beat", worker, task)
        elif said[0] == "done":
            self._told.append(Done(worker, task, said[1]))
        elif said[0] == "stopped":
            self._told.append(Stopped(worker, task))
        else:
            self._lose(worker, said[1])

    def close(self) -> None:
        """Kill all actors."""
        for actor in self._actors.values():
            with contextlib.suppress(Exception):
                self._ray.kill(actor)
        self._actors.clear()
        self._calls.clear()
        self._stored.clear()


def _how_it_died(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"its actor is gone ({type(error).__name__}: {words[:200]})"


class RayCluster(Dispatch):
    """A Ray cluster as an executor; use it in a ``with`` block, which ends the workers.

    Args:
        address: of the cluster, such as ``10.0.0.1:6379``; ``auto`` is the one that this machine belongs to or that the
            program has connected to, ``local`` one of this machine alone, whose ports are on its loopback address.
        waits: when a worker is given up.

    Raises:
        UserError: if Ray is not installed, or nobody answers at the address.
    """

    def __init__(self, address: str = "auto", waits: Waits | None = None) -> None:
        if importlib.util.find_spec("ray") is None:
            raise UserError('Ray is not installed: pip install "tfcourse[ray]"')
        # Its statistics of use go over the network, and a worker that has no GPU should see none.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        self._ray, self._connected = ray, not ray.is_initialized()
        if not self._connected and address != "auto":
            raise UserError(
                f"This program is connected to a Ray cluster already, and {address!r} was given; give 'auto' to train"
                " on that one, or ray.shutdown() first."
            )
        if self._connected:
            _connect(ray, address)
        super().__init__(RayWorkers(ray), waits)

    def close(self) -> None:
        """End all workers, and the connection if it was made here."""
        super().close()
        if self._connected:
            self._connected = False
            self._ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if address not in ("auto", "local"):
        _check_that_somebody_answers(address)
    try:
        with _signals_as_they_are():
            if address == "local":
                with _on_loopback(ray):
                    ray.init(address="local", include_dashboard=False, **quiet)
            else:
                ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        hint = ". Start one with ray start --head, or give --ray local" if address == "auto" else ""
        raise UserError(f"No Ray cluster answers ({address}): {' '.join(str(error).split())[:200]}{hint}") from None


@contextlib.contextmanager
def _on_loopback(ray: Any) -> Iterator[None]:
    """Have Ray open its ports on the loopback address alone, which it does by itself on Windows and macOS only.

    Raises:
        UserError: if it does not, so that nothing is open to the network unasked.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False  # of Ray's own; ray.init takes no address of the loopback
    try:
        yield
        if (found := ray.util.get_node_ip_address()) != LOOPBACK:
            ray.shutdown()
            raise UserError(f"This version of Ray opens its ports on {found}. Start it yourself: ray start --head.")
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _check_that_somebody_answers(address: str) -> None:
    """Find out in seconds what Ray takes minutes for."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise UserError(f"--ray {address} was given; allowed are auto, local, or HOST:PORT such as 10.0.0.1:6379.")
    try:
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"No Ray cluster answers at {address} ({error}). Start one there with ray start --head --port {port}, or"
            " give its address."
        ) from None


@contextlib.contextmanager
def _signals_as_they_are() -> Iterator[None]:
    """Keep who hears the signals; Ray puts itself in their place."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in kept.items():
                signal.signal(number, handler)
