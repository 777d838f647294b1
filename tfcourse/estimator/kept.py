"""What ``run.json`` keeps of a classifier, so that it can be made again without a pickle."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def plain_value(value: Any) -> Any:
    """Return a value as JSON has it: NumPy's numbers as Python's, tuples as lists, paths and moments as texts.

    >>> import numpy as np
    >>> plain_value({"layers": np.int64(3), "units": (32, 64)})
    {'layers': 3, 'units': [32, 64]}
    """
    if isinstance(value, Mapping):
        return {str(name): plain_value(each) for name, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain_value(each) for each in value]
    if isinstance(value, np.generic):
        return plain_value(value.item())
    return str(value) if isinstance(value, Path | datetime.date) else value


KEPT = frozenset({"n_features_in_", "feature_names_in_"})
"""Attributes that a fit may leave."""
_PLAIN = str | int | float | dict | list | None


def kept_of(parameters: Mapping[str, Any], classes: NDArray[Any], fitted: object) -> dict[str, Any]:
    """Return parameters, labels and attributes, JSON-ready; the folder is kept where it is.

    Args:
        parameters: of the classifier; a random state that is no number is left out.
        classes: its labels.
        fitted: what has the attributes.

    >>> import numpy as np
    >>> kept_of({"trials": 4, "out": "run"}, np.array([1, 2]), object())
    {'parameters': {'trials': 4}, 'classes': [1, 2], 'kind': '<i8'}
    """
    plain = {name: plain_value(value) for name, value in parameters.items() if name != "out"}
    plain = {name: value for name, value in plain.items() if isinstance(value, _PLAIN)}
    found: dict[str, Any] = {"parameters": plain, "classes": classes.tolist(), "kind": classes.dtype.str}
    found["classes"] = [plain_value(label) for label in found["classes"]]
    for name in sorted(KEPT):
        if (value := getattr(fitted, name, None)) is not None:
            found[name] = value if isinstance(value, int) else list(value)
    return found
