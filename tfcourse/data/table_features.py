"""From a table to a float32 matrix, by statistics of the training split alone.

The matrix's columns are, in this order: every number and date, scaled by statistics of the training split in float64
and rounded once; a 0/1 column for each of them that had missing values; sine and cosine of the dates' cycles; the 0/1
columns of each category; those of the words of each text; those of the bins of each number that has bins.
:mod:`tfcourse.models.preprocessing` is the same map as Keras layers, for the exported model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.columns import CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.reading.decode import decode
from tfcourse.data.reading.reading import ORDER_OF_PATTERN, Reading
from tfcourse.data.table import Table, rows_of
from tfcourse.errors import UserError, nearest

Matrix = NDArray[np.float32]
EARLIER_MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>")
"""Texts that stood for a missing value in every column of earlier versions."""
MOST_INPUTS = 200
"""Plainly written numbers with an input each; Keras takes a minute to load a model of 2000 inputs."""


@dataclass(frozen=True)
class TableFeatures:
    """How a table's columns become a matrix.

    Args:
        numbers: the columns read as numbers and dates.
        categories: the columns read as categories.
        texts: the columns read as texts of several words.
        readings: how each of them is written, by name; plainly where one is not given.

    >>> table = {"size": np.array([1.0, 3.0]), "kind": np.array(["a", ""], dtype=object)}
    >>> features = TableFeatures((NumberColumn("size", 2.0, 1.0, False),), (CategoryColumn("kind", ("a",)),))
    >>> features.transform(table).tolist()
    [[-1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]]
    """

    numbers: tuple[NumberColumn, ...]
    categories: tuple[CategoryColumn, ...]
    texts: tuple[TextColumn, ...] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict, compare=False)

    @property
    def columns(self) -> list[NumberColumn | CategoryColumn | TextColumn]:
        """What becomes of each used column, numbers first."""
        return [*self.numbers, *self.categories, *self.texts]

    @property
    def names(self) -> tuple[str, ...]:
        """The table's columns that are used."""
        return tuple(column.name for column in self.columns)

    @property
    def width(self) -> int:
        """Number of columns of the matrix."""
        flags = sum(column.has_missing + 2 * len(column.cycles) for column in self.numbers)
        words = sum(column.width for column in self.texts)
        bins = sum(column.bins for column in self.numbers)
        return len(self.numbers) + flags + sum(column.width for column in self.categories) + words + bins

    @property
    def in_one_input(self) -> list[str]:
        """The columns that the exported model takes as one matrix ``numbers``: none unless there are very many."""
        plain = [column.name for column in self.numbers if self.reading(column).is_plain]
        return plain if len(plain) > MOST_INPUTS and "numbers" not in self.names else []

    def takes_text(self, column: NumberColumn | CategoryColumn | TextColumn) -> bool:
        """Say whether the exported model takes a column as texts rather than as numbers."""
        return not (isinstance(column, NumberColumn) and self.reading(column).is_plain)

    def reading(self, column: NumberColumn | CategoryColumn | TextColumn) -> Reading:
        """Return how a column is written."""
        if column.name in self.readings:
            return self.readings[column.name]
        is_number = isinstance(column, NumberColumn)
        kind = ("date" if column.is_date else "number") if is_number else "category"  # type: ignore[union-attr]
        return Reading(column.name, kind, order="ymd" if kind == "date" else "")  # type: ignore[arg-type]

    def decode(self, table: Any) -> Table:
        """Return the used columns of an Arrow table as arrays.

        Raises:
            UserError: if a column is missing, or holds what it did not in training.
        """
        self.check(table.column_names)
        return {column.name: decode(table.column(column.name), self.reading(column)) for column in self.columns}

    def transform(self, table: Table) -> Matrix:
        """Return the matrix of a table's rows, shape (rows, width)."""
        self.check(table)
        matrix = np.zeros((rows_of(table), self.width), np.float32)
        place = len(self.numbers)
        for index, number in enumerate(self.numbers):
            matrix[:, index] = number.scaled(table[number.name])
            if number.has_missing:
                matrix[:, place] = np.isnan(table[number.name])
                place += 1
        for number in self.numbers:
            width = 2 * len(number.cycles)
            if width:
                matrix[:, place : place + width] = number.phases(table[number.name])
                place += width
        for category in self.categories:
            matrix[:, place : place + category.width] = category.one_hot(table[category.name])
            place += category.width
        for text in self.texts:
            matrix[:, place : place + text.width] = text.bag(table[text.name])
            place += text.width
        for number in self.numbers:
            if number.bins:
                matrix[:, place : place + number.bins] = number.through_bins(table[number.name])
                place += number.bins
        return matrix

    def check(self, names: Any) -> None:
        """Refuse a table that lacks columns, with their names."""
        present = set(names)
        absent = [name for name in self.names if name not in present]
        if absent:
            near = {name: nearest(name, sorted(present - set(self.names))) for name in absent}
            named = [f"{name!r}" + f" (there is {other!r})" * (other is not None) for name, other in near.items()]
            raise UserError(
                f"The data lacks {len(absent)} column{'s' * (len(absent) > 1)} that the model was trained on:"
                f" {', '.join(named)}. Add{' or rename' * any(near.values())} them; leave values empty where they are"
                " not known."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the columns JSON-ready."""
        return {
            "numbers": [column.to_json() for column in self.numbers],
            "categories": [column.to_json() for column in self.categories],
            "texts": [column.to_json() for column in self.texts],
            "readings": [self.reading(column).to_json() for column in self.columns],
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the features whose :meth:`to_json` gave ``fields``, or that an earlier version wrote."""
        readings = [Reading.from_json(given) for given in fields.get("readings", ())]
        if "readings" not in fields:
            readings = [_earlier(number) for number in fields["numbers"]]
            readings += [Reading(c["name"], "category", missing=EARLIER_MISSING) for c in fields["categories"]]
        return cls(
            tuple(NumberColumn.from_json(column) for column in fields["numbers"]),
            tuple(CategoryColumn.from_json(column) for column in fields["categories"]),
            tuple(TextColumn.from_json(column) for column in fields.get("texts", ())),
            {reading.name: reading for reading in readings},
        )


def _earlier(number: Mapping[str, Any]) -> Reading:
    """Return how an earlier version read a column of numbers or dates."""
    pattern = number.get("date_format", "")
    if not pattern:
        return Reading(number["name"], "number")
    return Reading(number["name"], "date", order=ORDER_OF_PATTERN[pattern[:8]], pattern=pattern)
