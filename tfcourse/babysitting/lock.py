"""One babysitter a folder: a lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tfcourse.babysitting.heartbeat import process_there, who_is_there
from tfcourse.errors import UserError
from tfcourse.run.lock import NoLocksError, try_lock, unguarded

NAME = "lock"
PATIENCE_SECONDS = 1.0
"""Somebody who only looks whether the lock is held holds it for a moment."""


class Lock:
    """The lock of a folder, held until :meth:`release` or the end of the process.

    Raises:
        UserError: if another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self.descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._taken(folder):
            if time.monotonic() > deadline:
                os.close(self.descriptor)
                raise UserError(
                    f"{str(folder)!r} is being babysat already{who_is_there(folder)}. Look at it with:"
                    f" python -m tfcourse.babysit status {folder}; or give another folder with --out."
                )
            time.sleep(0.05)

    def _taken(self, folder: Path) -> bool:
        try:
            return try_lock(self.descriptor)
        except NoLocksError:
            if process_there(folder) not in (None, os.getpid()):
                return False
            print(unguarded(folder), file=sys.stderr)
            return True

    def release(self) -> None:
        """Let others take the lock."""
        os.close(self.descriptor)


def is_held(folder: Path) -> bool:
    """Say whether a process holds the lock of ``folder``, which is whether its training is alive.

    Where the disk has no locks, what the training last said of itself has to do.
    """
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor, shared=True)
    except NoLocksError:
        return process_there(folder) is not None
    finally:
        os.close(descriptor)
