r"""Scales on which hyperparameters are drawn (slides A4-A6).

A scale maps the unit interval to a range and back, so that a uniform number p in [0, 1] becomes a value
spread evenly on that scale: p = 0 is ``low``, p = 1 is ``high``, and the map rises all the way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def _array(value: ArrayLike) -> Array:
    return np.asarray(value, dtype=np.float64)


def linear_from_unit(p: ArrayLike, low: float, high: float) -> Array:
    """Map p in [0, 1] to ``low + p * (high - low)``; any shape.

    >>> float(linear_from_unit(0.25, 0.0, 2.0))
    0.5
    """
    return low + _array(p) * (high - low)


def linear_to_unit(value: ArrayLike, low: float, high: float) -> Array:
    """Map a value in [low, high] to its p in [0, 1]; the inverse of :func:`linear_from_unit`.

    >>> float(linear_to_unit(0.5, 0.0, 2.0))
    0.25
    """
    return (_array(value) - low) / (high - low)


def log_from_unit(p: ArrayLike, low: float, high: float) -> Array:
    r"""Map p in [0, 1] to :math:`10^r` with :math:`r = (1-p)\log_{10} low + p \log_{10} high` (A5).

    Every decade between ``low`` > 0 and ``high`` gets the same share of the draws.

    >>> [round(float(v), 6) for v in log_from_unit([0.0, 0.25, 0.5, 1.0], 1e-4, 1.0)]
    [0.0001, 0.001, 0.01, 1.0]
    """
    return np.power(10.0, linear_from_unit(p, np.log10(low), np.log10(high)))


def log_to_unit(value: ArrayLike, low: float, high: float) -> Array:
    """Map a value in [low, high] to its p in [0, 1]; the inverse of :func:`log_from_unit`.

    >>> round(float(log_to_unit(0.01, 1e-4, 1.0)), 12)
    0.5
    """
    return linear_to_unit(np.log10(_array(value)), float(np.log10(low)), float(np.log10(high)))


def one_minus_log_from_unit(p: ArrayLike, low: float, high: float) -> Array:
    r"""Map p in [0, 1] to β with :math:`1-\beta = 10^r`, r uniform (A6).

    For 0.9...0.999, r lies in [-3, -1]: as many draws fall in 0.9...0.99 as in 0.99...0.999. ``high`` < 1.

    >>> [round(float(v), 6) for v in one_minus_log_from_unit([0.0, 0.5, 1.0], 0.9, 0.999)]
    [0.9, 0.99, 0.999]
    """
    return 1.0 - log_from_unit(p, 1.0 - low, 1.0 - high)


def one_minus_log_to_unit(value: ArrayLike, low: float, high: float) -> Array:
    """Map β in [low, high] to its p in [0, 1]; the inverse of :func:`one_minus_log_from_unit`.

    >>> round(float(one_minus_log_to_unit(0.99, 0.9, 0.999)), 12)
    0.5
    """
    return log_to_unit(1.0 - _array(value), 1.0 - low, 1.0 - high)
