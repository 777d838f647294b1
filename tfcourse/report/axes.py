"""Where a value lies on its own scale, and which values to write beside an axis.

Charts draw on plain linear axes; the scale is in the positions: ``log10 v`` for log, ``-log10(1 - v)`` for
one_minus_log, so that equal distances are equal ratios of v, or of 1 - v.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tfcourse.space import Value

_DECADE_PARTS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0))
MOST_TICKS = 7


@dataclass(frozen=True)
class Axis:
    """An axis: its scale, its ends as positions, and its ticks as (position, text)."""

    scale: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


def place_on(scale: str, value: Value, categories: Sequence[Value] = ()) -> float:
    """Return where ``value`` lies on ``scale``; a category's position is its place in the list.

    >>> place_on("log", 0.001), round(place_on("one_minus_log", 0.99), 9), place_on("choice", "b", ["a", "b"])
    (-3.0, 2.0, 1.0)
    """
    if scale == "choice":
        return float(categories.index(value))
    if scale == "log":
        return math.log10(float(value))
    if scale == "one_minus_log":
        return -math.log10(1.0 - float(value))
    return float(value)


def axis_over(scale: str, values: Iterable[Value], categories: Sequence[Value] = (), *, percent: bool = False) -> Axis:
    """Return the axis that holds all ``values``, or one place for each category.

    >>> axis_over("log", [1e-4, 1.0]).ticks[:2]
    ((-4.0, '0.0001'), (-3.0, '0.001'))
    >>> axis_over("choice", [], ["sgd", "adam"])
    Axis(scale='choice', low=-0.5, high=1.5, ticks=((0.0, 'sgd'), (1.0, 'adam')))
    """
    if scale == "choice":
        ticks = tuple((float(place), str(name)) for place, name in enumerate(categories))
        return Axis(scale, -0.5, len(categories) - 0.5, ticks)
    numbers = sorted(float(value) for value in values)
    if scale == "log" and numbers[0] <= 0:
        scale = "linear"  # a loss of exactly 0 has no logarithm
    if numbers[0] == numbers[-1] and scale in ("log", "linear"):
        numbers = _around(scale, numbers[0])
    low, high = place_on(scale, numbers[0]), place_on(scale, numbers[-1])
    room = 0.04 * (high - low) or 0.5
    if scale == "integer":
        room = max(room, 0.5)  # a whole number's cell
    found = _ticks(scale, numbers[0], numbers[-1])
    texts = _texts([100 * tick for tick in found], "%") if percent else _texts(found)
    places = [place_on(scale, tick) for tick in found]
    return Axis(scale, low - room, high + room, tuple(zip(places, texts, strict=True)))


def _around(scale: str, value: float) -> list[float]:
    """Return the ends of an axis on which one value alone lies; no accuracy exceeds 1, so none lies above it."""
    if scale == "log":
        return [value / 2, 2 * value]
    return sorted([value / 2, value or 1.0])


def _texts(ticks: Sequence[float], unit: str = "") -> list[str]:
    """Return the ticks with six significant digits, with more where they would be alike."""
    texts = [f"{tick:.6g}{unit}" for tick in ticks]
    for digits in range(7, 17):
        if len(set(texts)) == len(ticks):
            break
        texts = [f"{tick:.{digits}g}{unit}" for tick in ticks]
    return texts


def _ticks(scale: str, low: float, high: float) -> list[float]:
    """Return round values from ``low`` to ``high``, two to about seven of them."""
    if scale == "log":
        ticks = _log_ticks(low, high)
    elif scale == "one_minus_log":
        ticks = sorted(round(1.0 - rest, 12) for rest in _log_ticks(1.0 - high, 1.0 - low))
    else:
        return _linear_ticks(low, high, whole=scale == "integer")
    return ticks if len(ticks) > 1 else _linear_ticks(low, high)


def _log_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten from ``low`` to ``high``; between them more where they are few, fewer where many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first + 1) / MOST_TICKS))
    ticks: list[float] = []
    for parts in _DECADE_PARTS if every == 1 else _DECADE_PARTS[:1]:
        around = [float(f"{part}e{power}") for power in range(first, last + 1, every) for part in parts]
        ticks = [tick for tick in around if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(ticks) >= 3:
            break
    return ticks


def _linear_ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten from ``low`` to ``high``."""
    if high <= low:
        return [low]
    from matplotlib.ticker import MaxNLocator

    room = 1e-9 * (high - low)  # rounding may put an end's tick just outside
    ticks = MaxNLocator(nbins=5, steps=(1, 2, 5, 10), integer=whole, min_n_ticks=1).tick_values(low, high)
    return [float(f"{tick:.12g}") for tick in ticks if low - room <= tick <= high + room]
