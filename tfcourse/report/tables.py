"""The tables of a run's page: leading trials, settings trained again, and what the test split says of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfcourse.report import words
from tfcourse.report.classes import most_confused, per_class, shaded
from tfcourse.report.source import Run
from tfcourse.space import Value

LEADERS_SHOWN = 10
MOST_CLASSES_IN_TABLE = 30
MOST_CLASSES_BESIDE = 12
"""Up to so many classes the confusion matrix and the measures of each class stand side by side."""
MOST_CLASSES_WIDE = 20
"""Confusion matrices of more classes are set smaller, to fit a screen."""
LONGEST_UPRIGHT = 4
"""Class names above a confusion matrix are turned where one is longer than this."""
UNITS = "units_"


def leader_table(run: Run, names: Sequence[str]) -> dict[str, Any]:
    """Return the leading trials and, if it is trained, softmax regression below them.

    The units of all layers share a column, and a hyperparameter that no leader has gets none: the table stays narrow
    enough to be read whole.

    Args:
        run: the run.
        names: hyperparameters that are searched, in order.

    Returns:
        ``columns``, the heads of the hyperparameters' columns, and ``rows``, each with ``name``, ``score``, ``epoch``
        and ``cells`` in words, and ``other``, whether it is no trial.
    """
    shown = run.leaders[:LEADERS_SHOWN]
    had = [name for name in names if any(name in trial.values for trial in shown)]
    columns = list(dict.fromkeys("units" if name.startswith(UNITS) else name for name in had))
    rows = [
        {
            "name": f"{trial.number} ({trial.given})" if trial.given else str(trial.number),
            "score": words.score_text(trial.score, run.objective),
            "epoch": (trial.best_epoch or 0) + 1,
            "cells": [_cell(column, trial.values, had) for column in columns],
            "other": False,
        }
        for trial in shown
    ]
    if run.baseline:
        score = run.baseline["validation"][run.measure.metric]
        values = run.baseline["hyperparameters"]
        rows.append(
            {
                "name": "softmax regression",
                "score": words.score_text(score, run.objective),
                "epoch": run.baseline["epoch"],
                "cells": [_cell(column, values, had) for column in columns],
                "other": True,
            }
        )
    return {"columns": columns, "rows": rows}


def _cell(column: str, values: Mapping[str, Value], names: Sequence[str]) -> str:
    """Return what stands in a column: a value, or the units of the layers that there are."""
    if column != "units":
        return words.number(values.get(column))
    units = [words.number(values[name]) for name in names if name.startswith(UNITS) and name in values]
    return " · ".join(units) or "–"


def candidate_rows(run: Run) -> list[dict[str, Any]]:
    """Return the settings that were trained again, their scores in words."""

    def said(score: float | None) -> str:
        return "diverged" if score is None else words.score_text(score, run.objective)

    return [
        {
            "name": candidate["name"],
            "parameters": f"{candidate['parameters']:,}" if "parameters" in candidate else "–",
            "mean": words.score_text(candidate["mean"], run.objective),
            "sd": words.score_text(candidate["sd"], run.objective),
            "scores": [said(score) for score in candidate["scores"]],
        }
        for candidate in (run.verdict["numbers"].get("winner") or {}).get("candidates", [])
    ]


def class_tables(run: Run) -> dict[str, Any] | None:
    """Return the confusion matrix, the most frequent mistakes and the measures of each class; None before the test."""
    if run.result is None:
        return None
    confusion = run.result["test"]["confusion"]
    small = len(run.classes) <= MOST_CLASSES_IN_TABLE
    return {
        "confusion": shaded(confusion) if small else None,
        "turned": max(map(len, run.classes)) > LONGEST_UPRIGHT,
        "beside": len(run.classes) <= MOST_CLASSES_BESIDE,
        "dense": len(run.classes) > MOST_CLASSES_WIDE,
        "mistakes": most_confused(confusion, run.classes),
        "rows": per_class(confusion, run.classes),
    }


def confusion_cells(run: Run) -> dict[str, Any] | None:
    """Return the confusion matrix for a chart where it has too many classes for a table."""
    if run.result is None or len(run.classes) <= MOST_CLASSES_IN_TABLE:
        return None
    return {"classes": run.classes, "counts": run.result["test"]["confusion"]}
