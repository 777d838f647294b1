"""KerasTuner's lock around an oracle's methods, which is given back also when a method raises."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import keras_tuner
from keras_tuner.src.engine.oracle import LOCKS, THREADS

Method = TypeVar("Method", bound=Callable[..., Any])


@contextlib.contextmanager
def given_back(oracle: Any) -> Iterator[None]:
    """Give the oracle's lock back when the block raises and had taken it.

    KerasTuner keeps it then, so that the next call from another thread waits for ever.
    """
    name = threading.current_thread().name
    had = THREADS[oracle] == name
    try:
        yield
    except BaseException:
        if THREADS[oracle] == name and not had:
            THREADS[oracle] = None
            LOCKS[oracle].release()
        raise


def synchronized(method: Method) -> Method:
    """Run a method of an oracle under KerasTuner's lock; a decorator in the place of ``keras_tuner.synchronized``."""
    locked = keras_tuner.synchronized(method)

    @functools.wraps(method)
    def call(oracle: Any, *args: Any, **kwargs: Any) -> Any:
        with given_back(oracle):
            return locked(oracle, *args, **kwargs)

    return cast(Method, call)
