"""Parts of the new data: one validation part a repeat, all disjoint, and one that nothing is chosen by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.split import Rows


@dataclass(frozen=True)
class Folds:
    """Which part each row belongs to.

    Args:
        part: part number of each row; ``repeats`` is the number of the held-out part.
        repeats: number of validation parts.
    """

    part: NDArray[np.int64]
    repeats: int

    @property
    def held_out(self) -> Rows:
        """The rows that no training and no choice sees."""
        return np.flatnonzero(self.part == self.repeats)

    @property
    def pool(self) -> Rows:
        """The other rows."""
        return np.flatnonzero(self.part < self.repeats)

    def __iter__(self) -> Iterator[tuple[Rows, Rows]]:
        """Give the training and validation rows of each repeat, the same numbers of them each time.

        Parts differ by a row or two; the surplus ones are left out, because a program is compiled for a number of rows.
        """
        parts = [np.flatnonzero(self.part == number) for number in range(self.repeats)]
        fewest = min(map(len, parts))
        training = len(self.pool) - max(map(len, parts))
        for validation in parts:
            train = np.setdiff1d(self.pool, validation)
            yield np.delete(train, _spread(len(train), len(train) - training)), validation[:fewest]


def deal(groups: Rows, y: Rows, repeats: int, seed: int) -> Folds:
    """Deal rows at random into ``repeats`` + 1 parts: every class evenly, rows of one group together.

    >>> folds = deal(np.arange(12), np.arange(12) % 2, repeats=3, seed=0)
    >>> np.bincount(folds.part).tolist()
    [3, 3, 3, 3]
    """
    _, first_row = np.unique(groups, return_index=True)
    group_class = y[first_row]
    random = np.random.default_rng([seed, 1])
    part_of_group = np.empty(len(first_row), dtype=np.int64)
    dealt = 0
    for number in np.unique(group_class):
        members = random.permutation(np.flatnonzero(group_class == number))
        part_of_group[members] = (dealt + np.arange(len(members))) % (repeats + 1)
        dealt += len(members)
    return Folds(part_of_group[groups], repeats)


def blocks(rows: int, repeats: int) -> Folds:
    """Cut rows into ``repeats`` + 1 consecutive parts, the last one held out: for runs that were split by time.

    >>> blocks(6, repeats=2).part.tolist()
    [0, 0, 1, 1, 2, 2]
    """
    return Folds(np.arange(rows) * (repeats + 1) // rows, repeats)


def _spread(rows: int, count: int) -> NDArray[np.int64]:
    """Return ``count`` places among ``rows``, evenly spread."""
    return np.unique(np.linspace(0, rows - 1, count).astype(np.int64)) if count else np.empty(0, np.int64)
