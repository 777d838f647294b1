"""An export must say what the run's model says, or it is not written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfcourse.errors import UserError

TOLERANCE = 1e-5
"""Largest difference of two probabilities; rounding in another order makes about 1e-7."""


def largest_difference(found: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return each row's largest difference, infinite where one of the two is no number.

    >>> largest_difference(np.array([[0.25, np.nan], [np.nan, 1.0]]), np.array([[0.5, np.nan], [0.5, 1.0]])).tolist()
    [0.25, inf]
    """
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    off = np.abs(found.astype(np.float64) - expected)
    return np.asarray(np.where(same, 0.0, np.nan_to_num(off, nan=np.inf)).max(axis=1, initial=0.0))


def check_agrees(found: NDArray[np.float32], expected: NDArray[np.float32], path: Path, runtime: str) -> float:
    """Return the largest difference of an export's probabilities and the model's.

    Args:
        found: those of the export, shape (rows, classes).
        expected: those of the model.
        path: the export, for the message.
        runtime: through what it was asked.

    Raises:
        UserError: if they differ by more than :data:`TOLERANCE`.
    """
    off = largest_difference(found, expected)
    wrong = np.flatnonzero(off > TOLERANCE)
    if len(wrong):
        raise UserError(
            f"{path.name!r} was not written: through {runtime} it does not say what model.keras says. In {len(wrong)}"
            f" of {len(off)} rows the probabilities differ by more than {TOLERANCE:g}, by {off.max():.2g} at most."
            f" This is a fault of this program or of {runtime}: please report it, with run.json."
        )
    return float(off.max(initial=0.0))
