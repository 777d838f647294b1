"""Dates in tables: which fixed-width format a column is written in, and the day number it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y")
TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S")
_WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}


def find_format(texts: NDArray[Any]) -> str | None:
    """Return the format in which all the texts are dates, or None; at least one text is needed.

    Day and month must have two digits. Where both orders fit, month/day/year is taken.

    >>> find_format(np.array(["2024-02-29", "1970-01-01"], dtype=object))
    '%Y-%m-%d'
    """
    import pandas as pd

    for date in FORMATS:
        for time in TIMES:
            pattern = date + time
            if len(texts) and len(str(texts[0])) == width(pattern) and all(len(t) == width(pattern) for t in texts):
                days = pd.to_datetime(pd.Series(texts, dtype=object), format=pattern, errors="coerce")
                if days.notna().all():
                    return pattern
    return None


def days_since_1970(texts: NDArray[Any], pattern: str) -> NDArray[np.float64]:
    """Return days since 1970-01-01 with the time as a fraction; NaN where a text is no date of ``pattern``.

    >>> days_since_1970(np.array(["1970-01-02 12:00"], dtype=object), "%Y-%m-%d %H:%M").tolist()
    [1.5]
    """
    import pandas as pd

    moments = pd.to_datetime(pd.Series(texts, dtype=object), format=pattern, errors="coerce")
    days = (moments - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    return np.asarray(days, dtype=np.float64)


def width(pattern: str) -> int:
    """Return how many characters a date of ``pattern`` has.

    >>> width("%Y-%m-%dT%H:%M")
    16
    """
    return max(start + length for _, start, length in fields(pattern))


def fields(pattern: str) -> Iterator[tuple[str, int, int]]:
    """Yield each field of ``pattern``: its directive, the position of its first digit and its number of digits.

    >>> list(fields("%d.%m.%Y"))
    [('%d', 0, 2), ('%m', 3, 2), ('%Y', 6, 4)]
    """
    position = index = 0
    while index < len(pattern):
        if pattern[index] == "%":
            directive = pattern[index : index + 2]
            yield directive, position, _WIDTHS[directive]
            position, index = position + _WIDTHS[directive], index + 2
        else:
            position, index = position + 1, index + 1
