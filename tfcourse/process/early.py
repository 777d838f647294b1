"""Ctrl-C in the first moments of a command, while Python still imports what it is made of: a line, and status 130.

Imported before anything else, it imports nothing that takes time.
"""

from __future__ import annotations

import os
import signal
import sys

PACKAGE = "tfcourse"
INTERRUPTED = 130


def leave(number: int, frame: object) -> None:
    """End the process at once: nothing has begun that could be brought to an end."""
    try:
        os.write(2, b"interrupted\n")
    finally:  # also where the terminal is gone
        os._exit(INTERRUPTED)


def leave_on_interrupt() -> None:
    """Leave on Ctrl-C from now on if Python is about to run a command, ``python -m tfcourse.train``.

    A program of somebody's own, which only imports the package, is left as it is.
    """
    words = sys.orig_argv
    command = words[words.index("-m") + 1] if "-m" in words[:-1] else ""
    about_to_run = sys.argv[:1] == ["-m"] and command.startswith(f"{PACKAGE}.")
    if about_to_run and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)


leave_on_interrupt()
