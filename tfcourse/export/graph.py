"""A model as a list of plain steps on arrays: what is between a Keras model and the files that are made of it.

A step is an operation of :mod:`tfcourse.export.with_numpy` on earlier values. What can be computed without the
inputs is computed at once, by that module, equal steps are one, and what the output does not need is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.export.with_numpy import OPERATIONS

Array = NDArray[Any]
_TRUTHS = (
    "isnan equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not any all matches"
)
BOOLEAN = frozenset(_TRUTHS.split())
"""Operations that give truth values."""
_OF_ONE_TYPE = (
    "add subtract multiply divide mod maximum clip where equal not_equal less less_equal greater greater_equal matmul"
    " concatenate"
)
ALIKE = frozenset(_OF_ONE_TYPE.split())
"""Operations whose operands have one type, but for the condition of ``where``."""
TEXT = "str"


@dataclass(frozen=True)
class Value:
    """What a step gives, or an input: its name and NumPy's name of its type, ``str`` for texts."""

    name: str
    dtype: str


@dataclass(frozen=True)
class Input:
    """What the model takes: a column, or the examples, as rows of ``shape``."""

    value: Value
    column: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One operation on values and constants, named by their names."""

    result: Value
    operation: str
    operands: tuple[str, ...]
    settings: Mapping[str, Any]


@dataclass
class Graph:
    """The steps of a model, in an order in which they can be taken.

    >>> graph = Graph()
    >>> x = graph.input("size", "float32", (1,))
    >>> graph.output = graph.add("add", x, graph.add("multiply", np.float32(2), np.float32(3)))
    >>> [(step.operation, [graph.constants.get(name) for name in step.operands]) for step in graph.pruned().steps]
    [('add', [None, array(6., dtype=float32)])]
    """

    inputs: list[Input] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    output: Any = None
    _known: dict[Any, Any] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)
    _made: dict[str, Step] = field(default_factory=dict)

    def input(self, column: str, dtype: str, shape: tuple[int, ...]) -> Value:
        """Add an input and return it."""
        value = Value(f"x{len(self.inputs)}", dtype)
        self.inputs.append(Input(value, column, shape))
        self._values[value.name] = value
        return value

    def add(self, operation: str, *operands: Any, dtype: str | None = None, **settings: Any) -> Any:
        """Add a step and return its value, an array where no operand depends on the inputs.

        Args:
            operation: of :data:`~tfcourse.export.with_numpy.OPERATIONS`.
            *operands: values, arrays or numbers; numbers take the type of the others.
            dtype: of the result, where it is neither that of the last operand nor a truth value.
            **settings: what is no array.
        """
        return self._add(operation, self._alike(operation, operands), dtype, settings)

    def _add(self, operation: str, operands: tuple[Any, ...], dtype: str | None, settings: dict[str, Any]) -> Any:
        if not any(isinstance(each, Value) for each in operands):
            with np.errstate(all="ignore"):
                return np.asarray(OPERATIONS[operation](*operands, **settings))
        names = tuple(self._name(each) for each in operands)
        key = (operation, names, repr(settings), dtype)
        if key not in self._known:
            found = "bool" if operation in BOOLEAN else dtype or dtype_of(operands[-1])
            result = Value(f"v{len(self.steps)}", found)
            self.steps.append(Step(result, operation, names, settings))
            self._known[key] = self._values[result.name] = result
            self._made[result.name] = self.steps[-1]
        return self._known[key]

    def cast(self, operand: Any, dtype: str) -> Any:
        """Return a value or array as another type."""
        return operand if dtype_of(operand) == dtype else self._add("astype", (operand,), dtype, {"dtype": dtype})

    def operands_of(self, value: Any, operation: str) -> tuple[Any, ...] | None:
        """Return the operands, values and arrays, of the step that gives a value; None if that is another operation."""
        step = self._made.get(value.name) if isinstance(value, Value) else None
        if step is None or step.operation != operation:
            return None
        return tuple(self._values.get(name, self.constants.get(name)) for name in step.operands)

    def pruned(self) -> Graph:
        """Return the graph without what its output does not need; all inputs stay."""
        needed, steps = {self.output.name}, []
        for step in reversed(self.steps):
            if step.result.name in needed:
                needed.update(step.operands)
                steps.append(step)
        constants = {name: array for name, array in self.constants.items() if name in needed}
        return Graph(self.inputs, steps[::-1], constants, self.output)

    def _alike(self, operation: str, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the operands as arrays and values, of one type where the operation needs it."""
        first = 1 if operation == "where" else 0
        if operation in ALIKE:
            typed = [
                each if isinstance(each, int | float) else np.empty(0, dtype_of(each)) for each in operands[first:]
            ]
            common = np.result_type(*typed).name
            alike = [
                self.cast(each, common) if isinstance(each, Value) else np.asarray(each, common)
                for each in operands[first:]
            ]
            operands = (*operands[:first], *alike)
        return tuple(each if isinstance(each, Value) else np.asarray(each) for each in operands)

    def _name(self, operand: Any) -> str:
        if isinstance(operand, Value):
            return operand.name
        key = ("constant", operand.dtype.name, operand.shape, operand.tobytes())
        if key not in self._known:
            name = f"c{len(self.constants)}"
            self.constants[name] = operand
            self._known[key] = name
        return str(self._known[key])


def dtype_of(operand: Any) -> str:
    """Return NumPy's name of the type of a value, an array or a number."""
    return operand.dtype if isinstance(operand, Value) else np.asarray(operand).dtype.name
