"""Which columns of the feature matrix a column of the table becomes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.table_features import TableFeatures

Places = NDArray[np.int64]


def blocks_of(features: TableFeatures) -> dict[str, Places]:
    """Return the matrix columns of every column of the table, in the order of the feature map's columns.

    A row's values in these columns come from that one column of the table alone, so that putting another row's values
    there is the same as putting that row's value into the table.

    >>> from tfcourse.data.columns import CategoryColumn, NumberColumn
    >>> numbers = (NumberColumn("a", 0.0, 1.0, has_missing=True), NumberColumn("b", 0.0, 1.0, has_missing=False))
    >>> found = blocks_of(TableFeatures(numbers, (CategoryColumn("c", ("x",)),)))
    >>> {name: places.tolist() for name, places in found.items()}
    {'a': [0, 2], 'b': [1], 'c': [3, 4, 5]}
    """
    found: dict[str, list[int]] = {number.name: [place] for place, number in enumerate(features.numbers)}
    end = len(features.numbers)

    def take(name: str, width: int) -> None:
        nonlocal end
        found.setdefault(name, []).extend(range(end, end + width))
        end += width

    for number in features.numbers:
        take(number.name, int(number.has_missing))
    for number in features.numbers:
        take(number.name, 2 * len(number.cycles))
    for category in features.categories:
        take(category.name, category.width)
    for text in features.texts:
        take(text.name, text.width)
    for number in features.numbers:
        take(number.name, number.bins)
    return {name: np.array(places, np.int64) for name, places in found.items()}
