"""Numerical gradients: the judge of the gradients written by hand."""

from collections.abc import Callable

import numpy as np


def gradient_of(f: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return the central differences of ``f`` at ``x``, of the shape of ``x``."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        nudge = np.zeros_like(x)
        nudge[index] = step
        gradient[index] = (f(x + nudge) - f(x - nudge)) / (2 * step)
    return gradient
