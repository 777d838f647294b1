"""The feature map of a saved model, which may have bins of numbers that the search did not have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tfcourse.data.features import Features
from tfcourse.data.table_features import TableFeatures
from tfcourse.errors import UserError
from tfcourse.exporting.graph import Graph
from tfcourse.run.exported import network_of


def features_of(model: Any, features: Features) -> Features:
    """Return the map from columns to the matrix that the network of a loaded exported model takes.

    Where folds were trained, networks with bins of numbers may have been better; ``run.json`` tells of the search's
    map alone, so that the bins are read from the model.

    Args:
        model: the loaded exported model.
        features: the run's.

    Raises:
        UserError: if the two are of different columns.
    """
    width = int(network_of(model).inputs[0].shape[1])
    if width == features.width or not isinstance(features, TableFeatures):
        return features
    from tfcourse.exporting.from_keras import graph_of  # with it Keras, which a command starts by its own settings

    graph = graph_of(model)
    found = [_edges(graph, step.result.name, step.operands[1], width - features.width) for step in graph.steps
             if step.operation == "take" and step.settings == {"axis": 1}]  # fmt: skip
    for edges in filter(None, found):
        numbers = [replace(number, edges=edges.get(place, ())) for place, number in enumerate(features.numbers)]
        with_bins = replace(features, numbers=tuple(numbers))
        if with_bins.width == width:
            return with_bins
    raise UserError(
        f"The model takes {width} features, but run.json tells of {features.width}. Restore it from a copy."
    )


def _edges(graph: Graph, taken: str, indices: str, bins: int) -> dict[int, tuple[float, ...]]:
    """Return the edges of each number's bins where a step takes the numbers of so many bins, else none."""
    places = graph.constants.get(indices)
    if places is None or places.size != bins:
        return {}
    from_left = next((s for s in graph.steps if s.operation == "subtract" and s.operands[0] == taken), None)
    if from_left is None:
        return {}
    through = next(s for s in graph.steps if s.operation == "divide" and s.operands[0] == from_left.result.name)
    left, widths = graph.constants[from_left.operands[1]], graph.constants[through.operands[1]]
    edges: dict[int, list[float]] = {}
    for place, start, wide in zip(places.tolist(), left.tolist(), widths.tolist(), strict=True):
        edges[place] = [*edges.get(place, [start])[:-1], start, start + wide]
    return {place: tuple(each) for place, each in edges.items()}
