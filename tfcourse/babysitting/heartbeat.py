"""What a running training says of itself about once a second: where it is, how fast, and with what settings."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tfcourse.babysitting import events
from tfcourse.files.shape import check_shape
from tfcourse.files.writing import is_alive, parse_json, write_json

NAME = "status.json"
SECONDS = 1.0
SILENT_SECONDS = 120.0


class Heartbeat:
    """Writes ``status.json``, at most about once a second.

    Args:
        folder: where to.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
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
        found: dict[str, Any] = parse_json((folder / NAME).read_text(encoding="utf-8"))
        check_shape(found, events.Heartbeat)
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
