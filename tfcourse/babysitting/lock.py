"""One babysitter a folder: a lock that the system takes back when its holder dies, however it dies.

A process that lives on after its training, as a notebook does after Ctrl-C, is told from one that still trains: the
call that trained is no longer under way in any thread. Its lock is then free for the same process.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, NotRequired, TypedDict

from tfcourse.errors import UserError
from tfcourse.files.shape import Count, Moment, check_shape
from tfcourse.files.writing import is_alive, parse_json, write_json
from tfcourse.run import lock
from tfcourse.run.lock import NAME, NoLocksError, unguarded, wait_for_lock


class Lock:
    """The lock of a folder, held until :meth:`release` or the end of the process.

    Attributes:
        held: whether it still is.
        trainer: the call that trains under it; None before there is one.

    Raises:
        UserError: if another process holds it, or this one while it still trains there.
    """

    def __init__(self, folder: Path) -> None:
        self.descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
        self.held = True
        self.trainer: FrameType | None = None
        status = os.fstat(self.descriptor)
        self._file = (status.st_dev, status.st_ino)
        holder = HERE.get(self._file)
        if holder is not None and not holder.trains:
            holder.release()
        if not self._taken(folder):
            os.close(self.descriptor)
            raise UserError(
                f"{str(folder)!r} is being babysat already{who_is_there(folder)}. Look at it with:"
                f" python -m tfcourse.babysit status {folder}; or give another folder with --out."
            )
        HERE[self._file] = self

    def _taken(self, folder: Path) -> bool:
        try:
            return wait_for_lock(self.descriptor)
        except NoLocksError:
            if process_there(folder) not in (None, os.getpid()):
                return False
            print(unguarded(folder), file=sys.stderr)
            return True

    @property
    def trains(self) -> bool:
        """Whether the call that trains under it is still under way, in whichever thread."""
        for frame in [] if self.trainer is None else sys._current_frames().values():
            there: FrameType | None = frame
            while there is not None:
                if there is self.trainer:
                    return True
                there = there.f_back
        return False

    def release(self) -> None:
        """Let others take the lock; nothing happens when that has been done."""
        if self.held:
            self.held, self.trainer = False, None
            HERE.pop(self._file, None)
            os.close(self.descriptor)


HERE: dict[tuple[int, int], Lock] = {}
"""What this process holds, by the device and number of the file."""


def is_held(folder: Path) -> bool:
    """Say whether a process holds the lock of ``folder``, which is whether its training is alive.

    Where the disk has no locks, what the training last said of itself has to do.
    """
    held = lock.is_held(folder)
    return process_there(folder) is not None if held is None else held


def caller_of(name: str) -> FrameType | None:
    """Return the call that has called a callback, Keras's own list of callbacks left out."""
    here = inspect.currentframe()
    frame = here and here.f_back
    while frame is not None and frame.f_code.co_name == name:
        frame = frame.f_back
    return frame


STATUS = "status.json"
SECONDS = 1.0
SILENT_SECONDS = 120.0


class HeartbeatRecord(TypedDict):
    """``status.json``."""

    process: Count
    host: str
    time: Moment
    samples_per_second: NotRequired[float | None]
    state: NotRequired[str]
    epoch: NotRequired[Count]
    step: NotRequired[Count]
    offset: NotRequired[Count]
    rows: NotRequired[Count | None]
    loss: NotRequired[float | None]
    live: NotRequired[dict[str, Any]]


class Heartbeat:
    """Writes ``status.json``, at most about once a second.

    Args:
        folder: where to.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / STATUS
        self.began = self.written = time.monotonic()
        self.samples = 0.0
        self.rate: float | None = None

    def beat(self, samples: float, fields: Callable[[], dict[str, Any]], *, now: bool = False) -> None:
        """Count ``samples`` that were trained on, and write if it is time.

        Args:
            samples: rows since the last call.
            fields: gives what else to say.
            now: whether to write in any case.
        """
        self.samples += samples
        moment = time.monotonic()
        elapsed = moment - self.began
        if elapsed >= SECONDS and self.samples:
            self.rate = self.samples / elapsed
            self.began, self.samples = moment, 0.0
        if not now and moment - self.written < SECONDS:
            return
        self.written = moment
        told = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "time": datetime.now().astimezone().isoformat(timespec="seconds"),
            "samples_per_second": self.rate,
            **fields(),
        }
        with contextlib.suppress(OSError):  # a training must not die because the disk is full
            write_json(self.path, told, durable=False)

    def restart_clock(self) -> None:
        """Forget the time that was not spent training."""
        self.began, self.samples, self.rate = time.monotonic(), 0.0, None


def read_heartbeat(folder: Path) -> dict[str, Any]:
    """Return what the training last said; empty if it has said nothing, or the file is damaged."""
    try:
        found: dict[str, Any] = parse_json((folder / STATUS).read_text(encoding="utf-8"))
        check_shape(found, HeartbeatRecord)
    except (OSError, ValueError):
        return {}
    return found


def process_there(folder: Path) -> int | None:
    """Return the process that last said something of itself, if it still seems to be there.

    On this machine it is asked for; another machine's has said something within :data:`SILENT_SECONDS`.
    """
    last = read_heartbeat(folder)
    try:
        process, host, said = int(last["process"]), last["host"], datetime.fromisoformat(last["time"])
        if host != socket.gethostname():
            return process if (datetime.now().astimezone() - said).total_seconds() < SILENT_SECONDS else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return process if is_alive(process) else None


def who_is_there(folder: Path) -> str:
    """Return `` by process 12 on host``, or nothing when it is not known."""
    last = read_heartbeat(folder)
    return f" by process {last['process']} on {last['host']}" if {"process", "host"} <= set(last) else ""
