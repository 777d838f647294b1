"""Commands in processes of their own that start at once: one process imports everything and forks a child for each.

Importing TensorFlow takes seconds, and a campaign starts commands by the hundred. Before its first operation
TensorFlow has no threads, so that a fork then is whole: every child begins as a fresh process does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
GO = signal.SIGUSR1
"""A child that was told to wait begins at this signal, once a tracer is attached to it."""
MOST_SECONDS = 300.0

_PARENT = f"""
import ctypes, importlib, json, os, resource, signal, sys, traceback
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
for name in ("train", "predict", "retest", "babysit", "tuning.result", "tuning.search", "retesting.retest",
             "retesting.record", "run.show", "report.page", "report.__main__", "babysitting.training",
             "babysitting.asking"):
    importlib.import_module("tfcourse." + name)
import h5py, keras, pandas, matplotlib.pyplot, scipy.stats, sklearn.metrics

def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG

die_with_parent()
signal.pthread_sigmask(signal.SIG_BLOCK, [{int(GO)}])  # here, so that no child is told to go before it can wait for it

def child(order):
    die_with_parent()
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1), os.dup2(output, 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if order["wait"]:
        ctypes.CDLL(None).prctl(0x59616d61, -1, 0, 0, 0)  # PR_SET_PTRACER: a neighbour may trace this process
        signal.sigwait([{int(GO)}])
    status = 1
    if order["most_bytes"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["most_bytes"], resource.RLIM_INFINITY))
    try:
        status = importlib.import_module("tfcourse." + order["command"]).main(order["words"])
    except BaseException:
        traceback.print_exc()
    try:
        sys.stdout.flush(), sys.stderr.flush()
    finally:
        if order["most_bytes"] is None:
            os._exit(status)
        sys.exit(status)  # libraries write what they still hold when a process ends, and may crash

for line in sys.stdin:
    number = os.fork()
    if number == 0:
        child(json.loads(line))
    print(number, flush=True)
    ended = os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)  # until that is known the number is its own
    print(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status, flush=True)
    sys.stdin.readline()
    os.waitpid(number, 0)
"""


class Child:
    """One command that runs in a child of the warm process."""

    def __init__(self, warm: Warm, words: tuple[str, ...], process: int, output: Path) -> None:
        self.warm, self.words, self.process, self.output = warm, words, process, output
        self.began = time.monotonic()
        self.status: int | None = None

    def kill(self) -> None:
        """Send SIGKILL, unless it is known to have ended: until then its number is nobody else's."""
        if self.status is None:
            os.kill(self.process, signal.SIGKILL)

    def go(self) -> None:
        """Let a child begin that was told to wait."""
        os.kill(self.process, GO)

    def wait(self) -> int:
        """Return the exit status; the number of the signal, negative, if one ended it."""
        if self.status is None:
            self.status = self.warm.line()
            self.warm.write("")  # its parent need not keep its number any longer
        return self.status

    def ended(self) -> bool:
        """Say whether it has ended."""
        if self.status is None and self.warm.has_line():
            self.wait()
        return self.status is not None

    @property
    def said(self) -> str:
        """What it printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")


class Warm:
    """The process that has imported everything; one command at a time.

    Args:
        place: a folder for what the commands print.
        cache: where compiled programs are kept for the next command; None if each compiles its own.
    """

    def __init__(self, place: Path, cache: Path | None = None) -> None:
        self.place = place
        path = os.pathsep.join([str(ROOT), *sys.path])
        self.parent = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _PARENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=place,
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "TFCOURSE_CACHE": str(cache or "off")},
            start_new_session=True,  # Ctrl-C is for the campaign, which ends its commands itself
        )
        self._unread = b""
        self._latest: Child | None = None

    def __enter__(self) -> Warm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        try:
            self.end()
            self.parent.stdin.close()
            self.parent.wait()
        finally:
            self.parent.stdout.close()

    def start(self, command: str, *words: Any, wait: bool = False, most_bytes: int | None = None) -> Child:
        """Start a command such as ``train``; one that nobody waited for is ended first.

        Args:
            command: its name.
            *words: its words.
            wait: whether it begins only when it is told to go.
            most_bytes: what a file can hold: to the command, a disk that is full and stays so.
        """
        self.end()
        output = self.place / "output.txt"
        texts = tuple(map(str, words))
        order = {"command": command, "words": texts, "wait": wait, "output": str(output), "most_bytes": most_bytes}
        self.write(json.dumps(order))
        if (process := self.line()) <= 1:  # what is no process's number names a group, or everything, to a signal
            raise RuntimeError(f"The warm process gives {process} for a child's number.")
        self._latest = Child(self, (command, *texts), process, output)
        return self._latest

    def end(self) -> None:
        """Kill the command that runs, if one does: a test that failed may have left it."""
        if self._latest is not None and self.parent.poll() is None:
            self._latest.kill()
            self._latest.wait()

    def run(self, command: str, *words: Any, most_bytes: int | None = None) -> Child:
        """Run a command to its end."""
        child = self.start(command, *words, most_bytes=most_bytes)
        child.wait()
        return child

    def write(self, line: str) -> None:
        """Send a line to the warm process."""
        assert self.parent.stdin is not None
        self.parent.stdin.write(line.encode() + b"\n")
        self.parent.stdin.flush()

    def has_line(self) -> bool:
        """Say whether the warm process has written a line that was not read yet."""
        import select

        assert self.parent.stdout is not None
        return b"\n" in self._unread or bool(select.select([self.parent.stdout], [], [], 0)[0])

    def line(self) -> int:
        """Return the next line of the warm process, a number."""
        assert self.parent.stdout is not None
        while b"\n" not in self._unread:
            if not (more := os.read(self.parent.stdout.fileno(), 4096)):
                raise RuntimeError("The warm process has ended.")
            self._unread += more
        first, self._unread = self._unread.split(b"\n", 1)
        return int(first)
