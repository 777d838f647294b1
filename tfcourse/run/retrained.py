"""``RUN/repeats.json``: what came of each retraining, kept as it ends, so that a resumed run repeats none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfcourse.files.shape import read_record
from tfcourse.files.writing import write_json
from tfcourse.run.results import RepeatsRecord


class Retrained:
    """The retrainings of a run by candidate and seed.

    Args:
        path: the file.
        schedule: what they depend on beside the setting and the seed; kept ones of another schedule do not count.
    """

    def __init__(self, path: Path, schedule: dict[str, Any]) -> None:
        self.path, self.schedule = path, schedule
        self.scores: dict[str, dict[str, float | None]] = {}
        if not path.exists():
            return
        kept = read_record(path, RepeatsRecord, "Remove it; the retrainings are done again.")
        if kept["schedule"] == schedule:
            self.scores = kept["scores"]

    def has(self, name: str, seed: int) -> bool:
        """Say whether a candidate was trained from a seed."""
        return str(seed) in self.scores.get(name, {})

    def keep(self, name: str, seed: int, score: float | None) -> None:
        """Keep the score of a candidate trained from a seed, None if it diverged."""
        self.scores.setdefault(name, {})[str(seed)] = score
        write_json(self.path, {"schedule": self.schedule, "scores": self.scores})

    def scores_of(self, name: str, seeds: list[int]) -> tuple[float | None, ...] | None:
        """Return a candidate's scores in the order of the seeds, None unless all are there."""
        if not all(self.has(name, seed) for seed in seeds):
            return None
        return tuple(self.scores[name][str(seed)] for seed in seeds)
