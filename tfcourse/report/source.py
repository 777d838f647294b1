"""What a report is made of: a run folder as it is now, finished or not."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError
from tfcourse.files.shape import read_record
from tfcourse.run.folder import RunFolder, RunStatus
from tfcourse.run.results import Baseline
from tfcourse.run.trials import TrialRecord, leaders, read_trials
from tfcourse.space import Round
from tfcourse.space.objective import Objective


@dataclass(frozen=True)
class Run:
    """A run folder, read.

    Args:
        path: the folder.
        record: what ``run.json`` holds.
        result: what ``result.json`` holds; None while the search goes on.
        baseline: what ``baseline/baseline.json`` holds; None before it is trained.
        trials: by number.
        rounds: at least one.
    """

    path: Path
    record: dict[str, Any]
    result: dict[str, Any] | None
    baseline: dict[str, Any] | None
    trials: list[TrialRecord]
    rounds: list[Round]

    @property
    def objective(self) -> str:
        """What the trials are ranked by: ``val_loss`` or ``val_accuracy``."""
        return str(self.record["plan"]["objective"])

    @property
    def measure(self) -> Objective:
        """The same as a value, which knows what is better and how it is written."""
        return Objective(self.objective)

    @property
    def leaders(self) -> list[TrialRecord]:
        """The completed trials, the best first."""
        return leaders(self.trials, self.objective)

    @property
    def classes(self) -> list[str]:
        """The names of the classes."""
        return [str(name) for name in self.record["classes"]]

    @property
    def explanation(self) -> dict[str, Any] | None:
        """What the model goes by; None before the test, for arrays, and in runs of earlier versions."""
        return (self.result or {}).get("explanation")

    @property
    def verdict(self) -> dict[str, Any]:
        """The verdict's ``sentences`` and ``numbers``; empty where the run has none."""
        return {"sentences": [], "numbers": {}, **((self.result or {}).get("verdict") or {})}


def read_run(path: Path) -> Run:
    """Return what the run folder ``path`` holds now.

    Raises:
        UserError: if it is no run folder, is damaged, or has no completed trial to report on.
    """
    folder = RunFolder.open(path)
    rounds = folder.parse(_rounds)
    folder.parse(lambda record: record["plan"]["objective"])
    trials = read_trials(path, rounds[0].space)
    _check_trials(folder, trials)
    baseline = path / "baseline" / "baseline.json"
    finished = folder.record["status"] == RunStatus.COMPLETED and folder.result_path.exists()
    return Run(
        path,
        folder.record,
        folder.result() if finished else None,
        read_record(baseline, Baseline) if baseline.exists() else None,
        trials,
        rounds,
    )


def _rounds(record: dict[str, Any]) -> list[Round]:
    """Return the rounds that ``run.json`` names; one with the run's space where it names none."""
    named = record.get("rounds") or [{"space": record["space"]}]
    return [Round.from_json(each) for each in named]


def _check_trials(folder: RunFolder, trials: list[TrialRecord]) -> None:
    """Refuse to report on a run without a completed trial; the message says what to do."""
    path = folder.path
    if any(trial.status == "completed" for trial in trials):
        return
    ended = [trial for trial in trials if trial.status in ("diverged", "failed")]
    if not ended and folder.record["status"] == RunStatus.INTERRUPTED:
        raise UserError(
            f"The run in {str(path)!r} was interrupted before a trial had ended; go on with it:"
            f" python -m tfcourse.train --resume {shlex.quote(str(path))}"
        )
    if not ended:
        raise UserError(f"No trial of the run in {str(path)!r} has ended yet; ask for the report again in a while.")
    diverged = [trial for trial in ended if trial.status == "diverged"]
    if not diverged:
        reason = "".join(ended[0].message.strip().splitlines()[-1:])
        raise UserError(f"All {len(ended)} trials of {str(path)!r} failed, the first with: {reason}")
    rates = [float(trial.values["learning_rate"]) for trial in diverged if "learning_rate" in trial.values]
    advice = f", at learning rates of {min(rates):.3g} to {max(rates):.3g}" if rates else ""
    raise UserError(
        f"No trial of {str(path)!r} completed: {len(diverged)} of {len(ended)} diverged{advice}. Start a search with"
        " lower learning rates: give --space a file with [learning_rate] and a lower low and high."
    )
