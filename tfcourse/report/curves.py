"""Learning curves small enough to send all of them along: rounded, and thinned where there are very many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tfcourse.run.trials import TrialRecord

METRICS = ("loss", "val_loss", "accuracy", "val_accuracy")
MOST_NUMBERS = 300_000
"""Numbers of all curves together; at about eight characters each they fill half of the page's 5 MB."""
LEAST_POINTS = 12


def kept_epochs(epochs: int, points: int, best: int | None) -> list[int]:
    """Return about ``points`` of the epochs 0...epochs-1, evenly spread: always the first, the last and the best.

    >>> kept_epochs(5, 10, 2), kept_epochs(101, 5, 60)
    ([0, 1, 2, 3, 4], [0, 25, 50, 60, 75, 100])
    """
    if epochs <= points:
        return list(range(epochs))
    kept = {round(step * (epochs - 1) / (points - 1)) for step in range(points)}
    return sorted(kept | ({best} if best is not None and 0 <= best < epochs else set()))


def curve_rows(ranked: Sequence[TrialRecord], most_numbers: int = MOST_NUMBERS) -> dict[str, dict[str, Any]]:
    """Return the curves by trial number, as many as fit: first thinned, then only those of the trials ranked first.

    Returns:
        for each trial ``best`` (epoch, from 1, or None), ``epochs`` (from 1, where thinned; else None) and one list for
        each of :data:`METRICS` that it has, None where a value is not finite.
    """
    trained = [trial for trial in ranked if trial.curves]
    if not trained:
        return {}
    points = max(LEAST_POINTS, most_numbers // (len(METRICS) * len(trained)))
    rows: dict[str, dict[str, Any]] = {}
    room = most_numbers
    for trial in trained:
        longest = max(len(curve) for curve in trial.curves.values())
        kept = kept_epochs(longest, points, trial.best_epoch)
        curves = {
            name: [_short(trial.curves[name][epoch]) for epoch in kept if epoch < len(trial.curves[name])]
            for name in METRICS
            if name in trial.curves
        }
        room -= sum(len(curve) for curve in curves.values())
        if room < 0:
            break
        rows[str(trial.number)] = {
            "best": None if trial.best_epoch is None else trial.best_epoch + 1,
            "epochs": [epoch + 1 for epoch in kept] if len(kept) < longest else None,
            **curves,
        }
    return rows


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
