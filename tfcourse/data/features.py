"""From arrays to a float32 matrix, by statistics of the training split alone; and features of either kind from JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.columns import CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.table_features import Matrix, TableFeatures
from tfcourse.errors import UserError

__all__ = [
    "ArrayFeatures", "CategoryColumn", "Features", "Matrix", "NumberColumn", "TableFeatures", "TextColumn",
    "as_float32", "check_finite", "features_from_json",
]  # fmt: skip

BLOCK = 4_000_000
"""Numbers of an array that are worked on at a time: 32 MB in float64."""


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
        axis = 0 if train.ndim == 2 else None
        of_one = len(train) if axis == 0 else train.size
        mean = np.atleast_1d(sum(block.sum(axis) for block in _blocks(train)) / of_one)
        centred = (block - (mean if axis == 0 else mean[0]) for block in _blocks(train))
        deviation = np.sqrt(np.atleast_1d(sum(np.square(block).sum(axis) for block in centred) / of_one))
        deviation = np.where(deviation > 0, deviation, 1.0)
        return cls(tuple(train.shape[1:]), tuple(mean.tolist()), tuple(deviation.tolist()))

    def transform(self, x: NDArray[Any]) -> Matrix:
        """Return the matrix of examples, shape (rows, width).

        Raises:
            UserError: if the examples have another shape, or values that are not finite.
        """
        self.check(x)
        matrix, begin = np.empty((len(x), self.width), np.float32), 0
        for block in _blocks(x):
            flat = block.reshape(len(block), -1)
            matrix[begin : begin + len(block)] = (flat - np.array(self.mean)) / np.array(self.deviation)
            begin += len(block)
        return matrix

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


def _blocks(x: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """Give an array's examples, rounded to float32, some at a time: in float64 all may take eight times theirs."""
    rows = max(1, BLOCK // max(1, math.prod(x.shape[1:])))
    for begin in range(0, len(x), rows):
        yield as_float32(x[begin : begin + rows]).astype(np.float64)


def check_finite(x: NDArray[Any]) -> None:
    """Refuse arrays with NaN, or with numbers that are infinite as float32."""
    finite = [np.isfinite(block).reshape(len(block), -1).all(axis=1) for block in _blocks(x)]
    if not all(each.all() for each in finite):
        rows = np.flatnonzero(~np.concatenate(finite))
        raise UserError(
            f"x holds NaN or infinite numbers in {len(rows)} row{'s' * (len(rows) > 1)}, the first in row"
            f" {rows[0] + 1}. Fill them in, or save the data as a table, where empty values are understood."
        )


Features = TableFeatures | ArrayFeatures


def features_from_json(fields: Mapping[str, Any]) -> Features:
    """Return the features that were written with ``to_json``."""
    return ArrayFeatures.from_json(fields) if "shape" in fields else TableFeatures.from_json(fields)
