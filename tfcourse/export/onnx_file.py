"""The ONNX file of a graph, written with ``onnx``'s own helpers.

All operators are ONNX's but one: where a column's numbers or dates are texts, these are cut into characters by
``com.microsoft.Tokenizer``, which is in every ONNX Runtime; ONNX has no such operator.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tfcourse.export.graph import TEXT, Graph, Input, Step

OPSETS = {"": 20, "ai.onnx.ml": 3, "com.microsoft": 1}
IR_VERSION = 9
"""The oldest that has these operators, so that older runtimes (ONNX Runtime 1.17 on) read the file."""
PROBABILITIES, LABEL = "probabilities", "label"
PADDING = "\0"
SAME = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "floor": "Floor", "sqrt": "Sqrt",
    "exp": "Exp", "sin": "Sin", "cos": "Cos", "tanh": "Tanh", "negative": "Neg", "maximum": "Max", "clip": "Clip",
    "where": "Where", "isnan": "IsNaN", "equal": "Equal", "less": "Less", "less_equal": "LessOrEqual",
    "greater": "Greater", "greater_equal": "GreaterOrEqual", "logical_and": "And", "logical_or": "Or",
    "logical_not": "Not", "matmul": "MatMul", "erf": "Erf", "sigmoid": "Sigmoid", "softplus": "Softplus",
}  # fmt: skip
"""Operators that do the same as a step on the same operands."""


class OnnxWriter:
    """The nodes and constants of one graph.

    An input has its column's name, which may be any; all other names begin as no column does.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.columns = {each.value.name: each.column for each in graph.inputs}
        self.prefix = "_"
        while any(column.startswith(self.prefix) for column in self.columns.values()):
            self.prefix += "_"
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        for name, array in graph.constants.items():
            self.constants[name] = numpy_helper.from_array(array, self.named(name))

    def write(self) -> None:
        """Write a node or a few for each step."""
        for step in self.graph.steps:
            given = [self.named(name) for name in step.operands]
            if step.operation in SAME:
                self.node(SAME[step.operation], given, step)
            else:
                OWN[step.operation](self, step, given)

    def named(self, name: str) -> str:
        """Return what the file calls a value or constant of the graph."""
        return self.columns.get(name, self.prefix + name)

    def node(
        self, operator: str, given: Sequence[str], step: Step | None = None, domain: str = "", **attributes: Any
    ) -> str:
        """Add a node, which gives the result of ``step`` if there is one; return the name of what it gives."""
        result = self.named(step.result.name if step else f"n{len(self.nodes)}")
        self.nodes.append(helper.make_node(operator, list(given), [result], domain=domain, **attributes))
        return result

    def constant(self, array: Any, dtype: str = "int64") -> str:
        """Return the name of a constant."""
        values = np.array(array, object if dtype == TEXT else dtype)
        key = f"{dtype} {values.tolist()}"
        if key not in self.constants:
            name = self.named(f"k{len(self.constants)}")
            self.constants[key] = numpy_helper.from_array(values, name)
        return str(self.constants[key].name)


Own = Callable[[OnnxWriter, Step, list[str]], object]


def _cast(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    writer.node("Cast", given, step, to=_type(step.settings["dtype"]))


def _not_equal(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    writer.node("Not", [writer.node("Equal", given)], step)


def _mod(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    """Write x mod y for y > 0: what C's fmod leaves, with y added where that is below 0."""
    left = writer.node("Mod", given, fmod=1)
    below = writer.node("Less", [left, writer.constant(0, step.result.dtype)])
    writer.node("Where", [below, writer.node("Add", [left, given[1]]), left], step)


def _concatenate(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    writer.node("Concat", given, step, axis=step.settings["axis"])


def _reduced(operator: str) -> Own:
    def write(writer: OnnxWriter, step: Step, given: list[str]) -> None:
        axis = writer.constant([step.settings["axis"]])
        writer.node(operator, [given[0], axis], step, keepdims=int(step.settings["keepdims"]))

    return write


def _any(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    """Write whether one is true as the greatest of zeros and ones."""
    numbers = writer.node("Cast", given, to=TensorProto.INT32)
    axis, operator = writer.constant([step.settings["axis"]]), {"any": "ReduceMax", "all": "ReduceMin"}[step.operation]
    found = writer.node(operator, [numbers, axis], keepdims=int(step.settings["keepdims"]))
    writer.node("Cast", [found], step, to=TensorProto.BOOL)


def _cumsum(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    writer.node("CumSum", [given[0], writer.constant(step.settings["axis"])], step)


def _take(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    writer.node("Gather", given, step, axis=step.settings["axis"])


def _slice(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    bounds = [
        (axis, start or 0, np.iinfo(np.int64).max if stop is None else stop)
        for axis, (start, stop) in enumerate(step.settings["bounds"])
        if (start, stop) != (None, None)
    ]
    axes, starts, stops = (writer.constant(each) for each in zip(*bounds, strict=True))
    writer.node("Slice", [given[0], starts, stops, axes], step)


def _pad(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    before, after = zip(*step.settings["pad_width"], strict=True)
    number = writer.constant(step.settings["constant_values"], step.result.dtype)
    writer.node("Pad", [given[0], writer.constant([*before, *after]), number], step)


def _reshape(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    writer.node("Reshape", [given[0], writer.constant(step.settings["shape"])], step)


def _transpose(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    writer.node("Transpose", given, step, perm=step.settings["axes"])


def _expand_dims(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    writer.node("Unsqueeze", [given[0], writer.constant([step.settings["axis"]])], step)


def _along(operator: str) -> Own:
    def write(writer: OnnxWriter, step: Step, given: list[str]) -> None:
        writer.node(operator, given, step, axis=step.settings["axis"])

    return write


def _lookup(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    _encode(writer, given[0], {word: place for place, word in enumerate(step.settings["words"], 1)}, 0, step)


def _encode(writer: OnnxWriter, given: str, places: dict[str, int], other: int, step: Step | None = None) -> str:
    """Write the number of each text, ``other`` for one that has none."""
    return writer.node(
        "LabelEncoder", [given], step, "ai.onnx.ml",
        keys_strings=list(places), values_int64s=list(places.values()), default_int64=other,
    )  # fmt: skip


def _characters(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    """Cut texts of shape (rows, 1) into characters, and give as many numbers a row whatever their lengths."""
    length = step.settings["length"]
    flat = writer.node("Reshape", [given[0], writer.constant([-1])])
    cut = writer.node(
        "Tokenizer", [flat], domain="com.microsoft", mark=0, mincharnum=1, pad_value=PADDING, separators=[""]
    )
    places = {PADDING: 0} | {character: place for place, character in enumerate(step.settings["known"], 2)}
    padded = writer.node("Pad", [_encode(writer, cut, places, 1), writer.constant([0, 0, 0, length])])
    bounds = [writer.constant([each]) for each in (0, length, 1)]
    writer.node("Slice", [padded, *bounds], step)


def _matches(writer: OnnxWriter, step: Step, given: list[str]) -> None:
    found = [writer.node("RegexFullMatch", given, pattern=pattern) for pattern in step.settings["patterns"]]
    writer.node("Concat", found, step, axis=1)


OWN: dict[str, Own] = {
    "astype": _cast,
    "not_equal": _not_equal,
    "mod": _mod,
    "concatenate": _concatenate,
    "sum": _reduced("ReduceSum"),
    "max": _reduced("ReduceMax"),
    "logsumexp": _reduced("ReduceLogSumExp"),
    "any": _any,
    "all": _any,
    "cumsum": _cumsum,
    "take": _take,
    "slice": _slice,
    "pad": _pad,
    "reshape": _reshape,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "softmax": _along("Softmax"),
    "log_softmax": _along("LogSoftmax"),
    "lookup": _lookup,
    "characters": _characters,
    "matches": _matches,
}
"""Of the other operations."""


def onnx_content(graph: Graph, classes: Sequence[str], notes: dict[str, Any]) -> bytes:
    """Return the content of the ``.onnx`` file: columns or examples in, ``label`` and ``probabilities`` out.

    Args:
        graph: the model.
        classes: the classes' names.
        notes: what the file says of itself, each as JSON under its name.
    """
    columns = {each.column for each in graph.inputs}
    probabilities, label = (_free(name, columns) for name in (PROBABILITIES, LABEL))
    writer = OnnxWriter(graph)
    writer.write()
    found = writer.named(graph.output.name)
    best = writer.node("ArgMax", [found], axis=1, keepdims=0)
    writer.nodes.append(helper.make_node("Gather", [writer.constant(list(classes), TEXT), best], [label]))
    writer.nodes.append(helper.make_node("Identity", [found], [probabilities]))
    onnx_graph = helper.make_graph(
        writer.nodes,
        "tfcourse_classifier",
        [_input(each) for each in graph.inputs],
        [
            helper.make_tensor_value_info(label, TensorProto.STRING, ["rows"]),
            helper.make_tensor_value_info(probabilities, TensorProto.FLOAT, ["rows", len(classes)]),
        ],
        list(writer.constants.values()),
    )
    used = {node.domain for node in writer.nodes} | {""}
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items() if domain in used]
    model = helper.make_model(onnx_graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="tfcourse")
    helper.set_model_props(model, {name: json.dumps(value) for name, value in notes.items()})
    return bytes(model.SerializeToString())


def _input(given: Input) -> Any:
    return helper.make_tensor_value_info(given.column, _type(given.value.dtype), ["rows", *given.shape])


def _free(name: str, taken: set[str]) -> str:
    """Return a name, with underscores where it is a column's."""
    while name in taken:
        name += "_"
    return name


def _type(dtype: str) -> int:
    if dtype == TEXT:
        return int(TensorProto.STRING)
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def ask_onnx(path: Path, columns: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return the probabilities that ONNX Runtime gives."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feed = {given.name: shaped(columns[given.name], given) for given in session.get_inputs()}
    return np.asarray(session.run([session.get_outputs()[1].name], feed)[0])


def shaped(values: NDArray[Any], given: Any) -> NDArray[Any]:
    """Return a column as an input of a session takes it: (rows, 1), or whatever more axes it has."""
    dtype = {"tensor(string)": object, "tensor(double)": np.float64, "tensor(float)": np.float32}[given.type]
    return values.astype(dtype).reshape(len(values), *given.shape[1:])
