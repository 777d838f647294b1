"""Rows dealt into folds: every class evenly, rows that stay together in one fold.

A program is compiled for numbers of rows, so that folds of one size are trained by one program. What is left over when
rows are dealt into folds of one size is in no fold and always trains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tfcourse.data.split import Rows, rarest_class

MOST_OVER = 0.05
"""Folds whose sizes differ by more than this share of all rows (large groups) stay as they are."""


@dataclass(frozen=True)
class Folds:
    """Which fold each row belongs to.

    Args:
        fold: fold number of each row, from 0; -1 for one that is in none and always trains.
        count: number of folds.
        even: whether all folds are to train and to validate on equally many rows, at the cost of a few.
    """

    fold: Rows
    count: int
    even: bool = True

    def __iter__(self) -> Iterator[tuple[Rows, Rows]]:
        """Give the training and the validation rows of each fold: those of the others, and its own."""
        own = [np.flatnonzero(self.fold == number) for number in range(self.count)]
        others = [np.flatnonzero(self.fold != number) for number in range(self.count)]
        least = [min(map(len, parts)) if self.even else None for parts in (others, own)]
        for train, validation in zip(others, own, strict=True):
            yield thinned(train, least[0] or len(train)), thinned(validation, least[1] or len(validation))


def deal_into_folds(group: Rows, y: Rows, count: int, seed: int) -> Folds:
    """Deal rows into folds at random.

    Args:
        group: group number of each row, from :func:`tfcourse.data.groups.keep_together`.
        y: class number of each row.
        count: number of folds, at least 2.
        seed: which random folds.

    >>> folds = deal_into_folds(np.arange(13), np.arange(13) % 2, count=4, seed=0)
    >>> [(len(train), len(validation)) for train, validation in folds], (folds.fold == -1).sum().item()
    ([(10, 3), (10, 3), (10, 3), (10, 3)], 1)
    """
    random = np.random.default_rng([seed, 2])
    fold = dealt(group, y, count, random)
    sizes = np.bincount(fold, minlength=count)
    over = sizes - sizes.min()
    if over.sum() > max(count, MOST_OVER * len(y)):
        return Folds(fold, count, even=False)
    alone, often = np.bincount(group)[group] == 1, np.bincount(y)
    for number in np.flatnonzero(over):
        may_go = random.permutation(np.flatnonzero((fold == number) & alone))
        may_go = may_go[np.argsort(-often[y[may_go]], kind="stable")]  # a rare class stays whole
        fold[may_go[: over[number]]] = -1
    return Folds(fold, count)


def dealt(group: Rows, y: Rows, parts: int, random: np.random.Generator) -> Rows:
    """Return the part of each row: groups go round the parts, those of one rarest class by size, then at random.

    >>> np.bincount(dealt(np.arange(15), np.arange(15) % 3, 5, np.random.default_rng(0))).tolist()
    [3, 3, 3, 3, 3]
    """
    label, rows = rarest_class(group, y), np.bincount(group)
    part_of_group = np.empty(len(rows), dtype=np.int64)
    gone = 0
    for number in np.unique(label):
        members = random.permutation(np.flatnonzero(label == number))
        members = members[np.argsort(-rows[members], kind="stable")]
        part_of_group[members] = (gone + np.arange(len(members))) % parts
        gone += len(members)
    return np.asarray(part_of_group[group])


def most_folds(group: Rows, y: Rows) -> tuple[int, int]:
    """Return the class that is in the fewest groups, and in how many: with more folds one would lack it.

    >>> most_folds(np.array([0, 1, 2, 2]), np.array([0, 0, 1, 1]))
    (1, 1)
    """
    classes = int(y.max()) + 1
    groups = np.bincount(np.unique(group * classes + y) % classes, minlength=classes)
    number = int(np.argmin(groups))
    return number, int(groups[number])


def thinned(rows: Rows, count: int) -> Rows:
    """Return ``count`` of the rows, evenly spread.

    >>> thinned(np.arange(10), 5).tolist()
    [0, 2, 4, 6, 8]
    """
    return rows[np.arange(count) * len(rows) // count]
