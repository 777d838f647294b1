"""A batch's cohorts on their way: who is at each, how often it was lost, and what a worker has been given."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tfcourse.executors.merging import bytes_needed

if TYPE_CHECKING:
    from tfcourse.cohort.work import Cohort


@dataclass(eq=False)
class Piece:
    """A cohort of a batch: who is at it, and how often it was lost."""

    cohort: Cohort
    runs: set[int] = field(default_factory=set)
    lost: int = 0
    from_outside: int = 0
    ended: bool = False

    @property
    def alone(self) -> bool:
        """Whether it must not be trained as one with others, which it would take with it if it was lost again."""
        return self.lost + self.from_outside > 0

    @functools.cached_property
    def need(self) -> float:
        """The bytes that it needs."""
        return bytes_needed(self.cohort)

    def fits(self, memory: float) -> bool:
        """Whether it needs no more than so many bytes."""
        return math.isinf(memory) or self.need <= memory


@dataclass
class Assignment:
    """A worker at one piece of work, or at several as one."""

    worker: int
    pieces: list[Piece]
    cohort: Cohort
    since: float
    heard: float
    stopping: bool = False

    @property
    def ended(self) -> bool:
        """Whether all that it is at has ended elsewhere."""
        return all(piece.ended for piece in self.pieces)
