"""Consecutive batches of new data by a column of times."""

from __future__ import annotations

import numpy as np

from tfcourse.errors import UserError
from tfcourse.retesting.new_data import NewData


def consecutive(new: NewData, count: int) -> list[tuple[str, NewData]]:
    """Return ``count`` batches of nearly equal size in the order of time, each with its first and last time as label.

    Args:
        new: the data, with its times.
        count: how many.

    Raises:
        UserError: if there are fewer rows than batches.
    """
    if len(new) < count:
        raise UserError(f"--batches: {count} was given, but there are {len(new)} rows.")
    assert new.moments is not None
    assert new.times is not None
    order = np.argsort(new.moments, kind="stable")
    return [
        (f"{new.times[rows[0]]} to {new.times[rows[-1]]}", new.rows(np.sort(rows)))
        for rows in np.array_split(order, count)
    ]
