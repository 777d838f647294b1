"""What becomes of a column in the matrix: numbers and dates, categories, texts of several words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

PERIODS: dict[str, tuple[float, float]] = {"day": (1.0, 0.0), "week": (7.0, 3.0), "year": (365.2425, 0.0)}
"""Length in days of the cycles of a date, and the phase of 1970-01-01 in them: weeks begin on Monday."""
BOUND = 3.0
"""What robust scaling keeps numbers below."""
MOST_SCALES = 1e9
"""So many scales from the centre the bound is reached to the last bit; the square of more would overflow."""
PUNCTUATION = r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']"""
_CAPITALS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class NumberColumn:
    r"""A column read as a number or date, x ← (x − μ) / σ, missing values becoming the mean.

    Args:
        name: the column.
        mean: μ over the training split's present values; days since 1970 for dates.
        deviation: σ > 0, likewise, with 1/m.
        has_missing: whether a 0/1 column tells the missing values apart.
        is_date: whether it is a date.
        cycles: of a date, the cycles whose phase φ is given as sin 2πφ and cos 2πφ: ``day``, ``week``, ``year``.
        robust: centre c and scale s > 0 instead of μ and σ, with a smooth bound: z ← (x − c) / s, then
            z / √(1 + (z/3)²), missing values becoming the centre; None for none.
        edges: b₀ < b₁ < … of bins, each with a column more: how far x is through the bin, 0 below and 1 above it,
            missing values becoming the mean; none, or at least three.
        ends: the smallest and the largest value of the training split; None where an earlier version kept none.
    """

    name: str
    mean: float
    deviation: float
    has_missing: bool
    is_date: bool = False
    cycles: tuple[str, ...] = ()
    robust: tuple[float, float] | None = None
    edges: tuple[float, ...] = ()
    ends: tuple[float, float] | None = None

    @property
    def is_time_of_day(self) -> bool:
        """Whether it is a date all of whose values in training were parts of one day, as times of day are."""
        return self.is_date and self.ends is not None and 0 <= self.ends[0] <= self.ends[1] < 1

    @property
    def bins(self) -> int:
        """Number of bins, which have a column each."""
        return max(0, len(self.edges) - 1)

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (x − μ) / σ, or what is robust, 0 where missing, shape (rows,).

        >>> NumberColumn("n", 0.0, 1.0, False, robust=(1.0, 2.0)).scaled(np.array([1.0, 9.0, 1e300, np.nan])).tolist()
        [0.0, 2.4, 3.0, 0.0]
        """
        center, scale = self.robust or (self.mean, self.deviation)
        z = (values - center) / scale
        if self.robust is not None:
            z = np.clip(z, -MOST_SCALES, MOST_SCALES)
            z = z * np.sqrt(1.0 / (z / BOUND * (z / BOUND) + 1.0))  # in this order: the exported model's bits are equal
        return np.where(np.isnan(values), 0.0, z)

    def through_bins(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far values are through each bin, shape (rows, bins).

        >>> NumberColumn("n", 3.0, 1.0, False, edges=(0.0, 1.0, 5.0)).through_bins(np.array([0.5, 9, np.nan])).tolist()
        [[0.5, 0.0], [1.0, 1.0], [1.0, 0.5]]
        """
        edges = np.array(self.edges)
        present = np.where(np.isnan(values), self.mean, values)[:, None]
        with np.errstate(over="ignore"):  # far from a bin that is hardly wider than nothing
            return np.clip((present - edges[:-1]) / (edges[1:] - edges[:-1]), 0.0, 1.0)

    def phases(self, days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return sine and cosine of every cycle, shape (rows, 2 · cycles); 0 where missing.

        >>> NumberColumn("t", 0.0, 1.0, False, True, ("day",)).phases(np.array([0.25, np.nan])).round(3).tolist()
        [[1.0, 0.0], [0.0, 0.0]]
        """
        parts = []
        for cycle in self.cycles:
            period, start = PERIODS[cycle]
            turn = np.mod(days + start, period) * (2 * np.pi / period)
            parts += [np.sin(turn), np.cos(turn)]
        return np.nan_to_num(np.stack(parts, axis=1)) if parts else np.zeros((len(days), 0))

    def to_json(self) -> dict[str, Any]:
        """Return the fields JSON-ready."""
        fields = {
            **asdict(self),
            "cycles": list(self.cycles),
            "robust": list(self.robust or ()),
            "edges": list(self.edges),
            "ends": list(self.ends or ()),
        }
        return {key: value for key, value in fields.items() if key not in ("robust", "edges", "ends") or value}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the column whose :meth:`to_json` gave ``given``, or that an earlier version wrote.

        Raises:
            ValueError: if the edges of its bins do not rise.
        """
        fields = {key: value for key, value in given.items() if key != "date_format"}
        is_date = bool(given.get("is_date", given.get("date_format")))
        lists = {name: tuple(given.get(name, ())) for name in ("cycles", "edges")}
        if not all(left < right for left, right in pairwise(lists["edges"])):
            raise ValueError(f"the bins of column {given['name']!r} do not rise")
        pairs = {name: tuple(given[name]) if name in given else None for name in ("robust", "ends")}
        return cls(**{**fields, "is_date": is_date, **lists, **pairs})


@dataclass(frozen=True)
class CategoryColumn:
    """A column read as a category: 0/1 columns for any other value, for missing, for each of ``values``, and for bins.

    Where values share columns, one more tells how frequent each value is: log(1 + rows in training), standardized.

    Args:
        name: the column.
        values: those with a column of their own.
        binned: further values, the most frequent first, which share ``bins`` columns in turn.
        bins: number of shared columns.
        frequencies: the last column of any other value, missing, each of ``values`` and each of ``binned``; or none.

    >>> CategoryColumn("town", ("a",), ("b", "c", "d"), 2).one_hot(np.array(["d", "a", "z", ""], dtype=object)).tolist()
    [[0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]]
    """

    name: str
    values: tuple[str, ...]
    binned: tuple[str, ...] = ()
    bins: int = 0
    frequencies: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Number of matrix columns."""
        return self.ones + bool(self.frequencies)

    @property
    def ones(self) -> int:
        """Number of 0/1 columns, which come first."""
        return 2 + len(self.values) + self.bins

    @property
    def places(self) -> dict[str, int]:
        """The matrix column of every known text; missing is the empty one."""
        first = 2 + len(self.values)
        shared = {value: first + index % self.bins for index, value in enumerate(self.binned)}
        return {"": 1, **{value: index for index, value in enumerate(self.values, start=2)}, **shared}

    @property
    def rows(self) -> dict[str | None, NDArray[np.float32]]:
        """The matrix row of every known text, of missing as the empty one, and of any other as None."""
        places = self.places
        ones = np.eye(self.width, dtype=np.float32)[[0, *places.values()]]
        found: dict[str | None, NDArray[np.float32]] = dict(zip([None, *places], ones, strict=True))
        for row, frequency in zip(found.values(), self.frequencies, strict=False):
            row[-1] = frequency
        return found

    def one_hot(self, texts: NDArray[Any]) -> NDArray[np.float32]:
        """Return the columns of texts in their one spelling, shape (rows, width)."""
        rows = self.rows
        place = {text: index for index, text in enumerate(rows)}
        index = np.fromiter((place.get(text, 0) for text in texts.tolist()), np.int64, len(texts))
        return np.stack(list(rows.values()))[index]

    def unknown(self, texts: NDArray[Any]) -> NDArray[np.bool_]:
        """Say which texts training did not keep."""
        places = self.places
        return np.fromiter((text not in places for text in texts.tolist()), bool, len(texts))

    def to_json(self) -> dict[str, Any]:
        """Return the fields JSON-ready."""
        shared: dict[str, Any] = {"binned": list(self.binned), "bins": self.bins} if self.bins else {}
        if self.frequencies:
            shared["frequencies"] = list(self.frequencies)
        return {"name": self.name, "values": list(self.values), **shared}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the column whose :meth:`to_json` gave ``given``."""
        shared = tuple(given.get("binned", ())), given.get("bins", 0), tuple(given.get("frequencies", ()))
        return cls(given["name"], tuple(given["values"]), *shared)


@dataclass(frozen=True)
class TextColumn:
    """A column of texts of several words: a 0/1 column for each of ``words``, whether the text holds it.

    >>> TextColumn("note", ("red", "car")).bag(np.array(["A red, RED house.", ""], dtype=object)).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """

    name: str
    words: tuple[str, ...]

    @property
    def width(self) -> int:
        """Number of matrix columns."""
        return len(self.words)

    def bag(self, texts: NDArray[Any]) -> NDArray[np.float32]:
        """Return which words each text holds, shape (rows, words)."""
        place = {word: index for index, word in enumerate(self.words)}
        matrix = np.zeros((len(texts), self.width), np.float32)
        for row, text in enumerate(texts.tolist()):
            matrix[row, [place[word] for word in set(split_words(text)) if word in place]] = 1.0
        return matrix

    def to_json(self) -> dict[str, Any]:
        """Return the fields JSON-ready."""
        return {"name": self.name, "words": list(self.words)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the column whose :meth:`to_json` gave ``given``."""
        return cls(given["name"], tuple(given["words"]))


def split_words(text: str) -> list[str]:
    """Return the words of a text as Keras's ``TextVectorization`` splits it: small letters (ASCII), no punctuation.

    >>> split_words("It's RED, Ärger")
    ['its', 'red', 'Ärger']
    """
    return re.sub(PUNCTUATION, "", text.translate(_CAPITALS)).split()
