"""The search as rows for charts: axis plots with zoom boxes, isolation, best so far. Pure functions, no I/O."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tfcourse.report.axes import Axis, axis_over, place_on
from tfcourse.run.trials import TrialRecord
from tfcourse.space import Parameter, Round, Value

BUCKETS = 10
GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of the golden ratio, less their whole parts, lie evenly: points of one category are moved apart by them."""


def lower_is_better(objective: str) -> bool:
    """Say whether the best trial is the lowest; losses are, accuracies are not."""
    return "accuracy" not in objective


def searched(rounds: Sequence[Round]) -> list[Parameter]:
    """Return the hyperparameters that any round leaves open, as the first round has them."""
    open_names = {p.name for each in rounds for p in each.space if p.scale != "choice" or len(p.values) > 1}
    return [parameter for parameter in rounds[0].space if parameter.name in open_names]


def most_shown(trials: Sequence[TrialRecord], objective: str, classes: int) -> float:
    """Return the score up to which the objective's axis reaches: a loss of twice that of guessing, 2 ln C.

    A trial that nearly diverged can have a loss of 1e9, beside which no difference between the others is seen. Where
    all trials are worse than that, and for accuracies, the worst score is shown.
    """
    scores = [trial.score for trial in trials if trial.score is not None and math.isfinite(trial.score)]
    limit = 2 * math.log(classes)
    return limit if lower_is_better(objective) and min(scores) < limit < max(scores) else max(scores)


def score_axis(trials: Sequence[TrialRecord], objective: str, most: float = math.inf) -> Axis:
    """Return the axis of the objective over the completed trials, up to ``most``: log for a loss, else linear."""
    scores = [min(most, trial.score) for trial in trials if trial.score is not None and math.isfinite(trial.score)]
    if lower_is_better(objective):
        return axis_over("log", scores)
    return axis_over("linear", scores, percent=True)


def beyond(axis: Axis, objective: str) -> float:
    """Return the position, just past the worst end of the objective's axis, where diverged trials are drawn."""
    room = 0.08 * (axis.high - axis.low)
    return axis.high + room if lower_is_better(objective) else axis.low - room


def parameter_axis(parameter: Parameter, rounds: Sequence[Round], trials: Sequence[TrialRecord]) -> dict[str, Any]:
    """Return one hyperparameter's axis, the place of every trial on it, and the zoom box of every later round.

    Returns:
        ``name``, ``scale``, ``low``, ``high``, ``ticks``; ``x`` and ``values``, one entry a trial, None where the
        hyperparameter plays no part; ``boxes``, one ``[round, low, high]`` for each round that searched another range
        than the one before it.
    """
    versions = [each.space[parameter.name] for each in rounds]
    tried = [trial.values.get(parameter.name) for trial in trials]
    present = [value for value in tried if value is not None]
    categories: list[Value] = []
    if parameter.scale == "choice":
        categories = list(dict.fromkeys([*(value for each in versions for value in each.values), *present]))
    ends = [end for each in versions for end in _ends(each)]
    axis = axis_over(parameter.scale, [*ends, *present] if not categories else [], categories)
    x = [
        None if value is None else _moved_apart(place_on(axis.scale, value, categories), axis.scale, trial.number)
        for trial, value in zip(trials, tried, strict=True)
    ]
    return {
        "name": parameter.name,
        "scale": axis.scale,
        "low": _short(axis.low),
        "high": _short(axis.high),
        "ticks": [[_short(place), text] for place, text in axis.ticks],
        "x": [None if place is None else _short(place) for place in x],
        "values": [_short(value) if isinstance(value, float) else value for value in tried],
        "boxes": _boxes(versions, axis.scale, categories),
    }


def _ends(parameter: Parameter) -> list[Value]:
    return list(parameter.values) if parameter.scale == "choice" else [parameter.low, parameter.high]


def _boxes(versions: Sequence[Parameter], scale: str, categories: Sequence[Value]) -> list[list[float]]:
    """Return ``[round, low, high]`` in positions for the rounds whose range is another than the round's before."""
    boxes: list[list[float]] = []
    for number in range(1, len(versions)):
        before, now = versions[number - 1], versions[number]
        if _ends(before) != _ends(now):
            places = [place_on(scale, end, categories) for end in _ends(now)]
            half = 0.45 if scale == "choice" else 0.5 if scale == "integer" else 0.0
            boxes.append([number, _short(min(places) - half), _short(max(places) + half)])
    return boxes


def _moved_apart(place: float, scale: str, number: int) -> float:
    """Return the place of a trial, moved within its cell where many trials share one place."""
    width = {"choice": 0.6, "integer": 0.6}.get(scale, 0.0)
    return place + width * ((number * GOLDEN) % 1.0 - 0.5)


def isolation(
    x: Sequence[float | None], scores: Sequence[float | None], axis: dict[str, Any], objective: str
) -> list[dict[str, Any]]:
    """Return the best score in each bucket of an axis: what the hyperparameter can do when all others are well chosen.

    Args:
        x: one position a trial, None where it is not on the axis.
        scores: one score a trial, None where it did not complete.
        axis: from :func:`parameter_axis`.
        objective: what the scores are.

    Returns:
        for each bucket that holds a completed trial ``low``, ``high``, ``best``, ``trial`` (its index) and ``count``.

    >>> axis = {"low": 0.0, "high": 10.0, "scale": "linear", "ticks": []}
    >>> rows = isolation([0.5, 0.7, 9.5, None], [3.0, 2.0, 1.0, 0.0], axis, "val_loss")
    >>> [(row["low"], row["best"], row["trial"], row["count"]) for row in rows]
    [(0.0, 2.0, 1, 2), (9.0, 1.0, 2, 1)]
    """
    sign = 1.0 if lower_is_better(objective) else -1.0
    low, high = axis["low"], axis["high"]
    edges = _bucket_edges(low, high, axis["scale"])
    found: dict[int, list[int]] = {}
    for index, (place, score) in enumerate(zip(x, scores, strict=True)):
        if place is not None and score is not None:
            bucket = max(0, sum(edge <= place for edge in edges) - 1)
            found.setdefault(min(bucket, len(edges) - 2), []).append(index)
    rows = []
    for bucket in sorted(found):
        best = min(found[bucket], key=lambda index: sign * float(scores[index] or 0.0))
        rows.append(
            {
                "low": _short(edges[bucket]),
                "high": _short(edges[bucket + 1]),
                "best": scores[best],
                "trial": best,
                "count": len(found[bucket]),
            }
        )
    return rows


def _bucket_edges(low: float, high: float, scale: str) -> list[float]:
    """Return the edges of the buckets: one a category, one a few whole numbers, else tenths of the axis."""
    if scale == "choice":
        return [low + step for step in range(round(high - low) + 1)]
    if scale == "integer" and high - low <= BUCKETS:
        first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
        return [whole - 0.5 for whole in range(first, last + 2)]
    return [low + (high - low) * step / BUCKETS for step in range(BUCKETS + 1)]


def best_so_far(trials: Sequence[TrialRecord], objective: str) -> list[dict[str, Any]]:
    """Return the trials in the order in which they ended, each with the best score until then.

    Trials that diverged or failed count too: they cost time.

    Returns:
        ``trial``, ``seconds`` (None if not known), ``score`` (None if it did not complete) and ``best`` (None before
        the first completed trial).
    """
    sign = 1.0 if lower_is_better(objective) else -1.0
    ended = [trial for trial in trials if trial.status != "running"]
    ended.sort(key=lambda trial: (math.inf if trial.ended_at is None else trial.ended_at, trial.number))
    best: float | None = None
    rows = []
    for trial in ended:
        if trial.score is not None and (best is None or sign * trial.score < sign * best):
            best = trial.score
        seconds = None if trial.ended_at is None else round(trial.ended_at, 2)
        rows.append({"trial": trial.number, "seconds": seconds, "score": trial.score, "best": best})
    return rows


def _short(value: float) -> float:
    """Return the number with six significant digits: more cannot be seen, and the page stays small."""
    return float(f"{value:.6g}")
