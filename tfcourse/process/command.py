"""What every command does alike: parse, run, and end with the right exit status and one clear message."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from tfcourse.errors import UserError
from tfcourse.process.interrupt import interrupted_by_signals
from tfcourse.process.streams import own_streams

OK, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130
DISK_FAILS = (errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.ETIMEDOUT)
"""What a broken, removed or unreachable disk answers."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises :class:`UserError` instead of leaving the interpreter."""

    def error(self, message: str) -> NoReturn:
        """Raise the message as a :class:`UserError`."""
        raise UserError(f"{message}. See {self.prog} --help.")


def run_command(
    run: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None, again: str = "run the command again"
) -> int:
    """Run a command and return its exit status, turning mistakes the user can mend into one message.

    Nobody has to read its output: what is written to a pipe that is closed, or to a terminal that is gone, is dropped,
    and the command does its work. SIGTERM and SIGHUP interrupt it as Ctrl-C does. ``again`` says how to go on after
    a disk was full or has failed.

    >>> run_command(lambda argv: 0, [])
    0
    """
    with own_streams() as (output, errors), interrupted_by_signals():
        status = _status_of(run, argv, again)
        output.flush()
        if output.failure is not None and not output.unread:
            print(f"error: Standard output could not be written: {output.failure.strerror}.", file=sys.stderr)
            status = status or USER_ERROR
        if argv is None and status == INTERRUPTED:
            for stream in (output, errors):
                stream.flush()
            # The process is this command's own. Threads that compute do not let Python end, and it ends by SIGINT after
            # one that came while it ran a string, as to make a data class.
            os._exit(status)
        return status


def _status_of(run: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None, again: str) -> int:
    try:
        return run(argv)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except OSError as error:
        message = explain(error, again)
        if message is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def explain(error: OSError, again: str) -> str | None:
    """Return a message for a disk that is full or fails or an unwritable folder, None for any other error."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"The disk is full{where}. What was finished is kept; free some space, then {again}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"This place may not be written to{where}. Choose another place, or change its permissions."
    if error.errno in DISK_FAILS:
        return (
            f"The disk failed{where}: {os.strerror(error.errno)}. What was finished is kept; see to the disk, then"
            f" {again}."
        )
    return None


def whole_number(low: int) -> Callable[[str], int]:
    """Return an argument type that takes whole numbers from ``low``.

    >>> whole_number(1)("12")
    12
    """

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low:
            raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are whole numbers from {low}")
        return value

    return parse


def one_of(*allowed: str) -> Callable[[str], str]:
    """Return an argument type that takes one of ``allowed``.

    >>> one_of("stratified", "time")("time")
    'time'
    """

    def parse(text: str) -> str:
        if text not in allowed:
            raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are {', '.join(allowed)}")
        return text

    return parse


def duration(text: str) -> float:
    """Return the seconds in a text such as 90s, 10m or 2h.

    >>> duration("10m")
    600.0
    """
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    try:
        seconds = float(text[:-1]) * units[text[-1]]
    except (ValueError, KeyError, IndexError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are times such as 90s, 10m or 2h")
    return seconds
