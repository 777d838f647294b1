"""What each worker has done, and what was lost: for the progress line, the run's record and the report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from tfcourse.words import listed


@dataclass
class Worker:
    """What one worker has done.

    Args:
        host: its machine.
        kind: of its processor and its devices.
        cohorts: that it trained.
        seconds: that it took for them.
        rows: training examples that its members went through, each as often as they did.
        lost: why it is gone, in words; empty if it is not.
    """

    host: str = ""
    kind: str = ""
    cohorts: int = 0
    seconds: float = 0.0
    rows: int = 0
    lost: str = ""


@dataclass
class Tally:
    """What all workers have done.

    Args:
        workers: by number.
        repeated: cohorts that were trained again because they were lost.
        twice: cohorts that were also given to a second worker because the first was slow.
        given_up: cohorts that were lost too often.
    """

    workers: dict[int, Worker] = field(default_factory=dict)
    repeated: int = 0
    twice: int = 0
    given_up: int = 0

    @property
    def lost(self) -> int:
        """How many workers were lost."""
        return sum(bool(worker.lost) for worker in self.workers.values())

    @property
    def kinds(self) -> list[str]:
        """The kinds of machines."""
        return sorted({worker.kind for worker in self.workers.values() if worker.cohorts})

    def in_words(self) -> str:
        """Return what was done, as a line for people.

        >>> tally = Tally({0: Worker(cohorts=3, seconds=2.0, rows=5000), 1: Worker(cohorts=1, lost="killed")}, 1)
        >>> tally.in_words()
        '4 cohorts on 2 workers, 2,500 rows a second each; 1 worker lost, 1 cohort repeated'
        """
        cohorts, seconds = (sum(getattr(w, name) for w in self.workers.values()) for name in ("cohorts", "seconds"))
        at_work = sum(worker.cohorts > 0 for worker in self.workers.values())
        rows = sum(worker.rows for worker in self.workers.values())
        speed = f", {rows / seconds:,.0f} rows a second each" if seconds else ""
        counts = [
            f"{_count(self.lost, 'worker')} lost" * bool(self.lost),
            f"{_count(self.repeated, 'cohort')} repeated" * bool(self.repeated),
            f"{self.twice} trained twice because a worker was slow" * bool(self.twice),
            f"{self.given_up} given up" * bool(self.given_up),
        ]
        said = ", ".join(filter(None, counts))
        kinds = self.kinds
        differ = f"; on {listed(kinds)}, whose last digits differ" if len(kinds) > 1 else ""
        return f"{_count(cohorts, 'cohort')} on {_count(at_work, 'worker')}{speed}{'; ' * bool(said)}{said}{differ}"

    def in_short(self) -> str:
        """Return what a line of progress says of the workers.

        >>> Tally({0: Worker(cohorts=3), 1: Worker(lost="killed")}, repeated=1).in_short()
        '1 worker, 1 lost, 1 cohort repeated'
        """
        there = _count(len(self.workers) - self.lost, "worker")
        lost = f", {self.lost} lost" * bool(self.lost)
        repeated = f", {_count(self.repeated, 'cohort')} repeated" * bool(self.repeated)
        return f"{there}{lost}{repeated}"

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Tally:
        """Return what a run's record holds."""
        workers = dict(enumerate(Worker(**worker) for worker in record["workers"]))
        return cls(workers, record["repeated"], record["twice"], record["given_up"])

    def to_json(self) -> dict[str, Any]:
        """Return it as the run's record holds it."""
        workers = [{**asdict(worker), "seconds": round(worker.seconds, 3)} for worker in self.workers.values()]
        counts = {"repeated": self.repeated, "twice": self.twice, "given_up": self.given_up}
        return {"workers": workers, **counts}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
