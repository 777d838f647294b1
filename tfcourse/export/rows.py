"""Rows to compare an export with the model on: the run's test rows, and rows made up from its statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tfcourse.data.features import ArrayFeatures, Features
from tfcourse.data.reading.periods import PERIOD_ORDERS, parse_periods, render_period
from tfcourse.data.table import Table
from tfcourse.run.exported import model_inputs
from tfcourse.run.folder import RunFolder
from tfcourse.run.own_data import own_data

MADE_UP = 200
MISSING_SHARE = 0.1


@dataclass(frozen=True)
class Rows:
    """Rows in every form that an export takes.

    Args:
        inputs: columns as the exported model takes them, shape (rows,), or (rows, columns) where many are one input;
            or examples.
        matrix: the feature matrix, shape (rows, width).
        words: which rows they are.
    """

    inputs: Any
    matrix: NDArray[np.float32]
    words: str

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The inputs by name; examples are ``x``."""
        return self.inputs if isinstance(self.inputs, dict) else {"x": self.inputs}


def rows_to_compare(folder: RunFolder, features: Features, seed: int = 0) -> list[Rows]:
    """Return the run's test rows, if its data are still there, and made-up rows."""
    made_up = made_up_rows(features, MADE_UP, seed)
    found = [rows_of(made_up, features, f"{MADE_UP} made-up rows")]
    prepared = own_data(folder, features)
    if prepared is not None:
        found.insert(0, rows_of(prepared.test_rows, features, f"{len(prepared.test)} test rows"))
    return found


def rows_of(rows: Table | NDArray[Any], features: Features, words: str = "") -> Rows:
    """Return rows as they were read in every form, by the feature map of a model."""
    return Rows(model_inputs(rows, features), features.transform(rows), words)  # type: ignore[arg-type]


def made_up_rows(features: Features, count: int, seed: int) -> Table | NDArray[Any]:
    """Return rows of about the run's own size: every known category and some unknown, all words, missing values.

    >>> from tfcourse.data.columns import CategoryColumn, NumberColumn
    >>> from tfcourse.data.table_features import TableFeatures
    >>> features = TableFeatures((NumberColumn("n", 5.0, 1.0, True),), (CategoryColumn("c", ("x",)),))
    >>> made_up_rows(features, 4, 0)["c"].tolist()
    ['', 'x', 'never seen', '']
    """
    random = np.random.default_rng(seed)
    if isinstance(features, ArrayFeatures):
        mean, deviation = (np.array(each).reshape(features.shape if len(each) > 1 else -1) for each in
                           (features.mean, features.deviation))  # fmt: skip
        return (mean + deviation * random.normal(size=(count, *features.shape))).astype(np.float32)
    table: dict[str, Any] = {}
    for number in features.numbers:
        center, scale = number.robust or (number.mean, number.deviation)
        values = center + scale * np.clip(random.normal(size=count), -3, 3)
        if (order := features.reading(number).order) in PERIOD_ORDERS:  # what a text of that order can say
            values = parse_periods(pa.array(render_period(values, order)), order)
        table[number.name] = np.where(random.random(count) < MISSING_SHARE, np.nan, values)
    for category in features.categories:
        known = [*category.places, "never seen"]
        table[category.name] = np.array([known[row % len(known)] for row in range(count)], dtype=object)
    for text in features.texts:
        chosen = random.random((count, text.width)) < 0.2
        texts = [", ".join(np.array(text.words, dtype=object)[row]) for row in chosen]
        table[text.name] = np.array(texts, dtype=object)
    return table
