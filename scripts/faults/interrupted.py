"""A campaign that is told to stop says what it has come to so far."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def until_told_to_stop() -> Iterator[None]:
    """End the block where it is at Ctrl-C or SIGTERM, and go on behind it; in the background as well.

    >>> with until_told_to_stop():
    ...     signal.raise_signal(signal.SIGTERM)
    ...     print("not reached")
    >>> print("the summary")
    the summary
    """
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
