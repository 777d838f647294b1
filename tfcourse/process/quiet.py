"""Keep TensorFlow's start-up messages off a command's terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Silence the C++ messages that TensorFlow writes while it is first imported and finds its devices.

    A user who sets ``TF_CPP_MIN_LOG_LEVEL`` sees what it lets through. Python's own errors are not silenced, but its
    advice on tracing functions less often is: a search builds many models.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ or "tensorflow" in sys.modules:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with no_standard_error():
        yield


@contextlib.contextmanager
def no_standard_error() -> Iterator[None]:
    """Drop whatever is written to standard error, by libraries in C++ too."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
