"""New rows that are unlike those of training: categories that it did not know, numbers in another unit."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tfcourse.data.columns import CategoryColumn, NumberColumn
from tfcourse.data.reading.dates import moments
from tfcourse.data.reading.look_alike import alike_of
from tfcourse.data.table import Table, is_missing
from tfcourse.data.table_features import TableFeatures
from tfcourse.errors import UserError

FAR_OFF = 20.0
"""A number farther from all of training's than these are from each other is far; where their ends are not known, one
more than so many σ from their mean."""
MOST_NAMED = 3
MOST_DAYS = 700_000
"""Days from 1970 of which a calendar tells the date, and some."""


def what_is_unlike(table: Table, features: TableFeatures, *, allow_unknown: bool = False) -> list[str]:
    """Return a line for each column with values that training did not know, or that are far from all of its.

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
    if number.ends is None:
        low, high = number.mean - FAR_OFF * number.deviation, number.mean + FAR_OFF * number.deviation
        training = f"{_said(float(f'{number.mean:.6g}'), number)} ± {number.deviation:.3g}{' days' * number.is_date}"
    else:
        width = max(number.ends[1] - number.ends[0], number.deviation)
        low, high = number.ends[0] - width, number.ends[1] + width
        training = " to ".join(_said(end, number) for end in number.ends)
    if not len(values):
        return []
    off = np.nan_to_num(np.maximum(values - high, low - values), nan=-np.inf)
    count, present, row = int((off > 0).sum()), int((~np.isnan(values)).sum()), int(off.argmax())
    if not count:
        return []
    example = f"{_said(values[row], number)} in row {row + 1}"
    if count == 1:
        return [f"{number.name}: {example} is far from the values of training, {training}"]
    ask = "; is the unit another one?" if 2 * count > present and not number.is_date else ""
    return [f"{number.name}: {count} of {present} values are far from those of training, {training}: {example}{ask}"]


def _said(value: float, number: NumberColumn) -> str:
    """Return a number as it stands in a file, a date as one, a time of day as one."""
    if not number.is_date:
        return f"{value:.10g}"
    if abs(value) > MOST_DAYS:
        return f"{value:.10g} days since 1970"
    moment = moments(np.array([value]))[0]
    if number.is_time_of_day and 0 <= value < 1:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d}" if value == np.floor(value) else f"{moment:%Y-%m-%d %H:%M:%S}"
