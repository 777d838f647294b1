"""Each layer that an exported model may hold, as steps of a graph; batch normalization goes into kernels and biases."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np

from tfcourse.export.graph import Array, Graph, Value
from tfcourse.export.keras_operations import Entry

PUNCTUATION = r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']*"""
"""What ``lower_and_strip_punctuation`` takes out of a text."""
BLANKS = r"[ \t\n\v\f\r]"
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
LEAK = 0.2
"""Of Keras's ``leaky_relu``."""


def _exponential(graph: Graph, x: Any, alpha: float, scale: float) -> Any:
    """Return scale · (x above 0, α (eˣ − 1) below)."""
    below = graph.add("multiply", graph.add("subtract", graph.add("exp", x), 1.0), alpha)
    found = graph.add("where", graph.add("greater", x, 0.0), x, below)
    return found if scale == 1.0 else graph.add("multiply", found, scale)


def _gelu(graph: Graph, x: Any) -> Any:
    """Return x Φ(x)."""
    error = graph.add("erf", graph.add("multiply", x, float(np.sqrt(0.5))))
    return graph.add("multiply", graph.add("multiply", x, 0.5), graph.add("add", error, 1.0))


ACTIVATIONS: dict[str, Any] = {
    "relu": lambda graph, x: graph.add("maximum", x, 0.0),
    "leaky_relu": lambda graph, x: graph.add("maximum", x, graph.add("multiply", x, LEAK)),
    "elu": lambda graph, x: _exponential(graph, x, 1.0, 1.0),
    "selu": lambda graph, x: _exponential(graph, x, SELU_ALPHA, SELU_SCALE),
    "gelu": _gelu,
    "silu": lambda graph, x: graph.add("multiply", x, graph.add("sigmoid", x)),
    "tanh": lambda graph, x: graph.add("tanh", x),
    "sigmoid": lambda graph, x: graph.add("sigmoid", x),
    "softplus": lambda graph, x: graph.add("softplus", x),
    "linear": lambda graph, x: x,
}


def _activated(graph: Graph, x: Any, activation: Any) -> Any:
    return ACTIVATIONS[keras.activations.serialize(activation)](graph, x)


def _affine(graph: Graph, x: Any) -> tuple[Any, Array, Array]:
    """Return z, a and b in float64 of a value that is z · a + b; where it was not made so, itself with 1 and 0."""
    added = graph.operands_of(x, "add")
    made = graph.operands_of(added[0], "multiply") if added else None
    if not added or not made or isinstance(added[1], Value) or isinstance(made[1], Value):
        return x, np.ones(1), np.zeros(1)
    return made[0], made[1].astype(np.float64), added[1].astype(np.float64)


def _product(graph: Graph, x: Any, kernel: Array, bias: Array) -> Any:
    product = graph.add("matmul", x, kernel.astype(np.float32))
    return graph.add("add", product, bias.astype(np.float32))


def _dense(graph: Graph, layer: Any, x: Any) -> Any:
    """Multiply; what was a batch normalization before it scales its kernel and adds to its bias."""
    kernel = np.asarray(layer.kernel, np.float64)
    bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[1])
    x, scale, shift = _affine(graph, x)
    shift = np.broadcast_to(shift, len(kernel))
    return _activated(graph, _product(graph, x, scale[:, None] * kernel, bias + shift @ kernel), layer.activation)


def _batch_normalization(graph: Graph, layer: Any, x: Any) -> Any:
    """Scale and shift by the moving statistics, within the dense layer before it if there is one."""
    mean, variance = (np.asarray(each, np.float64) for each in (layer.moving_mean, layer.moving_variance))
    factor = 1.0 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        factor = factor * np.asarray(layer.gamma, np.float64)
    shift = -mean * factor
    if layer.center:
        shift = shift + np.asarray(layer.beta, np.float64)
    added = graph.operands_of(x, "add")
    multiplied = graph.operands_of(added[0], "matmul") if added else None
    if added and multiplied and not isinstance(multiplied[1], Value):
        kernel, bias = multiplied[1].astype(np.float64), added[1].astype(np.float64)
        return _product(graph, multiplied[0], kernel * factor, bias * factor + shift)
    scaled = graph.add("multiply", x, factor.astype(np.float32))
    return graph.add("add", scaled, shift.astype(np.float32))


def _convolution(graph: Graph, layer: Any, x: Any) -> Any:
    """Multiply each pixel's patch, the pixels around it one after the other, by the kernel as a matrix."""
    height, width, channels, filters = layer.kernel.shape
    _, rows, columns, _ = layer.input.shape
    above, left = (height - 1) // 2, (width - 1) // 2
    around = [[0, 0], [above, height - 1 - above], [left, width - 1 - left], [0, 0]]
    padded = graph.add("pad", x, pad_width=around, constant_values=0.0)
    patches = [
        graph.add("slice", padded, bounds=[[None, None], [i, i + rows], [j, j + columns], [None, None]])
        for i in range(height)
        for j in range(width)
    ]
    kernel = np.asarray(layer.kernel, np.float64).reshape(height * width * channels, filters)
    product = _product(graph, graph.add("concatenate", *patches, axis=-1), kernel, np.zeros(filters))
    return _activated(graph, product, layer.activation)


def _max_pooling(graph: Graph, layer: Any, x: Any) -> Any:
    """Give the largest of each 2 x 2 pixels; what is left over at the right and below is cut off."""
    _, rows, columns, channels = layer.output.shape
    cut = graph.add("slice", x, bounds=[[None, None], [0, 2 * rows], [0, 2 * columns], [None, None]])
    squares = graph.add("reshape", cut, shape=[-1, rows, 2, columns, 2, channels])
    return graph.add("max", graph.add("max", squares, axis=4, keepdims=False), axis=2, keepdims=False)


def _einsum_dense(graph: Graph, layer: Any, x: Any) -> Any:
    """Multiply each network's units by its own kernel: row b, network k, inputs i, units o, bki,kio->bko."""
    first = graph.add("transpose", x, axes=[1, 0, 2])
    each = graph.add("matmul", first, np.asarray(layer.kernel))
    return graph.add("add", graph.add("transpose", each, axes=[1, 0, 2]), np.asarray(layer.bias))


def _text_vectorization(graph: Graph, layer: Any, x: Any) -> Any:
    words = [str(word) for word in layer.get_vocabulary(include_special_tokens=False)]
    config = layer.get_config()
    if (
        config["output_mode"] == "multi_hot"
    ):  # a first column is that of all other words, at which no model of ours looks
        found = graph.add("matches", x, patterns=["a^", *map(pattern_of, words)])
        return graph.cast(found, "float32")
    return graph.add("characters", x, dtype="int64", known="".join(words), length=config["output_sequence_length"])


def pattern_of(word: str) -> str:
    """Return the regular expression of all texts that hold a word, whatever its case (of ASCII) and punctuation.

    >>> import re
    >>> [bool(re.fullmatch(pattern_of("its"), text)) for text in ("Now: IT'S red", "it s", "bits")]
    [True, False, False]
    """
    letters = [f"[{letter}{letter.upper()}]" if "a" <= letter <= "z" else re.escape(letter) for letter in word]
    spelled = PUNCTUATION + "".join(letter + PUNCTUATION for letter in letters)
    return f"(?s)(?:.*{BLANKS})?{spelled}(?:{BLANKS}.*)?"


def _string_lookup(graph: Graph, layer: Any, x: Any) -> Any:
    words = [str(word) for word in layer.get_vocabulary(include_special_tokens=False)]
    return graph.add("lookup", x, dtype="int64", words=words)


def _normalization(graph: Graph, layer: Any, x: Any) -> Any:
    """As in models of earlier versions."""
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance)), np.float32(keras.config.epsilon()))
    return graph.add("divide", graph.add("subtract", x, np.asarray(layer.mean)), deviation)


def _rescaling(graph: Graph, layer: Any, x: Any) -> Any:
    scaled = graph.add("multiply", x, float(layer.scale))
    return graph.add("add", scaled, float(layer.offset)) if layer.offset else scaled


def _reshape(graph: Graph, layer: Any, x: Any) -> Any:
    return graph.add("reshape", x, shape=[-1, *layer.output.shape[1:]])


def _layer(entry: Entry) -> Entry:
    """Return an entry that casts numbers to the type in which the layer computes, as Keras does."""

    def cast(graph: Graph, layer: Any, x: Any, **_: Any) -> Any:
        def own(value: Value) -> Value:
            return graph.cast(value, layer.compute_dtype) if value.dtype.startswith("float") else value

        return entry(graph, layer, [own(value) for value in x] if isinstance(x, list | tuple) else own(x))

    return cast


LAYERS: dict[str, Entry] = {
    name: _layer(entry)
    for name, entry in {
        "Activation": lambda graph, layer, x: _activated(graph, x, layer.activation),
        "BatchNormalization": _batch_normalization,
        "Concatenate": lambda graph, layer, parts: graph.add("concatenate", *parts, axis=layer.axis),
        "Conv2D": _convolution,
        "Dense": _dense,
        "Dropout": lambda graph, layer, x: x,
        "EinsumDense": _einsum_dense,
        "Embedding": lambda graph, layer, x: graph.add(
            "take", np.asarray(layer.embeddings), x, axis=0, dtype="float32"
        ),
        "Flatten": _reshape,
        "MaxPooling2D": _max_pooling,
        "Normalization": _normalization,
        "Rescaling": _rescaling,
        "Reshape": _reshape,
        "Softmax": lambda graph, layer, x: graph.add("softmax", x, axis=layer.axis),
        "StringLookup": _string_lookup,
        "TextVectorization": _text_vectorization,
    }.items()
}
"""By class name; each is called with the graph, the layer and what it is applied to."""
