"""A command's standard output and error: nobody has to read them, and a terminal shows of it what it can."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

AS_ASCII = {
    "–": "-", "−": "-", "·": ".", "…": "...", "→": "->", "×": "x", "±": "+-", "²": "^2", "∕": "/",
    "┤": "|", "└": "+", "─": "-", "α": "alpha", "β": "beta", "ρ": "rho", "σ": "sigma", "τ": "tau",
}  # fmt: skip
"""How our own words look where the terminal has no such character; those of others are shown as ``\\xe9``."""
PLAINLY = "tfcourse.plainly"
NOBODY_READS = (errno.EPIPE, errno.ECONNRESET, errno.EBADF, errno.EIO, errno.ENXIO)
"""Errors of a pipe whose reader has left, and of a terminal that is gone."""


def plainly(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding does not have: an error handler as of :func:`codecs.register_error`.

    >>> _ = codecs.register_error(PLAINLY, plainly)
    >>> "α → 1.5 ± 0.2, größe".encode("ascii", PLAINLY)
    b'alpha -> 1.5 +- 0.2, gr\\\\xf6\\\\xdfe'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wanted = error.object[error.start : error.end]
    shown = (AS_ASCII.get(each) or each.encode("ascii", "backslashreplace").decode() for each in wanted)
    return "".join(shown), error.end


codecs.register_error(PLAINLY, plainly)


class Stream:
    """A text stream that takes whatever is written to it: from the first failure on, it goes nowhere.

    Args:
        stream: the stream.

    Attributes:
        failure: what went wrong first; None if nothing did.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def unread(self) -> bool:
        """Whether nobody reads it any more."""
        return self.failure is not None and self.failure.errno in NOBODY_READS

    def write(self, text: str) -> int:
        """Write a text, and return its length."""
        if self.failure is None:
            try:
                self._stream.write(text)
            except OSError as error:
                self._fail(error)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Write what is held back."""
        if self.failure is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = error
        with contextlib.suppress(OSError, ValueError):
            if (descriptor := self._stream.fileno()) in (1, 2):  # what is held back must not fail again at the exit
                with open(os.devnull, "wb") as nowhere:
                    os.dup2(nowhere.fileno(), descriptor)


@contextlib.contextmanager
def own_streams() -> Iterator[tuple[Stream, Stream]]:
    """Give a command its standard output and error, also where they are closed, and show plainly what they lack.

    >>> with own_streams() as (output, _):
    ...     print("read")
    read
    """
    _open_closed_ones()
    kept = sys.stdin, sys.stdout, sys.stderr
    with contextlib.ExitStack() as held:
        nowhere = held.enter_context(open(os.devnull, "r+", encoding="utf-8"))
        output, errors = (Stream(given or nowhere) for given in kept[1:])
        for stream, given in ((output, kept[1]), (errors, kept[2])):
            if given is None:
                stream.failure = OSError(errno.EBADF, os.strerror(errno.EBADF))
            elif hasattr(given, "reconfigure"):
                held.callback(_show_with, given, given.errors or "strict")
                _show_with(given, PLAINLY)
            held.callback(stream.flush)
        sys.stdin = kept[0] or nowhere
        sys.stdout, sys.stderr = cast(TextIO, output), cast(TextIO, errors)
        try:
            yield output, errors
        finally:
            sys.stdin, sys.stdout, sys.stderr = kept


@contextlib.contextmanager
def data_output() -> Iterator[TextIO]:
    """Give standard output for data that is read by programs: as UTF-8, like every file, unless it is a terminal.

    >>> with data_output() as file:
    ...     print("label", file=file)
    label
    """
    output = sys.stdout
    if output.isatty() or not hasattr(output, "reconfigure"):
        yield output
        return
    encoding, errors = output.encoding, output.errors
    output.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        yield output
    finally:
        output.flush()
        output.reconfigure(encoding=encoding, errors=errors)


def _show_with(stream: Any, handler: str) -> None:
    with contextlib.suppress(OSError):  # it is flushed first
        stream.reconfigure(errors=handler)


def _open_closed_ones() -> None:
    """Let a file that is opened later not be taken for standard output by what writes to that number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
