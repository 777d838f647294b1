"""From a loaded ``model.keras`` to a graph of plain steps.

The model itself is read, not the features and networks that it was made of: so a graph is always of the model that is
deployed, whether it was bagged, averaged, tempered or made by an earlier version, and what it holds is a closed list,
:data:`tfcourse.models.model_config.CLASSES`, to each of which there is one entry in the two modules beside this one.
"""

from __future__ import annotations

from typing import Any

from tfcourse.errors import UserError
from tfcourse.export.graph import TEXT, Graph
from tfcourse.export.keras_layers import LAYERS
from tfcourse.export.keras_operations import OPERATIONS

FUNCTIONAL = "Functional"


def graph_of(model: Any) -> Graph:
    """Return the graph of a loaded exported model, from raw columns or examples to probabilities.

    Raises:
        UserError: if it holds a layer or an operation, or a use of one, that has no entry.
    """
    graph = Graph()
    named = model.input if isinstance(model.input, dict) else {"x": model.inputs[0]}
    inputs = {
        name: graph.input(name, TEXT if tensor.dtype == "string" else str(tensor.dtype), tuple(tensor.shape[1:]))
        for name, tensor in named.items()
    }
    try:
        graph.output = _walk(graph, model, inputs)
    except KeyError as error:
        raise UserError(
            f"The model holds {error.args[0]}, which cannot be written in this format; --to savedmodel can hold it."
        ) from None
    return graph.pruned()


def _walk(graph: Graph, model: Any, inputs: Any) -> Any:
    """Return what a functional model makes of values, its operations replaced by their steps."""

    def steps_of(operation: Any) -> Any:
        kind = type(operation).__name__
        if kind == FUNCTIONAL:
            return lambda values, **_: _walk(graph, operation, values)
        entry = (OPERATIONS if type(operation).__module__.startswith("keras.src.ops.") else LAYERS)[kind]
        return lambda *operands, **settings: entry(graph, operation, *operands, **settings)

    found = model._run_through_graph(inputs, operation_fn=steps_of)
    return found[0] if isinstance(found, list) else found
