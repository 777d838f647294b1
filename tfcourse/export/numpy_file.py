"""The file of a graph for :mod:`tfcourse.export.with_numpy`: its arrays, and its steps as JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcourse.export.graph import Graph


def numpy_content(graph: Graph, classes: Sequence[str]) -> bytes:
    """Return the content of the ``.npz`` file; no array of it holds objects, so that it is read without pickle."""
    program = {
        "inputs": [[each.value.name, each.column, each.value.dtype, list(each.shape)] for each in graph.inputs],
        "steps": [[each.result.name, each.operation, each.operands, each.settings] for each in graph.steps],
        "output": graph.output.name,
    }
    texts = {"program": np.array(json.dumps(program)), "classes": np.array(list(classes))}
    arrays: dict[str, Any] = {**texts, **graph.constants}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()
