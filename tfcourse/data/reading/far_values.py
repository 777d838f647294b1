"""Single values so far away that all others would be one number beside them: codes for "unknown", slips, overflows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FAR, FAR_CODE = 100.0, 5.0
"""How many times the range of all other values away is far: for any value, and for one that programs use as a code."""
CODES = frozenset(
    {sign * (10.0**digits - 1) for digits in range(2, 12) for sign in (1, -1)}
    | {float(sign * bound) for bound in (2**15, 2**15 - 1, 2**16 - 1, 2**31, 2**31 - 1) for sign in (1, -1)}
)
MOST, LEAST_OTHERS = 3, 5


def far_values(numbers: NDArray[np.float64]) -> list[float]:
    """Return at most three values that are far from all others: farther than 100 times the range of these.

    A value that is used as a code (99, -999, 32767) is far at 5 times. At least five different others are needed.

    >>> far_values(np.array([20e3, 31e3, 45e3, 52e3, 60e3, 999999999.0]))
    [999999999.0]
    >>> far_values(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 40.0]))
    []
    """
    present = numbers[~np.isnan(numbers)]
    if _is_dense(present):
        return []
    values = np.unique(present)
    found: list[float] = []
    while len(values) > LEAST_OTHERS and len(found) < MOST:
        for value, others in ((values[-1], values[:-1]), (values[0], values[1:])):
            away = min(abs(value - others[-1]), abs(value - others[0]))
            if away > (FAR_CODE if value in CODES else FAR) * (others[-1] - others[0]):
                found.append(float(value))
                values = others
                break
        else:
            break
    return found


def _is_dense(present: NDArray[np.float64]) -> bool:
    """Whether both ends are near a few other values, so that none is far: told without sorting millions of them.

    The outermost of these few are not asked, since they may be the far ones.
    """
    few = np.unique(present[:: max(1, len(present) // 1000)])[MOST:-MOST]
    if len(few) < 2:
        return False
    return bool(max(present.max() - few[-1], few[0] - present.min()) <= FAR_CODE * (few[-1] - few[0]))
