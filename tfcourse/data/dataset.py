"""Examples and their labels as read, of whatever kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from tfcourse.data.reading.reading import Reading
from tfcourse.data.table import Table

X = Table | NDArray[Any]


@dataclass(frozen=True)
class Dataset:
    """Examples and their labels as read, before any split.

    Args:
        name: short name for folders and titles.
        x: a table, or an array of shape (rows, ...).
        labels: the labels as texts, shape (rows,).
        fingerprint: SHA-256 of what was read, to know it again.
        test: the examples and labels of a separate test set, if there is one.
        notes: lines that tell the user how the data was read.
        readings: of a table, how each column is written.
        odd: of a table, what a person should look at, a line each.
    """

    name: str
    x: X
    labels: NDArray[Any]
    fingerprint: str
    test: tuple[X, NDArray[Any]] | None = None
    notes: list[str] = field(default_factory=list)
    readings: dict[str, Reading] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
