"""Parts of the new data: in each repeat one part validates, the next is held out, and the others train.

With five parts that is 60/20/20, as in a run. The validation parts of the repeats are disjoint, and so are the held-out
ones: what is chosen by some rows is always measured on others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.folds import dealt, thinned
from tfcourse.data.groups import keep_together
from tfcourse.data.split import Rows

LEAST_PARTS = 5


@dataclass(frozen=True)
class RetestFolds:
    """Which part each row belongs to.

    Args:
        part: part number of each row, from 0.
        parts: number of parts.
        repeats: how often to train, at most once a part.
    """

    part: NDArray[np.int64]
    parts: int
    repeats: int

    def __iter__(self) -> Iterator[tuple[Rows, Rows, Rows]]:
        """Give the training, validation and held-out rows of each repeat.

        Parts differ by a row or two. The surplus training and validation rows are left out, because programs are
        compiled for a number of rows.
        """
        rows = [np.flatnonzero(self.part == number) for number in range(self.parts)]
        own = [(repeat, (repeat + 1) % self.parts) for repeat in range(self.repeats)]
        train = [np.flatnonzero(~np.isin(self.part, pair)) for pair in own]
        fewest_train, fewest = min(map(len, train)), min(len(rows[validation]) for validation, _ in own)
        for among, (validation, held_out) in zip(train, own, strict=True):
            yield thinned(among, fewest_train), thinned(rows[validation], fewest), rows[held_out]


def deal(kinds: Rows, y: Rows, repeats: int, seed: int, named: Rows | None = None) -> RetestFolds:
    """Deal rows into parts at random: every class evenly, rows of one group together.

    What stays together is what :func:`tfcourse.data.groups.keep_together` says; it is dealt as
    :func:`tfcourse.data.folds.dealt` does.

    Args:
        kinds: number of each row's kind, from :func:`tfcourse.data.groups.equal_rows`.
        y: class number of each row.
        repeats: how often to train.
        seed: which random parts.
        named: group number of each row as the user has it, if there is one.

    >>> folds = deal(np.arange(15), np.arange(15) % 3, repeats=3, seed=0)
    >>> np.bincount(folds.part).tolist()
    [3, 3, 3, 3, 3]
    """
    parts = max(LEAST_PARTS, repeats)
    group = keep_together(kinds, y, len(y) / parts, named).groups
    return RetestFolds(dealt(group, y, parts, np.random.default_rng([seed, 1])), parts, repeats)


def blocks(rows: int, repeats: int) -> RetestFolds:
    """Cut rows into consecutive parts: for runs that were split by time.

    >>> blocks(10, repeats=5).part.tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """
    parts = max(LEAST_PARTS, repeats)
    return RetestFolds(np.arange(rows) * parts // rows, parts, repeats)
