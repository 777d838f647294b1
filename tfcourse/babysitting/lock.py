"""One babysitter a folder: a lock that the system takes back when its holder dies, however it dies.

A process that lives on after its training, as a notebook does after Ctrl-C, is told from one that still trains: the
call that trained is no longer under way in any thread. Its lock is then free for the same process.
"""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from types import FrameType

from tfcourse.babysitting.heartbeat import process_there, who_is_there
from tfcourse.errors import UserError
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
