"""Rows that stand in other data too: what a model has seen in training says little of what it makes of new rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Matrix


def in_both(rows: Matrix, others: Matrix) -> NDArray[np.bool_]:
    """Return which rows of a feature matrix stand in another one too, shape (rows,).

    >>> in_both(np.array([[1, 2], [3, 4]], np.float32), np.array([[3, 4]], np.float32)).tolist()
    [False, True]
    """
    there = set(map(digest, others))
    return np.fromiter((digest(row) in there for row in rows), dtype=bool, count=len(rows))


def digest(row: NDArray[Any]) -> bytes:
    """Return what is equal for rows of equal bytes, however long they are.

    >>> len(digest(np.zeros(784))), digest(np.zeros(2)) == digest(np.array([0.0, 1.0]))
    (16, False)
    """
    return hashlib.blake2b(row.tobytes(), digest_size=16).digest()


def seen_words(seen: int, rows: int, where: str, there: str) -> list[str]:
    """Return a note on rows of test data that stand in the training data, if there are any.

    >>> print(*seen_words(1, 10, "--test-data", "--data"))
    1 of 10 rows of --test-data stands in --data too, alike in every column that is used: it makes the score too good
    """
    if not seen:
        return []
    stand = f"{seen} of {rows} rows of {where} stand{'s' * (seen == 1)} in {there} too"
    makes = "they make" if seen > 1 else "it makes"
    return [f"{stand}, alike in every column that is used: {makes} the score too good"]
