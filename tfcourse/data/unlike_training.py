"""New rows that are unlike those of training: categories that it did not know, numbers in another unit."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tfcourse.data.columns import CategoryColumn, NumberColumn
from tfcourse.data.reading.look_alike import alike_of
from tfcourse.data.table import Table, is_missing
from tfcourse.data.table_features import TableFeatures
from tfcourse.errors import UserError

FAR_OFF = 20.0
"""Numbers whose middle one is more than so many training σ from the training mean are of another kind or unit."""
MOST_NAMED = 3


def what_is_unlike(table: Table, features: TableFeatures, *, allow_unknown: bool = False) -> list[str]:
    """Return a line for each column whose values training did not know, or knew in quite another range.

    Args:
        table: the new rows, as :meth:`TableFeatures.decode` gives them.
        features: the model's.
        allow_unknown: whether a column of which training knew no value at all is accepted.

    Raises:
        UserError: if training knew none of a column's values, unless ``allow_unknown``.

    >>> features = TableFeatures((), (CategoryColumn("kind", ("a", "b")),))
    >>> what_is_unlike({"kind": np.array(["a", "z", "z", "b"], dtype=object)}, features)
    ["kind: 2 of 4 values were not in training and are read as 'other': 'z' (2)"]
    """
    lines = []
    for category in features.categories:
        lines += _unknown(category, table, allow_unknown)
    for number in features.numbers:
        lines += _far_off(number, table)
    return lines


def _unknown(category: CategoryColumn, table: Table, allow_unknown: bool) -> list[str]:
    values = table[category.name]
    unknown = category.unknown(values)
    present = int((~is_missing(values)).sum())
    count = int(unknown.sum())
    if not count:
        return []
    counts = Counter(values[unknown].tolist())
    named = ", ".join(
        f"{value!r} ({times}{_alike(value, category)})" for value, times in counts.most_common(MOST_NAMED)
    )
    more = f" and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
    if count == present and present > 1 and not allow_unknown:
        known = ", ".join(map(repr, category.values[:MOST_NAMED])) + " ..." * (len(category.values) > MOST_NAMED)
        raise UserError(
            f"Column {category.name!r}: none of its {present} values was in training: {named}{more}. Training knew"
            f" {known}. Write them as in training, or say with --allow-unknown that they are others."
        )
    were = "were" if count > 1 else "was"
    are = "are" if count > 1 else "is"
    return [
        f"{category.name}: {count} of {present} value{'s' * (present > 1)} {were} not in training and {are} read as"
        f" 'other': {named}{more}"
    ]


def _alike(value: str, category: CategoryColumn) -> str:
    """Return which value of training an unknown one looks like."""
    known = alike_of(value, (*category.values, *category.binned))
    return f"; training knew {known!r}" if known is not None else ""


def _far_off(number: NumberColumn, table: Table) -> list[str]:
    values = table[number.name]
    present = values[~np.isnan(values)]
    if len(present) < 2:
        return []
    middle = float(np.median(present))
    away = (middle - number.mean) / number.deviation
    if abs(away) <= FAR_OFF:
        return []
    return [
        f"{number.name}: its values, such as {middle:.6g}, are far from those of training, {number.mean:.6g} ±"
        f" {number.deviation:.3g}; is the unit another one?"
    ]
