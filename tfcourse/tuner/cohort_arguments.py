"""What ``CohortTuner.search`` takes: the arguments of ``Model.fit``, as far as a cohort can honour them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tfcourse.cohort.dataset import Examples
from tfcourse.errors import UserError

COHORT_ARGUMENTS = {
    "x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data", "shuffle",
    "class_weight", "sample_weight",
}  # fmt: skip
# What Model.fit takes besides, and a cohort does the same with; other values make the trials fall back.
DEFAULTS = {"initial_epoch": 0, "steps_per_epoch": None, "validation_steps": None, "validation_freq": 1}


def examples_of(given: dict[str, Any]) -> list[Examples]:
    """Return the training and the validation examples that ``search`` was given."""
    parts = [Examples(given["x"], given["y"], given.get("sample_weight"), given.get("class_weight"))]
    if given.get("validation_data") is not None:
        parts.append(Examples(*given["validation_data"]))
    return parts


def with_validation_split(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``search`` with the last rows as validation data where ``validation_split`` asks for it.

    As in ``Model.fit``: the rows are taken before any shuffling, and ``validation_data`` go before.

    Raises:
        UserError: if the split leaves no rows on one side.

    >>> given = with_validation_split({"x": np.ones((5, 2)), "y": np.arange(5), "validation_split": 0.25})
    >>> given["y"].tolist(), given["validation_data"][1].tolist()
    ([0, 1, 2], [3, 4])
    """
    given = dict(given)
    share = given.pop("validation_split", None)
    if not share or given.get("validation_data") is not None:
        return given
    rows = len(given["x"])
    training = math.floor(rows * (1 - share))
    if not 0 < training < rows:
        raise UserError(f"validation_split={share} leaves no rows of {rows} to train on or to validate on; use 0.2.")
    names = [name for name in ("x", "y", "sample_weight") if given.get(name) is not None]
    arrays = {name: np.asarray(given[name]) for name in names}
    validation = tuple(arrays[name][training:] for name in names)
    return {**given, **{name: each[:training] for name, each in arrays.items()}, "validation_data": validation}
