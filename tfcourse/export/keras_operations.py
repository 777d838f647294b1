"""Each operation of ``keras.ops`` that an exported model may hold, as steps of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tfcourse.export.graph import Graph, dtype_of

Entry = Callable[..., Any]
SAME = (
    "Add Subtract Multiply Divide Mod Floor Sqrt Sin Cos Negative Where Isnan Equal NotEqual Less LessEqual Greater"
    " GreaterEqual LogicalAnd LogicalOr LogicalNot"
)
"""Operations that do what NumPy's of the same name does, on arrays of any shapes."""


def _snake(name: str) -> str:
    """Return ``less_equal`` for ``LessEqual``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def _same(name: str) -> Entry:
    return lambda graph, operation, *operands: graph.add(name, *operands)


def _reduced(name: str) -> Entry:
    def entry(graph: Graph, operation: Any, x: Any) -> Any:
        axis = operation.axis
        axis = axis[0] if isinstance(axis, list | tuple) else axis
        return graph.add(name, x, axis=axis, keepdims=operation.keepdims)

    return entry


def _filled(number: float | None = None) -> Entry:
    """Return a number in place of an array of it: every other operand of what it enters has the shape."""

    def entry(graph: Graph, operation: Any, x: Any, given: Any = None) -> Any:
        return np.asarray(given if number is None else number, x.dtype)

    return entry


def _slice(graph: Graph, operation: Any, x: Any, key: Any) -> Any:
    keys = key if isinstance(key, list | tuple) else [key]
    if any(each is None for each in keys):  # a new axis, as of a vector of shares
        return np.asarray(x)[tuple(keys)]
    if not all(isinstance(each, slice) and each.step is None for each in keys):
        raise KeyError(f"GetItem of {key}")
    return graph.add("slice", x, bounds=[[each.start, each.stop] for each in keys])


def _take(graph: Graph, operation: Any, x: Any, indices: Any) -> Any:
    axis = 0 if operation.axis is None else operation.axis
    return graph.add("take", x, graph.cast(indices, "int64"), axis=axis, dtype=dtype_of(x))


OPERATIONS: dict[str, Entry] = {name: _same(_snake(name)) for name in SAME.split()} | {
    "TrueDivide": _same("divide"),
    "Any": _reduced("any"),
    "All": _reduced("all"),
    "Sum": _reduced("sum"),
    "Max": _reduced("max"),
    "Logsumexp": _reduced("logsumexp"),
    "LogSoftmax": lambda graph, operation, x: graph.add("log_softmax", x, axis=operation.axis),
    "ZerosLike": _filled(0),
    "OnesLike": _filled(1),
    "FullLike": _filled(),
    "Cast": lambda graph, operation, x: graph.cast(x, operation.dtype),
    "Clip": lambda graph, operation, x: graph.add("clip", x, operation.x_min, operation.x_max),
    "Cumsum": lambda graph, operation, x: graph.add("cumsum", x, axis=operation.axis),
    "Concatenate": lambda graph, operation, parts: graph.add("concatenate", *parts, axis=operation.axis),
    "ExpandDims": lambda graph, operation, x: graph.add("expand_dims", x, axis=operation.axis),
    "Reshape": lambda graph, operation, x: graph.add("reshape", x, shape=list(operation.newshape)),
    "Pad": lambda graph, operation, x, constant_values=0: graph.add(
        "pad", x, pad_width=[list(each) for each in operation.pad_width], constant_values=constant_values
    ),
    "Take": _take,
    "GetItem": _slice,
}
"""By class name; each is called with the graph, the operation and what it is applied to."""
