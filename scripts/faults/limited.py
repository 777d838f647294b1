"""Work in a process of its own that may take so much processor time and memory, and what came of it."""

from __future__ import annotations

import os
import re
import resource
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tfcourse.process.command import OK, USER_ERROR, run_command

MOST_BYTES = 2 << 30
RAISED = 99
_FRAME = re.compile(r'File ".*?((?:tfcourse|site-packages)/[^"]*)", line (\d+)')


@dataclass(frozen=True)
class Outcome:
    """How a piece of work ended: exit status (negative: a signal), what it printed, processor seconds, peak bytes."""

    status: int
    said: str
    seconds: float = 0.0
    peak: int = 0

    @property
    def fault(self) -> str:
        """What is wrong with it, in a line; empty where it worked, or was refused in one message."""
        if "Traceback (most recent call last)" in self.said or self.status == RAISED:
            return f"traceback: {last_frame(self.said)}{self.said.strip().splitlines()[-1][:160]}"
        if self.status not in (OK, USER_ERROR):
            why = {-24: "too long", -9: "killed"}.get(self.status, "wrong status")
            return f"{why}: status {self.status} after {self.seconds:.0f} s and {self.peak >> 20} MiB"
        if self.status == USER_ERROR and messages(self.said) != 1:
            return f"{messages(self.said)} messages instead of one: {self.said[:200]!r}"
        if self.peak > MOST_BYTES:
            return f"{self.peak >> 20} MiB were used"
        return ""


def messages(said: str) -> int:
    """Return how many messages of ours there are; libraries write of errors in their own lines.

    >>> messages("E0000 CUDA error: none\\nerror: There is no file.\\n")
    1
    """
    return len(re.findall("^error: ", said, re.MULTILINE))


def last_frame(said: str) -> str:
    """Return the last place in our own code that a traceback names."""
    ours = [found for found in _FRAME.findall(said) if found[0].startswith("tfcourse")]
    return f"{ours[-1][0]}:{ours[-1][1]}: " if ours else ""


def limited(work: Callable[[], object], output: Path, seconds: int) -> Outcome:
    """Do a piece of work in a fork of this process, which must not have begun to use threads.

    Args:
        work: what is done; a whole number that it returns is the exit status.
        output: the file that takes what it prints.
        seconds: processor time that it may take.
    """
    process = os.fork()
    if process == 0:
        _child(work, output, seconds)
    _, ended, used = os.wait4(process, 0)
    said = output.read_text(encoding="utf-8", errors="replace")
    return Outcome(os.waitstatus_to_exitcode(ended), said, used.ru_utime + used.ru_stime, used.ru_maxrss << 10)


def _child(work: Callable[[], object], output: Path, seconds: int) -> None:
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (held + MOST_BYTES, held + MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    status = RAISED
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            status = run_command(lambda argv: int(work() or 0), [])  # type: ignore[call-overload]
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
