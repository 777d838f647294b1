"""Learning curves as text, for a terminal: one character a column and curve, the marks of changes below.

A library would do more, but plotext changed its whole interface with version 6, and rich draws no curves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

SYMBOLS = "·o"
BOTH, MARK = "*", "^"
COLUMNS_AN_EPOCH = 4
LOG_FROM = 10.0
"""A curve whose largest value is so many times its smallest is drawn on a log scale."""


def curves(
    series: Mapping[str, Sequence[float | None]],
    marks: Sequence[int] = (),
    *,
    first: int = 1,
    width: int = 72,
    height: int = 12,
) -> list[str]:
    """Return lines of text that show one or two curves over the epochs.

    Args:
        series: values by name, one an epoch, None where there is no finite one.
        marks: epochs, from 1, after which something was changed.
        first: the epoch of the first values; a branch begins later than 1.
        width: columns of the plot, without the labels at its left.
        height: its rows.

    >>> for line in curves({"loss": [4.0, 3.0, 2.0, 1.0]}, [2], width=8, height=4):
    ...     print(line.rstrip())
              4 ┤·
                ┤  ·
                ┤    ·
              1 ┤      ·
                └────────
                   ^
                 epochs 1 to 4; · loss; ^ changed
    """
    epochs = max((len(values) for values in series.values()), default=0)
    finite = [value for values in series.values() for value in values if value is not None]
    if not finite or epochs < 2:
        return []
    width = min(width, COLUMNS_AN_EPOCH * epochs)
    low, high = min(finite), max(finite)
    log = low > 0 and high / low >= LOG_FROM
    grid = [[" "] * width for _ in range(height)]
    for symbol, values in zip(SYMBOLS, series.values(), strict=False):
        for column, value in enumerate(_columns(values, epochs, width)):
            if value is not None:
                row = _row(value, low, high, height, log)
                grid[row][column] = symbol if grid[row][column] == " " else BOTH
    labels = {0: f"{high:.4g}", height - 1: f"{low:.4g}"}
    lines = [f"{labels.get(row, ''):>11} ┤{''.join(cells)}" for row, cells in enumerate(grid)]
    lines.append(" " * 12 + "└" + "─" * width)
    if marks:
        below = [" "] * width
        for mark in marks:
            below[_column(max(mark - first, 0), epochs, width)] = MARK
        lines.append(" " * 13 + "".join(below))
    names = "; ".join(f"{symbol} {name}" for symbol, name in zip(SYMBOLS, series, strict=False))
    scale = "; log scale" if log else ""
    lines.append(f"{' ' * 13}epochs {first} to {first + epochs - 1}; {names}{'; ^ changed' if marks else ''}{scale}")
    return lines


def _column(epoch: int, epochs: int, width: int) -> int:
    return min(epoch * width // epochs, width - 1)


def _columns(values: Sequence[float | None], epochs: int, width: int) -> list[float | None]:
    """Return the mean of the finite values that fall into each column."""
    found: list[list[float]] = [[] for _ in range(width)]
    for epoch, value in enumerate(values):
        if value is not None:
            found[_column(epoch, epochs, width)].append(value)
    return [sum(part) / len(part) if part else None for part in found]


def _row(value: float, low: float, high: float, height: int, log: bool) -> int:
    if high == low:
        return height - 1
    share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return round((1.0 - share) * (height - 1))
