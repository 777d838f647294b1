"""One process a run folder: a lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tfcourse.errors import UserError

try:
    import fcntl
except ImportError:  # a system without such locks
    fcntl = None  # type: ignore[assignment]

NAME = "lock"
PATIENCE_SECONDS = 1.0
"""Somebody who only looks whether the lock is held holds it for a moment."""
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What network disks answer that have no locks, or whose server for them does not run."""


class NoLocksError(OSError):
    """The place of a file has no locks."""


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock of an open file, until it is closed; return False if another process holds it.

    Args:
        descriptor: of the file.
        shared: whether others may take it as well that also share it.

    Raises:
        NoLocksError: if there are no locks where the file lies.
    """
    if fcntl is None:
        raise NoLocksError
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in NO_LOCKS:
            raise NoLocksError from None
        raise
    return True


def wait_for_lock(descriptor: int) -> bool:
    """Take the lock of an open file as :func:`try_lock` does, with patience for those who only look."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (taken := try_lock(descriptor)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return taken


def is_held(folder: Path) -> bool | None:
    """Say whether a process holds the lock of ``folder``, which is whether one trains there; None if it has no locks.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with alone_in(folder):
    ...     is_held(folder)
    True
    >>> is_held(folder)
    False
    """
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:  # somebody else's
        return None
    try:
        return not try_lock(descriptor, shared=True)
    except NoLocksError:
        return None
    finally:
        os.close(descriptor)


def unguarded(folder: Path) -> str:
    """Return the line for a folder that cannot be locked."""
    return (
        f"The disk of {str(folder)!r} has no locks, so nothing keeps another process from training there too; see to it"
        " that none does."
    )


@contextlib.contextmanager
def alone_in(folder: Path, say: Callable[[str], object] = print) -> Iterator[None]:
    """Let no other process train in a run folder while the block runs.

    Args:
        folder: the run folder.
        say: called with a line if the folder cannot be locked.

    Raises:
        UserError: if another process trains in it.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with alone_in(folder), alone_in(folder):  # doctest: +ELLIPSIS
    ...     pass
    Traceback (most recent call last):
    tfcourse.errors.UserError: Another process (...) trains in ... already; wait until it ends, or stop it.
    """
    with contextlib.ExitStack() as held:
        try:
            file = held.enter_context((folder / NAME).open("a+", encoding="utf-8"))
        except OSError:  # nobody can train where nothing may be written
            yield
            return
        try:
            if not wait_for_lock(file.fileno()):
                file.seek(0)
                raise UserError(
                    f"Another process ({file.read().strip()}) trains in {str(folder)!r} already; wait until it ends, or"
                    " stop it."
                )
        except NoLocksError:
            say(unguarded(folder))
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
