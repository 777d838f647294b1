"""From columns or images to a float32 matrix, by statistics of the training split alone (SYLLABUS B1).

The matrix's columns are, in this order: every number and date, standardized by the training split's μ and σ;
a 0/1 column for each of them that had missing values; then for each category one column a value, one for
missing and one for values that training did not keep. :mod:`tfcourse.models.preprocessing` is the same map
as Keras layers, for the exported model.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tfcourse.data import dates
from tfcourse.data.table import Column, Table, as_text, is_missing, rows_of, to_numbers
from tfcourse.errors import UserError

Matrix = NDArray[np.float32]
EXAMPLE = datetime.date(2026, 12, 31)


@dataclass(frozen=True)
class NumberColumn:
    """A column read as a number, x ← (x − μ) / σ, missing values becoming the mean.

    Args:
        name: the column.
        mean: μ over the training split's present values.
        deviation: σ > 0, likewise, with 1/m.
        has_missing: whether a 0/1 column tells the missing values apart.
        date_format: the format of a date, read as days since 1970; empty for numbers.
    """

    name: str
    mean: float
    deviation: float
    has_missing: bool
    date_format: str = ""


@dataclass(frozen=True)
class CategoryColumn:
    """A column read as a category: one 0/1 column for any other value, one for missing, one for each of ``values``."""

    name: str
    values: tuple[str, ...]

    @property
    def width(self) -> int:
        """Number of matrix columns."""
        return 2 + len(self.values)


@dataclass(frozen=True)
class TableFeatures:
    """How a table's columns become a matrix.

    Args:
        numbers: the columns read as numbers.
        categories: the columns read as categories.

    >>> table = {"size": np.array([1.0, 3.0]), "kind": np.array(["a", "?"], dtype=object)}
    >>> features = TableFeatures((NumberColumn("size", 2.0, 1.0, False),), (CategoryColumn("kind", ("a",)),))
    >>> features.transform(table).tolist()
    [[-1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]]
    """

    numbers: tuple[NumberColumn, ...]
    categories: tuple[CategoryColumn, ...]

    @property
    def columns(self) -> list[NumberColumn | CategoryColumn]:
        """How each used column is read, numbers first."""
        return [*self.numbers, *self.categories]

    @property
    def names(self) -> tuple[str, ...]:
        """The table's columns that are used."""
        return tuple(column.name for column in self.columns)

    @property
    def width(self) -> int:
        """Number of columns of the matrix."""
        flags = sum(column.has_missing for column in self.numbers)
        return len(self.numbers) + flags + sum(column.width for column in self.categories)

    def transform(self, table: Table) -> Matrix:
        """Return the matrix of a table's rows, shape (rows, width).

        Raises:
            UserError: if a column is missing, or holds text where numbers were trained.
        """
        self.check(table)
        values = [numbers_of(table[column.name], column) for column in self.numbers]
        blocks = [
            np.where(np.isnan(v), 0.0, (v - column.mean) / column.deviation)[:, None]
            for v, column in zip(values, self.numbers, strict=True)
        ]
        blocks += [np.isnan(v)[:, None] for v, column in zip(values, self.numbers, strict=True) if column.has_missing]
        blocks += [one_hot(table[column.name], column) for column in self.categories]
        return (
            np.concatenate(blocks, axis=1).astype(np.float32) if blocks else np.zeros((rows_of(table), 0), np.float32)
        )

    def check(self, table: Table) -> None:
        """Refuse a table that lacks columns, with their names."""
        absent = [name for name in self.names if name not in table]
        if absent:
            raise UserError(
                f"The data lacks {len(absent)} column{'s' * (len(absent) > 1)} that the model was trained on:"
                f" {', '.join(map(repr, absent))}. Add them; leave values empty where they are not known."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the columns JSON-ready."""
        return {
            "numbers": [asdict(column) for column in self.numbers],
            "categories": [{"name": column.name, "values": list(column.values)} for column in self.categories],
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Sequence[Mapping[str, Any]]]) -> Self:
        """Return the features whose :meth:`to_json` gave ``fields``."""
        return cls(
            tuple(NumberColumn(**column) for column in fields["numbers"]),
            tuple(CategoryColumn(column["name"], tuple(column["values"])) for column in fields["categories"]),
        )


def numbers_of(column: Column, read_as: NumberColumn) -> NDArray[np.float64]:
    """Return a column's numbers, or its dates as days, NaN where missing.

    Raises:
        UserError: naming the first text that is neither.
    """
    missing = is_missing(column)
    if read_as.date_format:
        numbers = dates.days_since_1970(column, read_as.date_format)
        kind = f"dates such as {EXAMPLE.strftime(read_as.date_format)} ({read_as.date_format})"
    else:
        numbers, kind = to_numbers(column), "numbers"
    wrong = np.flatnonzero(np.isnan(numbers) & ~missing)
    if len(wrong):
        raise UserError(
            f"Column {read_as.name!r} holds {column[wrong[0]]!r} in row {wrong[0] + 1}, but the model was trained on"
            f" {kind} there. Put it right, or leave the value empty."
        )
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise UserError(infinite_numbers(read_as.name, infinite))
    return numbers


def infinite_numbers(name: str, rows: NDArray[Any]) -> str:
    """Return the message for a column with infinite numbers in the given rows."""
    return (
        f"Column {name!r} holds infinite numbers in {len(rows)} row{'s' * (len(rows) > 1)}, the first in row"
        f" {rows[0] + 1}. Put a finite number there, or leave the value empty."
    )


def one_hot(column: Column, read_as: CategoryColumn) -> NDArray[np.float64]:
    """Return the 0/1 columns of a category, shape (rows, width): other, missing, then each value."""
    place = {value: index for index, value in enumerate(read_as.values, start=2)}
    index = np.array([place.get(value, 0) for value in as_text(column)], dtype=np.int64)
    index[is_missing(column)] = 1
    return np.eye(read_as.width)[index]


@dataclass(frozen=True)
class ArrayFeatures:
    """How an array's examples become a matrix: flattened and standardized.

    A row of features has a μ and σ each. The pixels of an image share one μ and one σ: a pixel that is dark in
    nearly every training image would otherwise be blown up wherever it is not.

    Args:
        shape: shape of one example.
        mean: μ, one number a feature or a single one.
        deviation: σ > 0, likewise.

    >>> ArrayFeatures.fit(np.array([[[0.0, 2.0]], [[2.0, 4.0]]])).transform(np.array([[[2.0, 2.0]]])).tolist()
    [[0.0, 0.0]]
    """

    shape: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def width(self) -> int:
        """Number of columns of the matrix."""
        return int(np.prod(self.shape))

    @classmethod
    def fit(cls, train: NDArray[Any]) -> Self:
        """Return the features with the statistics of the training examples, shape (rows, ...)."""
        x = as_float32(train).astype(np.float64)
        axis = 0 if x.ndim == 2 else None
        mean, deviation = np.atleast_1d(x.mean(axis)), np.atleast_1d(x.std(axis))
        deviation = np.where(deviation > 0, deviation, 1.0)
        return cls(tuple(x.shape[1:]), tuple(mean.tolist()), tuple(deviation.tolist()))

    def transform(self, x: NDArray[Any]) -> Matrix:
        """Return the matrix of examples, shape (rows, width).

        Raises:
            UserError: if the examples have another shape, or values that are not finite.
        """
        self.check(x)
        flat = as_float32(x).reshape(len(x), -1).astype(np.float64)
        return ((flat - np.array(self.mean)) / np.array(self.deviation)).astype(np.float32)

    def check(self, x: NDArray[Any]) -> None:
        """Refuse examples of another shape, or with values that are not finite."""
        if x.shape[1:] != self.shape:
            raise UserError(f"The model takes examples of shape {self.shape}, but these have shape {x.shape[1:]}.")
        check_finite(x)

    def to_json(self) -> dict[str, Any]:
        """Return the statistics JSON-ready."""
        return {"shape": list(self.shape), "mean": list(self.mean), "deviation": list(self.deviation)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the features whose :meth:`to_json` gave ``fields``."""
        return cls(tuple(fields["shape"]), tuple(fields["mean"]), tuple(fields["deviation"]))


def as_float32(x: NDArray[Any]) -> Matrix:
    """Return an array rounded as Keras feeds it to models; numbers beyond float32 become infinite."""
    with np.errstate(over="ignore"):
        return x.astype(np.float32)


def check_finite(x: NDArray[Any]) -> None:
    """Refuse arrays with NaN, or with numbers that are infinite as float32."""
    finite = np.isfinite(as_float32(x))
    if not finite.all():
        rows = np.flatnonzero(~finite.reshape(len(x), -1).all(axis=1))
        raise UserError(
            f"x holds NaN or infinite numbers in {len(rows)} row{'s' * (len(rows) > 1)}, the first in row"
            f" {rows[0] + 1}. Fill them in, or save the data as a table, where empty values are understood."
        )


Features = TableFeatures | ArrayFeatures


def features_from_json(fields: Mapping[str, Any]) -> Features:
    """Return the features that were written with ``to_json``."""
    return ArrayFeatures.from_json(fields) if "shape" in fields else TableFeatures.from_json(fields)
