"""What TensorFlow compiles, handed over through a folder in memory, and handed back.

TensorFlow keeps executables on disk itself (``--tf_xla_persistent_cache_directory``), but a file that it cannot read
and a full disk are errors to it, it does not ask whose a file is, and it never removes one. So it is given a folder in
memory; :mod:`tfcourse.cohort.kept` carries what is there to the disk and back.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import mmap
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from tensorflow.python import pywrap_tfe

FOLDER = "ram://tfcourse"
FLAGS = "TF_XLA_FLAGS"
LOG_LEVEL, FATAL_ONLY = "TF_CPP_MIN_LOG_LEVEL", 3
GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd")
"""Where there is one, programs are compiled for it, and depend on more than is looked at here."""
SET_LOG_LEVEL = rb"_ZN4absl\w*14SetMinLogLevelENS0_18LogSeverityAtLeastE"


def ask_for_executables() -> bool:
    """Have TensorFlow hand over what it compiles from now on; say whether it will.

    It reads its flags once, before the first operation of a process. The environment is left as it was.
    """
    before = os.environ.get(FLAGS)
    if "persistent_cache" in (before or "") or any(os.path.exists(device) for device in GPU_DEVICES):
        return False
    os.environ[FLAGS] = f"{before or ''} --tf_xla_persistent_cache_directory={FOLDER}"
    try:
        pywrap_tfe.TF_GetXlaConstantFoldingDisabled()  # makes it read them
    except AttributeError:  # another TensorFlow
        return False
    finally:
        if before is None:
            del os.environ[FLAGS]
        else:
            os.environ[FLAGS] = before
    return True


def hand_back(file: str, executable: bytes) -> None:
    """Put an executable where TensorFlow looks for it."""
    tf.io.gfile.makedirs(FOLDER)
    with tf.io.gfile.GFile(f"{FOLDER}/{file}", "wb") as opened:
        opened.write(executable)


def take_executables(name: str, of_this_package: str) -> dict[str, bytes]:
    """Return the executables of the function ``name``, file → content, and take them out of the memory.

    Those of functions whose names do not begin with ``of_this_package`` go as well: nobody asks for them.
    """
    found: dict[str, bytes] = {}
    for file in tf.io.gfile.listdir(FOLDER) if tf.io.gfile.exists(FOLDER) else []:
        with tf.io.gfile.GFile(f"{FOLDER}/{file}", "rb") as opened:
            content = opened.read()
        own = name.encode() in content
        if own:
            found[file] = content
        if own or of_this_package.encode() not in content:
            tf.io.gfile.remove(f"{FOLDER}/{file}")
    return found


@contextlib.contextmanager
def no_false_alarms() -> Iterator[None]:
    """Keep off the terminal what TensorFlow says when it loads an executable.

    It first reads each as a text, which it is not, and then misses in this processor's features two that are hints to
    the compiler (``prefer-no-gather``, ``prefer-no-scatter``; openxla/xla issue 44565). Nothing in Python sets what it
    says, and what is set in the environment later than TensorFlow's import counts for nothing.
    """
    level = os.environ.get(LOG_LEVEL, "0")
    level_now = int(level) if level.isdecimal() else 0
    set_level = None if level_now >= FATAL_ONLY else _set_log_level()
    if set_level is None:
        yield
        return
    set_level(FATAL_ONLY)
    try:
        yield
    finally:
        set_level(level_now)


@functools.cache
def _set_log_level() -> Callable[[int], object] | None:
    """Return the function of TensorFlow's library that sets the least severity of messages; None if it is not found."""
    for library in Path(tf.sysconfig.get_lib()).glob("libtensorflow_framework.*"):
        with contextlib.suppress(OSError, ValueError, AttributeError), open(library, "rb") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found = re.search(SET_LOG_LEVEL, content)
                name = found.group().decode() if found else ""
            function: Callable[[int], object] = getattr(ctypes.CDLL(str(library)), name)
            return function  # the name holds Abseil's version
    return None
