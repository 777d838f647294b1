"""The trials of a run as a table, one row a trial, for whatever tool somebody plots with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse.files.writing import write_text
from tfcourse.run.trials import TrialRecord
from tfcourse.space import SearchSpace

if TYPE_CHECKING:
    import pandas as pd

NAME = "trials.csv"
AT_BEST = ("loss", "accuracy", "val_loss", "val_accuracy")


def trials_table(trials: Sequence[TrialRecord], space: SearchSpace) -> pd.DataFrame:
    """Return a data frame with a row a trial, by number.

    Its columns are ``trial``, ``status``, ``round``, ``given`` (``own`` or ``portfolio`` where the setting was not
    drawn), ``epochs`` (trained), ``best_epoch`` (from 1), ``ended_at`` (seconds of searching), ``score`` (the
    objective), the four curves at the best epoch, the hyperparameters as ``hp_NAME`` (empty where they play no part),
    and ``message``.

    >>> from tfcourse.space.course import default_space
    >>> trial = TrialRecord(0, "diverged", {"learning_rate": 1.0}, message="loss is nan")
    >>> table = trials_table([trial], default_space())
    >>> table["status"].tolist(), table["hp_learning_rate"].tolist(), table["message"].tolist()
    (['diverged'], [1.0], ['loss is nan'])
    """
    import pandas as pd

    return pd.DataFrame([_row(trial, space) for trial in trials])


def write_trials(path: Path, trials: Sequence[TrialRecord], space: SearchSpace) -> None:
    """Write :func:`trials_table` as CSV, atomically."""
    write_text(path, trials_table(trials, space).to_csv(index=False, lineterminator="\n"))


def _row(trial: TrialRecord, space: SearchSpace) -> dict[str, Any]:
    best = trial.best_epoch
    return {
        "trial": trial.number,
        "status": trial.status,
        "round": trial.round + 1,
        "given": trial.given,
        "epochs": trial.epochs,
        "best_epoch": None if best is None else best + 1,
        "ended_at": trial.ended_at,
        "score": trial.score,
        **{name: None if best is None or name not in trial.curves else trial.curves[name][best] for name in AT_BEST},
        **{f"hp_{parameter.name}": trial.values.get(parameter.name) for parameter in space},
        "message": trial.message,
    }
