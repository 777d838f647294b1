"""Counts of the training split's classes, categories and missing values, for ``run.json``: later data are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Features, Matrix, TableFeatures


def training_counts(features: Features, x: Matrix, y: NDArray[np.int64], classes: Sequence[str]) -> dict[str, Any]:
    """Return rows of each class, missing values of each number, and rows of each category, JSON-ready.

    Args:
        features: the feature map of the run.
        x: the training split's matrix, shape (rows, features.width).
        y: its class numbers.
        classes: the classes' names.

    A category's counts are those of other values, of missing ones, and then of each of its ``values`` and bins.

    >>> from tfcourse.data.features import CategoryColumn
    >>> features = TableFeatures((), (CategoryColumn("kind", ("a", "b")),))
    >>> x = np.array([[0, 0, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0]], dtype=np.float32)
    >>> training_counts(features, x, np.array([0, 1, 1]), ["no", "yes"])
    {'classes': {'no': 1, 'yes': 2}, 'missing': {}, 'categories': {'kind': [0, 1, 2, 0]}}
    """
    counts: dict[str, Any] = {
        "classes": dict(zip(classes, np.bincount(y, minlength=len(classes)).tolist(), strict=True)),
        "missing": {},
        "categories": {},
    }
    if isinstance(features, TableFeatures):
        ones = x.sum(axis=0, dtype=np.float64)
        place = len(features.numbers)
        for number in features.numbers:
            counts["missing"][number.name] = round(ones[place]) if number.has_missing else 0
            place += number.has_missing
        place += sum(2 * len(number.cycles) for number in features.numbers)
        for category in features.categories:
            counts["categories"][category.name] = [round(n) for n in ones[place : place + category.ones]]
            place += category.width
    return counts
