"""The verdict's numbers as rows for charts; none where a run has no verdict, or an older one without these numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfcourse.report.words import label
from tfcourse.run.measure import accuracy_interval


def importance_rows(numbers: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the importance of each hyperparameter with its interval, the most important first.

    >>> importance_rows({"hyperparameters": {"units_1": {"mean": 0.1, "low": 0.0, "high": 0.2}}})[0]["label"]
    'units 1'
    """
    keys = ("mean", "low", "high")
    rows = [
        {"name": name, "label": label(name), **{key: float(entry[key]) for key in keys}}
        for name, entry in ((numbers or {}).get("hyperparameters") or {}).items()
        if isinstance(entry, Mapping) and all(isinstance(entry.get(key), (int, float)) for key in keys)
    ]
    return sorted(rows, key=lambda row: -row["mean"])


def enough_rows(numbers: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the expected best of k trials, with its band, one row for each k.

    >>> enough_rows({"k": [1, 2], "expected": [0.5, 0.3], "low": [0.2, 0.2], "high": [0.9, 0.6]})["rows"][1]
    {'k': 2, 'expected': 0.3, 'low': 0.2, 'high': 0.6}
    """
    keys = ("k", "expected", "low", "high")
    if not numbers or any(not isinstance(numbers.get(key), list) or not numbers[key] for key in keys):
        return None
    return {"rows": [dict(zip(keys, row, strict=True)) for row in zip(*(numbers[key] for key in keys), strict=True)]}


def reliability_rows(numbers: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the reliability diagram of the test split, before and after temperature scaling; empty bins are left out.

    Each bin's accuracy has its 95 % interval (Wilson's), ``low`` to ``high``: few rows say little.

    >>> bins = {"count": [0, 4], "confidence": [None, 0.9], "accuracy": [None, 0.75]}
    >>> (row,) = reliability_rows({"test": {"before": {"bins": bins}}})[0]["bins"]
    >>> row["count"], row["confidence"], row["accuracy"], round(row["low"], 2), round(row["high"], 2)
    (4, 0.9, 0.75, 0.3, 0.95)
    """
    split = (numbers or {}).get("test") or {}
    keys = ("count", "confidence", "accuracy")
    sets = []
    for when, name in (("before", "as trained"), ("after", "with the temperature")):
        bins = (split.get(when) or {}).get("bins") or {}
        rows = [dict(zip(keys, row, strict=True)) for row in zip(*(bins.get(key, ()) for key in keys), strict=True)]
        kept = [{**row, **_interval(row["accuracy"], row["count"])} for row in rows if row["count"]]
        if kept:
            sets.append({"label": name, "bins": kept})
    return sets


def _interval(accuracy: float, count: int) -> dict[str, float]:
    low, high = accuracy_interval(round(accuracy * count), count)
    return {"low": low, "high": high}
