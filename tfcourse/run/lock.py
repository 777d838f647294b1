"""One process a run folder: a lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tfcourse.errors import UserError

try:
    import fcntl
except ImportError:  # a system without such locks
    fcntl = None  # type: ignore[assignment]

NAME = "lock"


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let no other process train in a run folder while the block runs.

    Raises:
        UserError: if another process does.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with alone_in(folder), alone_in(folder):  # doctest: +ELLIPSIS
    ...     pass
    Traceback (most recent call last):
    tfcourse.errors.UserError: Another process (...) trains in ... already; wait until it ends, or stop it.
    """
    with contextlib.ExitStack() as held:
        try:
            file = held.enter_context((folder / NAME).open("a+"))
        except OSError:  # nobody can train where nothing may be written
            yield
            return
        if fcntl is None:
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"Another process ({file.read().strip()}) trains in {str(folder)!r} already; wait until it ends, or"
                " stop it."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
