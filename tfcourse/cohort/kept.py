"""Compiled functions kept on disk: what one process traced and compiled, the next one reads in a tenth of the time.

A file holds the traced graph and its executable. TensorFlow finds an executable by all names that are in the graph, and
the numbers in the names that it gives depend on what else the process has traced; so the functions of a kept graph have
names that depend on nothing but what is compiled. The kept graph saves the tracing, too.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import function_pb2
from tensorflow.python.eager import context

from tfcourse.cohort.executables import (
    ask_for_executables,
    hand_back,
    no_false_alarms,
    take_executables,
)
from tfcourse.files.cache import CacheFolder, user_cache

NAME = "tfcourse_"
PROGRAMS = "tfcourse-programs"
"""A folder that nobody else has, wherever the user puts it: what is in it goes when it grows too large."""
CHANGES_CODE = ("TF_XLA_FLAGS", "XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "TF_DETERMINISTIC_OPS")
"""Environment variables that the machine code may depend on."""
OF_THE_PROCESSOR = re.compile(r"^(vendor_id|cpu family|model|stepping|flags|CPU |Features)")


class KeptFunction:
    """A function that XLA compiles, from disk where an earlier process compiled the same one.

    It is called as ``function`` is, and returns the same values, bit for bit.

    Args:
        function: a ``tf.function`` with ``jit_compile``, which depends on nothing but ``about`` and its arguments.
        about: all that is compiled into it but the arguments' shapes.

    Attributes:
        from_disk: whether it was.
        seconds: what its first call took where it was compiled; 0 before.
    """

    def __init__(self, function: Callable[..., Any], about: object) -> None:
        self.function, self.about, self.from_disk, self.seconds = function, about, False, 0.0
        self._ready: dict[tuple[object, ...], Callable[..., Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        shapes = tuple(each if each is None else (each.shape, each.dtype) for each in tf.nest.flatten(arguments))
        with self._lock:
            if (ready := self._ready.get(shapes)) is None:
                values, self._ready[shapes] = self._first(arguments)
                return values
        return ready(*arguments)

    def _first(self, arguments: tuple[Any, ...]) -> tuple[Any, Callable[..., Any]]:
        """Return the values of the first call, and what is called from then on."""
        folder = user_cache()
        if folder is not None and _keeps and not tf.config.functions_run_eagerly():
            try:
                return self._kept(CacheFolder(folder / PROGRAMS), arguments)
            except Exception:  # whatever was kept, or whichever TensorFlow this is: the function itself is there
                self.from_disk = False
        return self.function(*arguments), self.function

    def _kept(self, folder: CacheFolder, arguments: tuple[Any, ...]) -> tuple[Any, _Graph]:
        """Return the values of the first call, and the graph that gave them: one that was kept, or is from now on."""
        key = _key(self.about, arguments)
        content, file = folder.read(key), ""
        try:
            if content is None:
                began = time.perf_counter()
                graph = _Graph.of(self.function.get_concrete_function(*arguments), key)  # type: ignore[attr-defined]
                values = graph.first(*arguments)
                graph = dataclasses.replace(graph, seconds=time.perf_counter() - began)
            else:
                graph, file, executable = _Graph.from_bytes(content)
                hand_back(file, executable)
                with no_false_alarms():
                    values = graph.first(*arguments)
        except Exception:
            folder.discard(key)
            raise
        executables = take_executables(NAME + key, NAME)
        new = [name for name in executables if name != file]
        for name in new:
            folder.write(key, graph.to_bytes(name, executables[name]))
        self.from_disk, self.seconds = bool(file) and not new, max(self.seconds, graph.seconds)
        return values, graph


@dataclass(frozen=True)
class _Graph:
    """A traced function and those that it calls, under names of their own.

    Args:
        library: all of them, that which is called first.
        structure: of the values, a number in each one's place.
        seconds: what tracing, compiling and the first call took.
    """

    library: function_pb2.FunctionDefLibrary
    structure: Any
    seconds: float = 0.0

    @classmethod
    def of(cls, traced: Any, key: str) -> _Graph:
        """Return the graph of a traced function, its functions named by ``key``."""
        if traced.captured_inputs:
            raise ValueError("a kept function depends on its arguments alone")
        functions = [traced.function_def, *traced.graph.as_graph_def().library.function]
        names = {each.signature.name: f"{NAME}{key}_{number}" for number, each in enumerate(functions)}
        library = function_pb2.FunctionDefLibrary(function=functions)
        for function in library.function:
            function.signature.name = names[function.signature.name]
            for node in function.node_def:
                node.op = names.get(node.op, node.op)
                for attribute in node.attr.values():
                    called = [attribute.func] if attribute.HasField("func") else attribute.list.func
                    for each in called:
                        each.name = names[each.name]
        count = len(traced.outputs)
        return cls(library, tf.nest.pack_sequence_as(traced.structured_outputs, list(range(count))))

    @classmethod
    def from_bytes(cls, content: bytes) -> tuple[_Graph, str, bytes]:
        """Return a graph and its executable, the name of its file and what is in it."""
        head, _, rest = content.partition(b"\n")
        about = json.loads(head)
        library = function_pb2.FunctionDefLibrary.FromString(rest[: about["graph"]])
        return cls(library, about["structure"], about["seconds"]), about["file"], rest[about["graph"] :]

    def to_bytes(self, file: str, executable: bytes) -> bytes:
        """Return what :meth:`from_bytes` reads."""
        graph = self.library.SerializeToString()
        head = json.dumps({"structure": self.structure, "seconds": self.seconds, "graph": len(graph), "file": file})
        return head.encode() + b"\n" + graph + executable

    def first(self, *arguments: Any) -> Any:
        """Make the functions known to TensorFlow, and return the values of a call."""
        for function in reversed(self.library.function):
            context.context().add_function_def(function)
        return self(*arguments)

    def __call__(self, *arguments: Any) -> Any:
        signature = self.library.function[0].signature
        inputs = [each for each in tf.nest.flatten(arguments) if each is not None]
        values = context.context().call_function(signature.name.encode(), inputs, len(signature.output_arg))
        return tf.nest.pack_sequence_as(self.structure, values)


def _key(about: object, arguments: tuple[Any, ...]) -> str:
    """Return a name for all that a program depends on."""
    shapes = tf.nest.map_structure(lambda each: each if each is None else (each.dtype.name, each.shape), arguments)
    parts = (about, shapes, _of_the_process(), [os.environ.get(name) for name in CHANGES_CODE])
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()


@functools.cache
def _of_the_process() -> tuple[object, ...]:
    """Return what all programs of this process depend on: versions, this package's code, the processor, its cores."""
    versions = [importlib.metadata.version(name) for name in ("keras", "numpy")]
    version = tf.version.VERSION, tf.version.GIT_VERSION, tf.version.COMPILER_VERSION
    code = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    threading_ = tf.config.threading
    threads = threading_.get_intra_op_parallelism_threads(), threading_.get_inter_op_parallelism_threads()
    cores = os.cpu_count(), len(os.sched_getaffinity(0))
    return versions, version, code.hexdigest(), _processor(), threads, cores


@functools.cache
def _processor() -> str:
    """Return what kind of processor this is and what it can do; empty if that is not known, as off Linux."""
    try:
        first = Path("/proc/cpuinfo").read_text("utf-8", "replace").split("\n\n")[0]
    except OSError:
        return ""
    return "\n".join(line for line in first.splitlines() if OF_THE_PROCESSOR.match(line))


_keeps = user_cache() is not None and bool(_processor()) and ask_for_executables()
