"""A command under strace, which lists the calls that it makes, or makes one of them fail."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from warm import Child, Warm

CALLS = (
    "openat", "write", "pwrite64", "writev", "fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink",
    "unlinkat",
    "mkdir", "mkdirat", "ftruncate", "rmdir",
)  # fmt: skip
INJECTED = "(INJECTED)"
"""What strace writes behind a call that it made to fail."""
PROCESS = "{process}"
"""Stands in a file's name for the number of the process that writes it."""
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")
_FILE = re.compile(r'[<"](/[^">]*)[">]')


@dataclass(frozen=True)
class Call:
    """A call that is made to fail: its name, its file in the run's folder, its number there by a thread, from 1."""

    name: str
    file: str
    number: int


class UntraceableError(Exception):
    """strace may not trace here."""


class Traced:
    """A command that runs under strace from its first call on, with all of its threads.

    Args:
        warm: what starts the command.
        log: the file for strace's lines.
        words: the command and its words.
        inject: the call that strace makes fail, how, and the folder of its file; None for none.

    Raises:
        UntraceableError: if there is no strace here, or it may not trace.
    """

    def __init__(
        self, warm: Warm, log: Path, words: Sequence[str], inject: tuple[Call, str, Path] | None = None
    ) -> None:
        if shutil.which("strace") is None:
            raise UntraceableError("There is no strace here; install the package strace.")
        self.log = log
        self.child: Child = warm.start(*words, wait=True)
        options = ["-e", f"trace={','.join(CALLS)}"]
        if inject is not None:
            call, effect, folder = inject
            file = call.file.replace(PROCESS, str(self.child.process))
            options = ["-P", str(folder / file), "-e", f"trace={call.name}"]
            options += ["-e", f"inject={call.name}:{effect}:when={call.number}"]
        said = log.with_suffix(".said")
        with said.open("w") as errors:
            strace = subprocess.Popen(
                ["strace", "-f", "-y", "-s", "0", "-p", str(self.child.process), "-o", str(log), *options],
                stderr=errors,
            )
        while "attached" not in said.read_text() and strace.poll() is None:
            time.sleep(0.005)
        if "attached" not in said.read_text():
            self.child.kill()
            raise UntraceableError(f"strace may not trace here: {said.read_text().strip()}")
        try:
            self.child.go()
            self.status = self.child.wait()
        except BaseException:  # told to stop
            self.child.kill()
            raise
        strace.wait()

    def calls(self, folder: Path, *, beside: bool = False) -> list[Call]:
        """Return the calls that write in a folder, each once, in their order; all, or those of further threads."""
        counts: Counter[tuple[str, str, str]] = Counter()
        found: dict[Call, None] = {}
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            if (match := _CALL.match(line)) is None:
                continue
            thread, name, rest = match.groups()
            if (file := _FILE.search(rest.replace("AT_FDCWD<", "", 1))) is None:
                continue
            path = Path(file[1])
            if not path.is_relative_to(folder):
                continue
            inside = str(path.relative_to(folder)).replace(f".{self.child.process}.", f".{PROCESS}.")
            counts[thread, name, inside] += 1
            writes = name != "openat" or "O_WRONLY" in rest or "O_RDWR" in rest or "O_CREAT" in rest
            if writes and not (beside and thread == str(self.child.process)):
                found[Call(name, inside, counts[thread, name, inside])] = None
        return list(found)
