"""What the driver sees of workers, whichever they are: it hands out a piece of work, and hears what becomes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from tfcourse.cohort.work import Cohort, Shared, Trained


@dataclass(frozen=True)
class Ready:
    """A worker has started.

    Args:
        worker: its number; every worker has one of its own, also one that comes in the place of another.
        host: the machine that it is on.
        kind: of its processor and its devices.
        memory: bytes that it has.
        places: members that it trains at a time where there are so many; 0 for a cohort as it is planned.
    """

    worker: int
    host: str = ""
    kind: str = ""
    memory: float = math.inf
    places: int = 0


@dataclass(frozen=True)
class Beat:
    """A worker is at it: the epochs that members have reached, by position."""

    worker: int
    task: int
    news: Mapping[int, int]


@dataclass(frozen=True)
class Done:
    """A worker has trained a piece of work."""

    worker: int
    task: int
    found: list[Trained]


@dataclass(frozen=True)
class Stopped:
    """A worker has put down a piece of work, as it was told to."""

    worker: int
    task: int


@dataclass(frozen=True)
class Lost:
    """A worker is gone, and what it was at; another starts in its place.

    Args:
        worker: its number.
        why: in words.
        from_outside: whether somebody ended it, so that it says nothing against what it was at.
    """

    worker: int
    why: str
    from_outside: bool = False


Event: TypeAlias = Ready | Beat | Done | Stopped | Lost


class Workers(Protocol):
    """Workers of one kind."""

    @property
    def size(self) -> int:
        """How many there are, starting ones included."""

    @property
    def beside(self) -> int:
        """How many of them are on one machine, at most."""

    def hand(self, worker: int, task: int, cohort: Cohort, data: Shared) -> None:
        """Give a worker something to do, and the data for it unless it has them; does not wait."""

    def stop(self, worker: int, task: int) -> None:
        """Tell a worker to put down what it is at; does not wait."""

    def end(self, worker: int, why: str) -> None:
        """End a worker by force and start another; it is told as lost."""

    def events(self, seconds: float) -> list[Event]:
        """Return what has happened, after so many seconds at most."""

    def close(self) -> None:
        """End all workers; none is left when it returns."""
