"""The LiteRT (TensorFlow Lite) file of a run's network, for telephones and other small machines.

LiteRT holds neither texts nor the 64-bit numbers in which columns are standardized. So the file of a table takes the
feature matrix, and a JSON file beside it tells how columns become that; the file of arrays takes them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.data.features import ArrayFeatures, Features
from tfcourse.export.from_keras import graph_of
from tfcourse.export.graph import Graph
from tfcourse.process.quiet import no_standard_error

BATCH = 4096
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": tf.add,
    "subtract": tf.subtract,
    "multiply": tf.multiply,
    "maximum": tf.maximum,
    "exp": tf.exp,
    "erf": tf.math.erf,
    "tanh": tf.tanh,
    "sigmoid": tf.sigmoid,
    "softplus": tf.math.softplus,
    "greater": tf.greater,
    "where": tf.where,
    "matmul": tf.matmul,
    "transpose": lambda x, axes: tf.transpose(x, axes),
    "reshape": tf.reshape,
    "expand_dims": tf.expand_dims,
    "pad": lambda x, pad_width, constant_values: tf.pad(x, pad_width, constant_values=constant_values),
    "slice": lambda x, bounds: x[tuple(slice(*pair) for pair in bounds)],
    "max": lambda x, axis, keepdims: tf.reduce_max(x, axis, keepdims),
    "concatenate": lambda *parts, axis: tf.concat(parts, axis),
    "softmax": tf.nn.softmax,
    "log_softmax": tf.nn.log_softmax,
    "logsumexp": lambda x, axis, keepdims: tf.reduce_logsumexp(x, axis, keepdims),
}
"""The steps that a network is made of, in TensorFlow; those of a feature map are not there."""


def write_litert(path: Path, network: Any, features: Features) -> None:
    """Write the file: ``features`` of shape (rows, width), or examples as ``x``, in; ``probabilities`` out.

    Args:
        path: where to.
        network: the part of the exported model from the feature matrix to probabilities.
        features: how the run reads its data.
    """
    graph = graph_of(network)
    shape, name = ((features.width,), "features") if not isinstance(features, ArrayFeatures) else (features.shape, "x")

    @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32, name=name)])
    def probabilities(x: Any) -> dict[str, Any]:
        return {"probabilities": _computed(graph, _standardized(x, features))}

    module = tf.Module()
    module.serve = probabilities
    converter = tf.lite.TFLiteConverter.from_concrete_functions([probabilities.get_concrete_function()], module)
    with no_standard_error():
        content = converter.convert()
    path.write_bytes(content)


def _standardized(x: Any, features: Features) -> Any:
    """Return examples as the feature matrix; the mean is taken off in two parts, since it may need 48 bits."""
    if not isinstance(features, ArrayFeatures):
        return x
    mean, deviation = np.array(features.mean), np.array(features.deviation)
    rough = mean.astype(np.float32)
    fine = (mean - rough).astype(np.float32)
    flat = tf.reshape(x, (-1, features.width))
    return ((flat - rough) - fine) / deviation.astype(np.float32)


def _computed(graph: Graph, x: Any) -> Any:
    values: dict[str, Any] = {**graph.constants, graph.inputs[0].value.name: x}
    for step in graph.steps:
        given = [values[name] for name in step.operands]
        values[step.result.name] = OPERATIONS[step.operation](*given, **step.settings)
    return values[graph.output.name]


def ask_litert(path: Path, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities that LiteRT's interpreter gives."""
    from ai_edge_litert.interpreter import Interpreter

    with no_standard_error():  # which kernels it has chosen
        signature = Interpreter(str(path)).get_signature_runner()
        (name,) = signature.get_input_details()
        parts = [signature(**{name: x[start : start + BATCH]})["probabilities"] for start in range(0, len(x), BATCH)]
    return np.concatenate(parts)
