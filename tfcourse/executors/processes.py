"""Workers that are processes of this machine, each heard and spoken to over a socket of its own; no port is opened.

They are started anew, not forked: TensorFlow's threads do not survive a fork. What goes between the driver and its own
processes is pickled; nothing of it is ever read from a file.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from multiprocessing.connection import Connection
from typing import IO, TYPE_CHECKING, Any

from tfcourse.errors import UserError
from tfcourse.executors.dispatch import MOST_FAILED_STARTS, Dispatch, Waits
from tfcourse.executors.trainer import MOST_DATA
from tfcourse.executors.workers import Beat, Done, Event, Lost, Ready, Stopped

if TYPE_CHECKING:
    from tfcourse.cohort.work import Cohort, Shared

SECONDS_TO_END = 2.0
LAST_WORDS = 600
"""Characters of what a worker said before it died that are told."""


class _Child:
    """A worker process: two threads hear and speak, so that the driver never waits for one that hangs."""

    def __init__(self, number: int, events: queue.SimpleQueue[Event]) -> None:
        self.number, self.why, self._events, self._has = number, "", events, list[str]()
        self._memory_kills = memory_kills()
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        ours, theirs = socket.socketpair()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several share a GPU's memory
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tfcourse.executors.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env=environment,
            start_new_session=True,  # Ctrl-C is the driver's
        )
        theirs.close()
        self.connection = Connection(ours.detach())
        self._out: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._hear, self._speak)]
        for thread in self._threads:
            thread.start()

    def say(self, *words: Any) -> None:
        self._out.put(words)

    def give(self, data: Shared) -> None:
        """Give it data, unless it has them."""
        if data.digest not in self._has:
            self._has = [*self._has, data.digest][-MOST_DATA:]
            self.say("data", data, data.digest)

    def kill(self, why: str) -> None:
        self.why = self.why or why
        self.process.kill()

    def close(self) -> None:
        self._out.put(None)
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        self.connection.close()
        self._said.close()

    def _speak(self) -> None:
        with contextlib.suppress(OSError):  # it is gone, which the other thread tells
            while (words := self._out.get()) is not None:
                self.connection.send(words)

    def _hear(self) -> None:
        why = ""
        try:
            while True:
                kind, *words = self.connection.recv()
                if kind == "failed":
                    why = words[1].strip().splitlines()[-1]
                    break
                self._events.put(_event(self.number, kind, words))
        except (EOFError, OSError):
            pass
        except Exception as error:  # what came was no message
            why = f"it sent what cannot be read ({type(error).__name__}: {error})"
        with contextlib.suppress(subprocess.TimeoutExpired):  # its socket may close a moment before it ends
            self.process.wait(timeout=SECONDS_TO_END)
        said = bool(self.why or why or self.process.returncode is None)
        self.process.kill()
        status = self.process.wait()
        from_outside = (
            not said
            and status == -signal.SIGKILL
            and self._memory_kills is not None
            and self._memory_kills == memory_kills()
        )
        self._events.put(Lost(self.number, self.why or why or self._how_it_died(status, from_outside), from_outside))

    def _how_it_died(self, status: int, from_outside: bool) -> str:
        if status < 0:
            killed = signal.Signals(-status).name
            by_system = status == -signal.SIGKILL and not from_outside
            hint = " from outside" * from_outside + ", as the system does when memory runs out" * by_system
            return f"its process was killed ({killed}{hint})"
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip()[-LAST_WORDS:]
        return f"its process ended with status {status}{': ' * bool(words)}{words}"


def memory_kills() -> int | None:
    """Return how many processes the system has killed because memory ran out; None where it does not say.

    Who was killed while this has not grown was killed by somebody.

    >>> memory_kills() is None or memory_kills() >= 0
    True
    """
    with contextlib.suppress(OSError, StopIteration), open("/proc/vmstat", encoding="ascii") as lines:
        return int(next(line for line in lines if line.startswith("oom_kill ")).split()[1])
    return None


def _event(worker: int, kind: str, words: list[Any]) -> Event:
    if kind == "ready":
        return Ready(worker, **words[0])
    return {"beat": Beat, "done": Done, "stopped": Stopped}[kind](worker, *words)


class ProcessWorkers:
    """A number of worker processes; one that dies is replaced, unless the last few died before they could train."""

    def __init__(self, size: int) -> None:
        self.size = self.beside = size
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._children: dict[int, _Child] = {}
        self._ready: set[int] = set()
        self._failed_starts = 0
        try:
            for _ in range(size):
                self._start()
        except BaseException:  # as where there may be no more processes
            self.close()
            raise

    def _start(self) -> None:
        child = _Child(next(self._numbers), self._events)
        self._children[child.number] = child

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers, by age."""
        return [child.process.pid for child in self._children.values()]

    def hand(self, worker: int, task: int, cohort: Cohort, data: Shared) -> None:
        """Give a worker something to do."""
        self._children[worker].give(data)
        self._children[worker].say("train", task, cohort)

    def stop(self, worker: int, task: int) -> None:
        """Tell a worker to put down what it is at, unless it has gone."""
        if worker in self._children:
            self._children[worker].say("stop", task)

    def end(self, worker: int, why: str) -> None:
        """Kill a worker."""
        if worker in self._children:
            self._children[worker].kill(why)

    def events(self, seconds: float) -> list[Event]:
        """Return what has happened; a worker that is lost is replaced."""
        found: list[Event] = []
        with contextlib.suppress(queue.Empty):
            found.append(self._events.get(timeout=seconds))
            while True:
                found.append(self._events.get_nowait())
        for event in found:
            if isinstance(event, Ready):
                self._ready.add(event.worker)
                self._failed_starts = 0
            if isinstance(event, Lost):
                self._children.pop(event.worker).close()
                self._failed_starts += event.worker not in self._ready
                if event.worker in self._ready or self._failed_starts < MOST_FAILED_STARTS:
                    self._start()
        return found

    def close(self) -> None:
        """Kill all workers and wait until they are gone."""
        for child in self._children.values():
            child.process.kill()
        while self._children:
            self._children.popitem()[1].close()


class Processes(Dispatch):
    """N processes of this machine as an executor; use it in a ``with`` block, which ends them.

    Args:
        workers: how many, from 1.
        waits: when a worker is given up.

    Raises:
        UserError: if there are fewer than one, or the system cannot start a process so.
    """

    def __init__(self, workers: int = 2, waits: Waits | None = None) -> None:
        if not isinstance(workers, int) or workers < 1:
            raise UserError(f"workers={workers!r} was given; allowed are whole numbers from 1.")
        if os.name != "posix":
            raise UserError("Worker processes need Linux or macOS. Leave workers out, or use Ray.")
        super().__init__(ProcessWorkers(workers), waits)
