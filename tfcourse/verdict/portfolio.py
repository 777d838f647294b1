"""What the settings of the portfolio were worth here: is the best trial one of them, and how far ahead or behind?

They are compared by their scores, as all leading trials are, so that a lead within the spread of the seeds is luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfcourse.run.trials import TrialRecord
from tfcourse.space.names import PORTFOLIO
from tfcourse.space.objective import Objective
from tfcourse.verdict.sentence import Finding, Sentence


def judge_portfolio(trials: Sequence[TrialRecord], ranked: Sequence[TrialRecord], objective: str) -> Finding:
    """Say whether the best trial is a setting of the portfolio; nothing where none of these was tried.

    Args:
        trials: all trials.
        ranked: the completed ones, the best first.
        objective: ``val_loss`` or ``val_accuracy``.
    """
    tried = [trial.number for trial in trials if trial.given == PORTFOLIO]
    best = next((trial for trial in ranked if trial.given == PORTFOLIO), None)
    other = next((trial for trial in ranked if trial.given != PORTFOLIO), None)
    numbers: dict[str, Any] = {"trials": tried, "best": None if best is None else best.number, "behind": None}
    if not tried or not ranked:
        return Finding([], numbers)
    settings = "the setting that was" if len(tried) == 1 else f"the {len(tried)} settings that were"
    if best is None:
        text = f"No trial of {settings} good on many tables completed here."
    elif other is None:
        text = f"Only {settings} good on many tables completed here; trial {best.number} is the best of them."
    else:
        measure = Objective(objective)
        numbers["behind"] = measure.sign * (float(best.score or 0.0) - float(other.score or 0.0))
        gap = measure.gap_said(abs(numbers["behind"]))
        if ranked[0] is best:
            text = (
                f"The best trial, {best.number}, is of {settings} good on many tables; the best other is {gap} worse."
            )
        else:
            text = (
                f"Of {settings} good on many tables the best, trial {best.number}, is {gap} worse than the best trial."
            )
    return Finding([Sentence("portfolio", "note", text)], numbers)
