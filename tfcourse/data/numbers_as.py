"""How numbers enter the matrix: standardized, scaled robustly within a smooth bound, and as places in bins beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.columns import NumberColumn
from tfcourse.data.split import Rows
from tfcourse.data.table import Table
from tfcourse.data.table_features import TableFeatures

NumbersAs = Literal["standard", "robust", "encoded"]
WAYS: tuple[NumbersAs, ...] = get_args(NumbersAs)
QUANTILE_BINS, LEAST_ROWS_PER_BIN, MOST_BINS, MOST_BIN_COLUMNS = 16, 16, 128, 512
"""Bins of a number that quantiles bound, training rows in each of them or of a value that bounds bins of its own, and
bins of a number and of all numbers of a table together."""


def numbers_as(features: TableFeatures, table: Table, train: Rows, way: NumbersAs) -> TableFeatures:
    """Return features whose numbers enter in a way, by statistics of the training rows; dates stay standardized.

    Args:
        features: from :func:`tfcourse.data.fit_table.fit_table`.
        table: the columns as they were decoded.
        train: the training rows.
        way: ``standard``; ``robust``, scaled by quartiles within a smooth bound; or ``encoded``, with columns of bins
            beside.

    >>> table = {"size": np.arange(65.0)}
    >>> features = TableFeatures((NumberColumn("size", 32.0, 18.8, False),), ())
    >>> [numbers_as(features, table, np.arange(65), way).numbers[0].robust for way in WAYS]
    [None, (32.0, 32.0), None]
    >>> [numbers_as(features, table, np.arange(65), way).numbers[0].edges for way in WAYS]
    [(), (), (0.0, 16.0, 32.0, 48.0, 64.0)]
    """
    numbers = [number for number in features.numbers if not number.is_date]
    most = min(MOST_BINS, MOST_BIN_COLUMNS // max(1, len(numbers)))
    found = []
    for number in features.numbers:
        values = table[number.name][train]
        present = values[~np.isnan(values)]
        robust: tuple[float, float] | None = None
        edges: tuple[float, ...] = ()
        if len(present) and not number.is_date:
            robust = robust_scale(present) if way == "robust" else None
            edges = bin_edges(present, most) if way == "encoded" else ()
        found.append(replace(number, robust=robust, edges=edges))
    return replace(features, numbers=tuple(found))


def robust_scale(present: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median, and the distance of the quartiles or, where they are equal, half the range; 1 if that is 0.

    >>> robust_scale(np.array([0.0, 1.0, 2.0, 3.0, 100.0])), robust_scale(np.array([0.0, 0.0, 0.0, 0.0, 4.0]))
    ((2.0, 2.0), (0.0, 2.0))
    """
    low, first, center, third, high = (float(q) for q in np.quantile(present, [0, 0.25, 0.5, 0.75, 1]))
    return center, (third - first) or (high / 2 - low / 2) or 1.0


def bin_edges(present: NDArray[np.float64], most: int = MOST_BINS) -> tuple[float, ...]:
    """Return the values that bound a number's bins (piecewise-linear encoding, Gorishniy et al. 2022), from the lowest.

    They are quantiles, and each value of :data:`LEAST_ROWS_PER_BIN` rows or more; there are none where they are fewer
    than three, and so bound no two bins.
    A frequent value may mean another thing than its neighbours do, as capital gains of 7688 among 7298 and 8614, so
    that it bounds bins of its own, the most frequent first, as far as there may be so many. For the quantiles it counts
    as one bin's worth, or the zeros of a column that is mostly zero would leave few bins to all its other values.

    Args:
        present: the values of training rows that are there, shape (n,), n at least 1, in the number's own unit.
        most: bins at most, from 2.

    >>> bin_edges(np.arange(33.0)), bin_edges(np.arange(31.0)), bin_edges(np.repeat([0.0, 1.0], 40))
    ((0.0, 16.0, 32.0), (), ())
    >>> bin_edges(np.repeat([0.0, 5.0, 6.0, 7.0, 9.0], [20, 16, 15, 17, 12]))
    (0.0, 5.0, 7.0, 9.0)
    """
    values, counts = np.unique(present, return_counts=True)
    quantile_bins = min(QUANTILE_BINS, most)
    counted = np.repeat(values, np.minimum(counts, max(1, len(present) // max(1, quantile_bins))))
    bins = min(quantile_bins, len(counted) // LEAST_ROWS_PER_BIN)
    edges = np.unique(np.quantile(counted, np.linspace(0, 1, bins + 1))) if bins > 1 else values[[0, -1]]
    frequent = np.setdiff1d(values[counts >= LEAST_ROWS_PER_BIN], edges)
    rows = counts[np.searchsorted(values, frequent)]
    edges = np.union1d(edges, frequent[np.argsort(-rows, kind="stable")][: max(0, most + 1 - len(edges))])
    return tuple(edges.tolist()) if len(edges) > 2 else ()


def way_of(numbers: Sequence[NumberColumn]) -> NumbersAs:
    """Return in which way numbers enter, ``standard`` where no column shows it."""
    if any(number.edges for number in numbers):
        return "encoded"
    return "robust" if any(number.robust is not None for number in numbers) else "standard"
