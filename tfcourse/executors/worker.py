"""A worker process of this machine: ``python -m tfcourse.executors.worker FD``, started by ``Processes`` alone.

It hears and speaks on the socket that it was started with, and ends when the driver does, also when that was killed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from tfcourse.executors.trainer import StoppedError, Trainer

if TYPE_CHECKING:
    from tfcourse.cohort.work import Cohort


class _Ears:
    """Hears the driver in a thread of its own, so that a worker in the middle of something hears as well."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.tasks: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self.stopped = -1
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        while True:
            try:
                kind, *words = self.connection.recv()
            except (EOFError, OSError):  # the driver is gone
                os._exit(0)
            if kind == "stop":
                self.stopped = words[0]
            else:
                self.tasks.put((kind, *words))


def main() -> None:
    """Train what comes until the driver is gone."""
    for number in (signal.SIGINT, signal.SIGHUP):  # the driver hears them, and says what is to happen
        signal.signal(number, signal.SIG_IGN)
    connection = Connection(int(sys.argv[1]))
    ears = _Ears(connection)
    trainer = Trainer()
    connection.send(("ready", trainer.machine))
    while True:
        kind, *words = ears.tasks.get()
        if kind == "data":
            trainer.keep(*words)
            continue
        with contextlib.suppress(OSError):  # the driver is gone, and the ears say so
            connection.send(_answer(trainer, ears, *words))


def _answer(trainer: Trainer, ears: _Ears, task: int, cohort: Cohort) -> tuple[Any, ...]:
    """Train a cohort and return what to say of it."""
    try:
        found = trainer.train(
            cohort,
            beat=lambda news: ears.connection.send(("beat", task, news)),
            stopped=lambda: ears.stopped == task,
        )
    except StoppedError:
        return "stopped", task
    except Exception:
        return "failed", task, traceback.format_exc()
    return "done", task, found


if __name__ == "__main__":
    main()
