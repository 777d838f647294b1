"""Ctrl-C that is heard at a safe place: between epochs, not in the middle of a library's callback."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def patient_interrupt(after: str = "epoch") -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C was pressed; a second Ctrl-C interrupts at once.

    Args:
        after: what the training stops after, to be told.

    Inside the block the first SIGINT or SIGTERM only sets a flag: an exception raised just anywhere could be
    swallowed by TensorFlow's callbacks. Who runs in the block asks the function and raises KeyboardInterrupt.

    >>> with patient_interrupt() as interrupted:
    ...     interrupted()
    False
    """
    pressed = threading.Event()

    def hear(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()
        print(f"Stopping after this {after}; press Ctrl-C again to stop at once.", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    kept = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed.is_set
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
