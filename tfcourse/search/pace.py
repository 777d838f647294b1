"""How many trials fit into what is left of a time, by what a trial has cost here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

FIRST_TRIALS = 8
"""Trials with which a search of limited time begins, before anything is known of their cost."""


class Pace:
    """The time of a search and of its rounds, each of which gets an equal share of what is left when it begins.

    Args:
        deadline: moment of ``clock`` at which the search ends; infinite for none.
        rounds: rounds that are left, the present one included.
        clock: gives the time in seconds.

    >>> moments = iter([0.0, 10.0])
    >>> pace = Pace(60.0, 2, lambda: next(moments))
    >>> pace.room(64)
    8
    >>> pace.ended(8)
    >>> pace.room(64)  # 10 s for 8 trials; 20 s are left of the round's 30 s
    16
    """

    def __init__(self, deadline: float, rounds: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.deadline, self.rounds, self.clock = deadline, rounds, clock
        self.began, self.trials = clock(), 0
        self.round_deadline = self._share(self.began)

    def _share(self, now: float) -> float:
        return now + (self.deadline - now) / self.rounds if math.isfinite(self.deadline) else math.inf

    def begin_round(self) -> None:
        """Give the next round its share of the time that is left."""
        self.rounds = max(1, self.rounds - 1)
        self.round_deadline = self._share(self.clock())

    def ended(self, trials: int) -> None:
        """Take in that so many more trials have ended."""
        self.trials += trials

    def room(self, most: int) -> int:
        """Return how many trials to draw now, at most ``most``: never more than twice as many as have ended."""
        if math.isinf(self.deadline):
            return most
        if not self.trials:
            return min(most, FIRST_TRIALS)
        now = self.clock()
        each = max(now - self.began, 1e-9) / self.trials
        return max(0, min(most, 2 * self.trials, math.floor((self.round_deadline - now) / each)))
