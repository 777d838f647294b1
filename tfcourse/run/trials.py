"""The trials of a run as plain records, read from its files: no KerasTuner, no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError
from tfcourse.files.trial_file import read_trial_file
from tfcourse.space import SearchSpace, Value
from tfcourse.space.names import has_diverged, values_from_hp
from tfcourse.space.objective import Objective


@dataclass(frozen=True)
class TrialRecord:
    """One trial: its setting, what came of it, and when.

    Args:
        number: which trial, from 0.
        status: ``completed``, ``diverged``, ``failed`` or ``running``.
        values: the active hyperparameters under the space's own names.
        curves: ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``: one value an epoch.
        score: the objective's value at the best epoch; None unless completed.
        best_epoch: the best epoch, from 0; None unless completed.
        round: the round that drew it, from 0.
        ended_at: seconds of searching after which it had ended; None if that is not known.
        message: why it diverged or failed.
        repeats: the objective of each repeat, where every trial is trained from several seeds.
        halved_at: the epochs after which it was ended because others of its round did better; None if it was not.
        given: ``own`` or ``portfolio`` if its setting was given by the user or the portfolio; empty if it was drawn.
    """

    number: int
    status: str
    values: dict[str, Value]
    curves: dict[str, list[float]] = field(default_factory=dict)
    score: float | None = None
    best_epoch: int | None = None
    round: int = 0
    ended_at: float | None = None
    message: str = ""
    repeats: tuple[float, ...] = ()
    halved_at: int | None = None
    given: str = ""

    @property
    def epochs(self) -> int:
        """How many epochs it trained."""
        return len(self.curves.get("val_loss", ()))


def read_trials(run: Path, space: SearchSpace) -> list[TrialRecord]:
    """Return the trials of the run folder ``run`` by number; only hyperparameters that are active are in ``values``.

    Raises:
        UserError: if a trial's file is damaged.
    """
    records = []
    for path in (run / "search").glob("trial_*/trial.json"):
        try:
            records.append(_record(read_trial_file(path), space))
        except UserError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{str(path)!r} is damaged ({error!r}). Restore it from a copy, or remove it.") from None
    return sorted(records, key=lambda record: record.number)


def leaders(trials: list[TrialRecord], objective: str) -> list[TrialRecord]:
    """Return the completed trials, the best by ``objective`` first; accuracies are better high, losses low."""
    sign = Objective(objective).sign
    done = [trial for trial in trials if trial.status == "completed" and trial.score is not None]
    return sorted(done, key=lambda trial: (sign * (trial.score or 0.0), trial.number))


def _record(state: Mapping[str, Any], space: SearchSpace) -> TrialRecord:
    given = values_from_hp(state["hyperparameters"]["values"])
    values: dict[str, Value] = {}
    for parameter in space:
        if parameter.active(values) and parameter.name in given:
            values[parameter.name] = given[parameter.name]
    message = str(state.get("message") or "")
    status = {"COMPLETED": "completed", "FAILED": "failed", "INVALID": "failed"}.get(state["status"], "running")
    own = state.get("tfcourse", {})
    if status == "failed" and has_diverged(own, message):
        status = "diverged"
    completed = status == "completed"
    return TrialRecord(
        int(state["trial_id"]),
        status,
        values,
        {
            name: [float(point["value"][0]) for point in metric["observations"]]
            for name, metric in state["metrics"]["metrics"].items()
        },
        float(state["score"]) if completed else None,
        int(state["best_step"]) if completed else None,
        int(own.get("round", 0)),
        own.get("ended_at"),
        message,
        tuple(own.get("repeats", ())),
        own.get("halved_at"),
        own.get("given", ""),
    )
