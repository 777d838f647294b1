"""Rows that stay together when rows are cut into parts: equal ones, and those of a group that a person names.

Equal rows in two parts would let a model be tested on what it has learned by heart. But a kind of row that is very
frequent (a table of a few coarse categories has a handful of kinds) is no repetition: new rows will be of that kind
too, and whichever part had it alone would be unlike the others. So a kind is kept together up to a tenth of the smaller
part, or :data:`FEW` rows where parts are small, and dealt out row by row beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.in_both import digest
from tfcourse.data.split import Rows
from tfcourse.data.table import Column, Table, is_missing

LARGE = 0.1
"""A kind of row is dealt out when it is more than this share of the smaller part,"""
FEW = 30
"""and more than so many rows; in parts smaller than that, when it is larger than the part."""
MOST_NAMED = 3


@dataclass(frozen=True)
class Together:
    """Which rows stay together.

    Args:
        groups: group number of each row, shape (rows,).
        notes: lines for the user, on what repeats and what was done.
    """

    groups: Rows
    notes: list[str] = field(default_factory=list)


def equal_rows(x: Table | NDArray[Any]) -> Rows:
    """Return a group number for each row, the same for rows that are equal in every value.

    >>> equal_rows(np.array([[1, 2], [3, 4], [1, 2]])).tolist()
    [0, 1, 0]
    """
    import pandas as pd

    if isinstance(x, dict):
        frame = pd.DataFrame(x)
        groups = frame.groupby(list(frame.columns), dropna=False, sort=False).ngroup()
        return np.asarray(groups, dtype=np.int64)
    codes, _ = pd.factorize(np.fromiter(map(digest, x), dtype=object, count=len(x)))
    return np.asarray(codes, dtype=np.int64)


def group_numbers(column: Column) -> Rows:
    """Return a group number for each value of a column; a row whose value is missing is a group of its own.

    >>> group_numbers(np.array(["a", "", "a", ""], dtype=object)).tolist()
    [0, 1, 0, 2]
    """
    import pandas as pd

    numbers = pd.factorize(column)[0].astype(np.int64)
    numbers = np.where(is_missing(column), len(column) + np.arange(len(column)), numbers)
    return np.asarray(pd.factorize(numbers)[0], dtype=np.int64)


def keep_together(kinds: Rows, y: Rows, part: float, named: Rows | None = None, among: str = "") -> Together:
    """Return the groups that the parts are made of, and notes on them.

    Args:
        kinds: number of each row's kind, from :func:`equal_rows`.
        y: class number of each row.
        part: rows of the smallest part to cut.
        named: group number of each row as the user has it, never divided; None where no groups are named.
        among: by which columns rows are compared, for the notes; empty for all.

    >>> together = keep_together(np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1]), part=2)
    >>> together.groups.tolist(), together.notes
    ([0, 0, 1, 2], ['1 row repeats another one; equal rows stay in one part of the split'])
    """
    kept, frequent = without_frequent(kinds, limit_of(part))
    notes = []
    repeated = len(kinds) - len(np.unique(kinds))
    if repeated:
        some = f"{repeated} row{'s' * (repeated > 1)} repeat{'s' * (repeated == 1)} another one{among}"
        notes = [f"{some}; equal rows stay in one part of the split{_but_for(frequent, len(kinds))}", *_mixed(kinds, y)]
    if named is None or kept.max() + 1 == len(kept):  # nothing repeats
        return Together(kept if named is None else named, notes)
    joined = connected(named, kept)
    if np.bincount(joined).max() > max(np.bincount(named).max(), limit_of(part)):
        notes.append("equal rows of different groups may stand in different parts: they would join most groups to one")
        return Together(named, notes)
    return Together(joined, notes)


def limit_of(part: float) -> float:
    """Return the most rows of one kind that stay together, by the rows of the smallest part.

    >>> limit_of(440), limit_of(100), limit_of(7)
    (44.0, 30.0, 7.0)
    """
    return float(min(part, max(FEW, LARGE * part)))


def without_frequent(kinds: Rows, limit: float) -> tuple[Rows, list[int]]:
    """Return groups in which rows of kinds with more than ``limit`` rows stand alone, and the sizes of those kinds.

    >>> without_frequent(np.array([0, 1, 0, 0, 1]), limit=2)
    (array([0, 1, 2, 3, 1]), [3])
    """
    sizes = np.bincount(kinds)
    alone = sizes[kinds] > limit
    own = np.where(alone, len(sizes) + np.arange(len(kinds)), kinds)
    _, first, number = np.unique(own, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))  # numbered as they come
    return order[number], sorted(sizes[sizes > limit].tolist(), reverse=True)


def connected(a: Rows, b: Rows) -> Rows:
    """Return groups in which rows are together that ``a`` or ``b`` has together, directly or through others.

    >>> connected(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])).tolist()
    [0, 0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = int(a.max() + b.max() + 2)
    edges = coo_array((np.ones(len(a), dtype=bool), (a, b + a.max() + 1)), shape=(size, size))
    return np.asarray(connected_components(edges, directed=False)[1][a], dtype=np.int64)


def _but_for(frequent: Sequence[int], rows: int) -> str:
    """Return what is said of the kinds that are dealt out."""
    if not frequent:
        return ""
    one = len(frequent) == 1
    sizes = ", ".join(map(str, frequent[:MOST_NAMED])) + " ..." * (len(frequent) > MOST_NAMED)
    kinds = "one kind" if one else f"{len(frequent)} kinds"
    return (
        f", but for {kinds} of row too frequent for that ({sizes} of {rows} rows): a part that had"
        f" {'it' if one else 'one'} alone would be unlike the others, so {'its' if one else 'their'} rows are dealt out"
        " to all parts"
    )


def _mixed(kinds: Rows, y: Rows) -> list[str]:
    """Return a note on equal rows with different labels: how often a model can be right at most."""
    classes = int(y.max()) + 1
    kind_class, counts = np.unique(kinds * classes + y, return_counts=True)
    kind, best = kind_class // classes, np.zeros(kinds.max() + 1, dtype=np.int64)
    np.maximum.at(best, kind, counts)
    mixed = int((np.bincount(kind) > 1).sum())
    if not mixed:
        return []
    some = f"{mixed} kinds of equal rows have" if mixed > 1 else "one kind of equal rows has"
    return [f"{some} different labels: no model can be right in more than {best.sum() / len(y):.2%} of these rows"]
