"""On how many folds the leaders are trained: as many as are asked for, or by the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.folds import most_folds
from tfcourse.data.prepare import Prepared
from tfcourse.errors import UserError
from tfcourse.tuning import defaults

LEAST_TRIALS = 8
"""Of fewer completed trials the leaders are not bagged unless asked: the first of them are no leaders yet."""
LEAST_FOLDS = 4
"""With fewer, a network would train on fewer rows than a trial of the search does."""


def default_folds(rows: int) -> int:
    """Return the folds for so many training and validation rows; 1 is no bagging.

    >>> [default_folds(rows) for rows in (4999, 5000, 50_001, 200_001)]
    [8, 5, 3, 1]
    """
    return next((folds for below, folds in defaults.FOLDS.items() if rows < below), 1)


def check_folds(folds: int, prepared: Prepared) -> None:
    """Refuse a number of folds that the data do not allow.

    Raises:
        UserError: if they are in the order of time, or a class is in fewer groups than there are folds.
    """
    if folds == 1:
        return
    if prepared.groups is None:
        raise UserError(
            f"--folds {folds} was given with --split time, in whose order the rows that validate come last; give"
            " --folds 1, or leave it out."
        )
    number, most = most_folds(prepared.groups, labels_of(prepared))
    if folds > most:
        raise UserError(
            f"--folds {folds} was given, but class {prepared.classes[number]!r} has only {most} different row"
            f"{'s' * (most != 1)} for training and validation; give at most {most}."
        )


def folds_of(asked: int | None, prepared: Prepared, completed: int) -> tuple[int, str]:
    """Return how many folds to train on, and why none where one could expect some.

    Args:
        asked: what was asked for; None leaves it to the data.
        prepared: the data.
        completed: how many trials completed.
    """
    if asked is not None or prepared.groups is None:
        return asked or 1, ""
    y = labels_of(prepared)
    by_size = default_folds(len(y))
    number, most = most_folds(prepared.groups, y)
    if by_size > 1 and most < LEAST_FOLDS:
        name = prepared.classes[number]
        return 1, f"The leaders are not bagged: class {name!r} has too few different rows to be in {LEAST_FOLDS} folds."
    if by_size > 1 and completed < LEAST_TRIALS:
        return 1, f"The leaders are not bagged: fewer than {LEAST_TRIALS} trials completed; --folds {by_size} does it."
    return min(by_size, most), ""


def labels_of(prepared: Prepared) -> NDArray[np.int64]:
    """Return the class numbers of the training rows and then of the validation rows."""
    return np.concatenate([prepared.train.y, prepared.validation.y])
