r"""Exponentially weighted averages (slides A6, B8): :math:`v_t = \beta v_{t-1} + (1-\beta)\,\theta_t`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def window(beta: ArrayLike) -> Array:
    r"""Return :math:`1/(1-\beta)`, about how many of the last values the average looks back on; β in [0, 1).

    The closer β is to 1, the more a small change of it matters: that is why β is drawn on the log scale of
    1 − β (A6).

    >>> [round(float(w), 2) for w in window([0.9, 0.9005, 0.999, 0.9995])]
    [10.0, 10.05, 1000.0, 2000.0]
    """
    return 1.0 / (1.0 - np.asarray(beta, dtype=np.float64))


def moving_average(values: ArrayLike, beta: float, *, initial: ArrayLike = 0.0, bias_correction: bool = False) -> Array:
    r"""Return the averages :math:`v_1 \dots v_T` of the values :math:`\theta_1 \dots \theta_T`, same shape.

    .. math:: v_t = \beta v_{t-1} + (1-\beta)\,\theta_t, \qquad
              \hat v_t = \frac{v_t - \beta^t v_0}{1 - \beta^t}

    The second form is the bias correction: the start :math:`v_0` is taken out, so the weights of the values
    sum to 1 from the first step on. It is what Adam does to its moments (Kingma and Ba 2015, with v_0 = 0).

    Args:
        values: shape (T, ...), the first axis is time.
        beta: β in [0, 1).
        initial: :math:`v_0`, of one value's shape. Keras starts a moving mean at 0, a moving variance at 1.
        bias_correction: whether to return :math:`\hat v_t`.

    >>> moving_average([1.0, 1.0, 1.0], beta=0.5).tolist()
    [0.5, 0.75, 0.875]
    >>> moving_average([1.0, 1.0, 1.0], beta=0.5, bias_correction=True).tolist()
    [1.0, 1.0, 1.0]
    """
    theta = np.asarray(values, dtype=np.float64)
    start = np.broadcast_to(np.asarray(initial, dtype=np.float64), theta.shape[1:])
    averages = np.empty_like(theta)
    v = start
    for t, value in enumerate(theta):
        v = beta * v + (1.0 - beta) * value
        averages[t] = (v - beta ** (t + 1) * start) / (1.0 - beta ** (t + 1)) if bias_correction else v
    return averages
