"""What the ``config.json`` of an exported model may say: only what our exporters write, checked before Keras reads it.

Keras turns names in that file into classes and functions, reads files that it names, and makes every variable of
the size that it gives. So each name must stand in :data:`CLASSES`, and each size be one that the weights explain.
"""

from __future__ import annotations

import json
import math
from typing import Any

MOST_DEPTH = 64
"""Of the nesting; an average of networks with a temperature has 18."""

FUNCTIONAL = "keras.src.models.functional.Functional"
CLASSES = frozenset(
    {
        FUNCTIONAL,
        *(f"keras.layers.{name}" for name in (
            "Activation", "BatchNormalization", "Concatenate", "Conv2D", "Dense", "Dropout", "EinsumDense", "Embedding",
            "Flatten", "InputLayer", "MaxPooling2D", "Normalization", "Rescaling", "Reshape", "Softmax", "StringLookup",
            "TextVectorization",
        )),
        *(f"keras.src.ops.{name}" for name in (
            "core.Cast", "math.Logsumexp", "nn.LogSoftmax", "numpy.Add", "numpy.All", "numpy.Any", "numpy.Clip",
            "numpy.Concatenate", "numpy.Cos", "numpy.Cumsum", "numpy.Divide", "numpy.Equal", "numpy.ExpandDims",
            "numpy.Floor", "numpy.FullLike", "numpy.GetItem", "numpy.Greater", "numpy.GreaterEqual", "numpy.Isnan",
            "numpy.Less", "numpy.LessEqual", "numpy.LogicalAnd", "numpy.LogicalNot", "numpy.LogicalOr", "numpy.Max",
            "numpy.Mod", "numpy.Multiply", "numpy.Negative", "numpy.NotEqual", "numpy.OnesLike", "numpy.Pad",
            "numpy.Reshape", "numpy.Sin", "numpy.Sqrt", "numpy.Subtract", "numpy.Sum", "numpy.Take",
            "numpy.TrueDivide", "numpy.Where", "numpy.ZerosLike",
        )),
        "keras.DTypePolicy",
        *(f"keras.initializers.{name}" for name in ("GlorotUniform", "Ones", "RandomUniform", "Zeros")),
        "keras.regularizers.L2",
        "__keras_tensor__", "__numpy__", "__slice__",
    }
)  # fmt: skip
"""Every class that a model of ours is made of, as ``module.class_name`` of its ``config.json``.

An exporter that uses a new layer or operation needs it here: the tests of the exporters load each model that they
write, and name what is missing. Add only what builds a fixed computation: nothing that calls a function which the
file names, reads a path, or wraps another framework's model.
"""

LOOKUPS = ("keras.layers.StringLookup", "keras.layers.TextVectorization")
WEIGHTED = tuple(
    f"keras.layers.{name}" for name in ("BatchNormalization", "Conv2D", "Dense", "EinsumDense", "Embedding")
)
DTYPES = frozenset({"bool", "int32", "int64", "float32", "float64", "string"})
LEFT_ALONE = {
    "idf_weights": None, "lora_alpha": None, "lora_rank": None, "max_tokens": None, "ngrams": None,
    "num_oov_indices": 1, "output_mode": "int", "quantization_config": None, "renorm": False,
}  # fmt: skip
"""Settings that our exporters leave as Keras has them, and with which a layer would hold more than its weights."""


OF_IMAGES: dict[str, dict[str, Any]] = {
    "keras.layers.Conv2D": {
        "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "padding": "same", "strides": [1, 1],
        "use_bias": False,
    },
    "keras.layers.MaxPooling2D": {
        "data_format": "channels_last", "padding": "valid", "pool_size": [2, 2], "strides": [2, 2],
    },
}  # fmt: skip
"""Settings that layers of images always have; with others one could compute more than its image and weights explain."""


class NotOursError(ValueError):
    """A model's file that none of our exporters wrote; the message is the reason, in the words after "it"."""


def check_config(text: bytes) -> int:
    """Return how many weights the model has that a ``config.json`` describes.

    Raises:
        NotOursError: if it asks for something that no model of ours has.
        ValueError: if it is no JSON.

    >>> check_config(b'{"module": "keras.layers", "class_name": "Lambda", "config": {}}')
    Traceback (most recent call last):
    tfcourse.models.model_config.NotOursError: its config.json describes keras.layers.Lambda, not a functional model
    """
    try:
        config = json.loads(text)
    except RecursionError:
        raise NotOursError(f"its config.json is nested more than {MOST_DEPTH} deep") from None
    if not isinstance(config, dict) or _name(config) != FUNCTIONAL:
        given = _name(config) if isinstance(config, dict) else type(config).__name__
        raise NotOursError(f"its config.json describes {given:.80}, not a functional model")
    check = _ConfigCheck()
    check.walk(config, 0)
    return check.weights


class _ConfigCheck:
    """One walk over a configuration.

    Attributes:
        weights: those of the layers so far.
    """

    def __init__(self) -> None:
        self.weights = 0

    def walk(self, value: Any, depth: int) -> None:
        """Check a value and all that is in it."""
        if depth > MOST_DEPTH:
            raise NotOursError(f"its config.json is nested more than {MOST_DEPTH} deep")
        if isinstance(value, dict):
            # A dictionary by column may have any keys, but its values are lists or objects.
            if any(isinstance(value.get(key), str) for key in ("class_name", "module", "registered_name", "spec_name")):
                self._object(value)
            for child in value.values():
                self.walk(child, depth + 1)
        elif isinstance(value, list):
            for child in value:
                self.walk(child, depth + 1)

    def _object(self, value: dict[str, Any]) -> None:
        """Check what Keras will make an object of."""
        name, config = _name(value), value.get("config")
        if name not in CLASSES:
            raise NotOursError(f"its config.json asks for {name:.80}")
        registered = value.get("registered_name")
        if registered not in (None, value["class_name"]):
            raise NotOursError(f"its config.json asks for {registered!s:.80} in place of {name}")
        if not isinstance(config, dict):
            raise NotOursError(f"its config.json has a {name} without a configuration")
        if value.get("compile_config"):
            raise NotOursError("its config.json would compile the model")
        _check_settings(name, config, value)
        for node in value.get("inbound_nodes") or ():
            _check_call(name, node)
        for layer in config["layers"] if name == FUNCTIONAL else ():
            if not isinstance(layer, dict) or not isinstance(layer.get("class_name"), str):
                raise NotOursError("its config.json has a layer without a class")
        if name in WEIGHTED:
            self.weights += _weights(name, config, _input_shape(name, value))


def _name(value: dict[str, Any]) -> str:
    module = value.get("module")
    return f"{module}.{value.get('class_name')}" if module else str(value.get("class_name"))


def _check_settings(name: str, config: dict[str, Any], value: dict[str, Any]) -> None:
    """Check what a configuration may not set to just anything."""
    for key, usual in LEFT_ALONE.items():
        a_bag = key == "output_mode" and name == "keras.layers.TextVectorization" and config.get(key) == "multi_hot"
        if config.get(key, usual) not in (usual, None) and not a_bag:
            raise NotOursError(f"its config.json sets {key} in {name}")
    for key, only in OF_IMAGES.get(name, {}).items():
        given = config.get(key)
        if type(given) is not type(only) or given != only:
            raise NotOursError(f"its config.json sets {key} in {name}")
    dtype = config.get("name" if name == "keras.DTypePolicy" else "dtype")
    policy = isinstance(dtype, dict) and isinstance(dtype.get("class_name"), str) and name != "__numpy__"
    if dtype is not None and not policy and not (isinstance(dtype, str) and dtype in DTYPES):
        raise NotOursError(f"its config.json asks for numbers of type {dtype!s:.80}")
    if name in LOOKUPS:
        vocabulary = config.get("vocabulary")
        if not isinstance(vocabulary, list) or not all(isinstance(word, str) for word in vocabulary):
            given = f"the path {vocabulary:.80}" if isinstance(vocabulary, str) else "something else"
            raise NotOursError(f"its config.json has a vocabulary that is not a list of texts but {given}")
    if name == "keras.layers.Normalization":
        width = _input_shape(name, value)[-1]
        fits = config.get("axis") in (-1, [-1])
        if not fits or any(
            not isinstance(config.get(part), list) or len(config[part]) != width for part in ("mean", "variance")
        ):
            raise NotOursError(f"its config.json has a {name} whose statistics do not fit its input")


def _check_call(name: str, node: Any) -> None:
    """Check that a layer is called on a tensor of the graph: on constants alone it would compute at once."""
    if not isinstance(node, dict) or not _has_tensor([node.get("args"), node.get("kwargs")]):
        raise NotOursError(f"its config.json calls {name} on no tensor of the model")


def _has_tensor(value: Any) -> bool:
    if isinstance(value, dict):
        if "class_name" in value:
            return bool(value["class_name"] == "__keras_tensor__")
        value = list(value.values())
    return isinstance(value, list) and any(map(_has_tensor, value))


def _input_shape(name: str, value: dict[str, Any]) -> list[Any]:
    built = value.get("build_config")
    shape = built.get("input_shape") if isinstance(built, dict) else None
    if not isinstance(shape, list) or not shape:
        raise NotOursError(f"its config.json has a {name} without the shape of its input")
    return shape


def _weights(name: str, config: dict[str, Any], shape: list[Any]) -> int:
    """Return how many weights a layer has."""
    if name == "keras.layers.Dense":
        sizes = [config.get("units"), shape[-1]]
        extra = config.get("units") if config.get("use_bias", True) else 0
    elif name == "keras.layers.EinsumDense":  # a dense layer for each of several networks
        size = config.get("output_shape")
        if config.get("equation") != "bki,kio->bko" or config.get("bias_axes") != "ko" or not isinstance(size, list):
            raise NotOursError(f"its config.json has a {name} of another equation")
        if len(size) != 2 or len(shape) != 3 or shape[1] != size[0]:
            raise NotOursError(f"its config.json has a {name} of no size")
        sizes, extra = [shape[1], shape[2], size[1]], math.prod(size) if all(type(n) is int for n in size) else 0
    elif name == "keras.layers.Conv2D":
        kernel = config.get("kernel_size")
        if not isinstance(kernel, list) or len(kernel) != 2 or len(shape) != 4:
            raise NotOursError(f"its config.json has a {name} of no size")
        sizes, extra = [*kernel, shape[-1], config.get("filters")], 0
    elif name == "keras.layers.Embedding":
        sizes, extra = [config.get("input_dim"), config.get("output_dim")], 0
    else:
        vectors = 2 + bool(config.get("scale", True)) + bool(config.get("center", True))
        sizes, extra = [vectors, shape[-1] if config.get("axis") in (-1, len(shape) - 1) else None], 0
    if any(type(size) is not int or size < 1 for size in sizes):
        raise NotOursError(f"its config.json has a {name} of no size")
    return math.prod(sizes) + extra
