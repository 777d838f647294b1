"""One babysitter a folder: a lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from tfcourse.babysitting.heartbeat import who_is_there
from tfcourse.errors import UserError

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
        while True:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self.descriptor)
                    raise UserError(
                        f"{str(folder)!r} is being babysat already{who_is_there(folder)}. Look at it with:"
                        f" python -m tfcourse.babysit status {folder}; or give another folder with --out."
                    ) from None
                time.sleep(0.05)

    def release(self) -> None:
        """Let others take the lock."""
        os.close(self.descriptor)


def is_held(folder: Path) -> bool:
    """Say whether a process holds the lock of ``folder``, which is whether its training is alive."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
