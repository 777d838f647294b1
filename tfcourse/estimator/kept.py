"""What ``run.json`` keeps of a classifier, so that it can be made again without a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

KEPT = frozenset({"n_features_in_", "feature_names_in_"})
"""Attributes that a fit may leave."""
_PLAIN = str | int | float | Path | dict | list | None


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
    plain = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in parameters.items()
        if isinstance(value, _PLAIN) and name != "out"
    }
    found: dict[str, Any] = {"parameters": plain, "classes": classes.tolist(), "kind": classes.dtype.str}
    for name in sorted(KEPT):
        if (value := getattr(fitted, name, None)) is not None:
            found[name] = value if isinstance(value, int) else list(value)
    return found
