"""Ctrl-C, SIGTERM and SIGHUP: heard at a safe place, between epochs, not in the middle of a library's callback."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from tfcourse.process.early import leave

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class StopAtOnce(KeyboardInterrupt):  # no error, like its base
    """Ctrl-C for the second time: what still runs in other threads is not waited for."""


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does, so that what was begun is brought to an end.

    A signal that is ignored, as ``nohup`` has SIGHUP ignored, and one that somebody handles is left as it is.
    """
    with _handled(dict.fromkeys(SIGNALS, signal.default_int_handler), only=(signal.SIG_DFL, leave)):
        yield


@contextlib.contextmanager
def not_interrupted() -> Iterator[None]:
    """Hear no signal while the block runs: for the few milliseconds of a last word."""
    with _handled(dict.fromkeys(SIGNALS, signal.SIG_IGN)):
        yield


@contextlib.contextmanager
def patient_interrupt(after: str = "epoch") -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C was pressed; a second Ctrl-C interrupts at once.

    Args:
        after: what the training stops after, to be told.

    Inside the block the first SIGINT, SIGTERM or SIGHUP only sets a flag: an exception raised just anywhere could be
    swallowed by TensorFlow's callbacks. Who runs in the block asks the function and raises KeyboardInterrupt; a second
    signal raises :class:`StopAtOnce`.

    >>> with patient_interrupt() as interrupted:
    ...     interrupted()
    False
    """
    pressed = threading.Event()

    def hear(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise StopAtOnce
        pressed.set()
        with contextlib.suppress(RuntimeError):  # it came while something else was written there
            print(f"Stopping after this {after}; press Ctrl-C again to stop at once.", file=sys.stderr)

    with _handled(dict.fromkeys(SIGNALS, hear)):
        yield pressed.is_set


@contextlib.contextmanager
def _handled(handlers: dict[int, Any], only: tuple[Any, ...] | None = None) -> Iterator[None]:
    """Handle signals in this way while the block runs; a hangup that is ignored stays ignored.

    Args:
        handlers: by signal.
        only: the handlers that are replaced; None is any.
    """
    kept = {}
    if threading.current_thread() is threading.main_thread():  # Python lets no other
        for number, handler in handlers.items():
            before = signal.getsignal(number)
            ignored = before == signal.SIG_IGN and number != signal.SIGINT
            if before is not None and not ignored and (only is None or before in only):
                kept[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in kept.items():
            signal.signal(number, before)
