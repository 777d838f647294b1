"""How long a cohort may be expected to take, by how long others took for their operations."""

from __future__ import annotations

import statistics
from collections import deque

LEAST_SPEED = 0.2e9
"""Operations a second of a slow machine that several programs share; taken while nothing has been measured."""
REMEMBERED = 64


class Speed:
    """The seconds that an operation took, of the last cohorts.

    >>> speed = Speed()
    >>> speed.seconds(1e9), speed.known
    (5.0, False)
    >>> speed.took(4e9, 2.0)
    >>> speed.seconds(1e9), speed.known
    (0.5, True)
    """

    def __init__(self) -> None:
        self._each: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def known(self) -> bool:
        """Whether a cohort was measured."""
        return bool(self._each)

    def took(self, operations: float, seconds: float) -> None:
        """Take in that so many operations took so long, whatever was compiled in it."""
        self._each.append(seconds / max(operations, 1.0))

    def seconds(self, operations: float) -> float:
        """Return the seconds to expect."""
        return operations * (statistics.median(self._each) if self._each else 1 / LEAST_SPEED)
