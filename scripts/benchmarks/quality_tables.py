"""The tables that ``quality.py`` prints: each measurement's mean over splits, mean ranks, and who beats whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import friedmanchisquare, rankdata, studentized_range

Losses = NDArray[np.float64]


def losses_of(results: Sequence[dict[str, Any]], tables: Sequence[str], ways: Sequence[str], name: str) -> Losses:
    """Return the mean over the splits of a measure, shape (tables, ways); NaN where a split lacks that others have."""
    found = np.full((len(tables), len(ways)), np.nan)
    for row, table in enumerate(tables):
        seeds = {each["seed"] for each in results if each["table"] == table and each["way"] in ways}
        for column, way in enumerate(ways):
            values = [each[name] for each in results if (each["table"], each["way"]) == (table, way)]
            if seeds and len(values) == len(seeds):
                found[row, column] = np.mean(values)
    return found


def mean_ranks(losses: Losses) -> Losses:
    """Return the mean rank of each way over the tables, 1 the lowest loss.

    >>> mean_ranks(np.array([[0.1, 0.2, 0.2], [0.3, 0.1, 0.2]])).tolist()
    [2.0, 1.75, 2.25]
    """
    return np.asarray(rankdata(losses, axis=1).mean(axis=0))


def whole(losses: Losses) -> Losses:
    """Return the rows of the tables on which every way was measured."""
    return losses[~np.isnan(losses).any(axis=1)]


def with_interval(losses: Losses, way: int, draws: int = 2000) -> tuple[float, float, float]:
    """Return a way's mean rank, and its 95 % interval over tables drawn again (percentiles of a bootstrap).

    >>> with_interval(np.array([[0.1, 0.2], [0.1, 0.2]]), 0)
    (1.0, 1.0, 1.0)
    """
    ranks = rankdata(losses, axis=1)[:, way]
    drawn = np.random.default_rng(0).choice(ranks, (draws, len(ranks))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(ranks.mean()), float(low), float(high)


def critical_difference(ways: int, tables: int) -> float:
    """Return by how much mean ranks differ beyond chance (Nemenyi, 5 %; Demšar 2006).

    >>> round(critical_difference(4, 30), 2)
    0.86
    """
    return float(studentized_range.ppf(0.95, ways, np.inf) / np.sqrt(2) * np.sqrt(ways * (ways + 1) / (6 * tables)))


def show(console: Console, results: Sequence[dict[str, Any]], tables: Sequence[str], ways: Sequence[str]) -> None:
    """Print log-loss, accuracy and seconds a table, then ranks and wins over the tables that every way has."""
    ways = [way for way in ways if any(each["way"] == way for each in results)]
    tables = [table for table in tables if any(each["table"] == table for each in results)]
    losses, accuracy, seconds = (losses_of(results, tables, ways, name) for name in ("log_loss", "accuracy", "seconds"))
    page = Table("table", *ways, title="test log-loss, accuracy, seconds; means over splits")
    for row, name in enumerate(tables):
        cells = [
            "–" if np.isnan(losses[row, way])
            else f"{losses[row, way]:.4f} {accuracy[row, way]:.1%} {seconds[row, way]:.0f} s"
            for way in range(len(ways))
        ]  # fmt: skip
        page.add_row(name, *cells)
    console.print(page)
    losses = whole(losses)
    if len(losses) < 2 or len(ways) < 2:
        return
    chance = f", Friedman p = {friedmanchisquare(*losses.T).pvalue:.2g}" if len(ways) > 2 else ""
    width = critical_difference(len(ways), len(losses))
    page = Table(
        "way", "mean rank", "95 % interval", *(f"beats {way}" for way in ways),
        title=f"By log-loss on {len(losses)} tables; ranks further apart than {width:.2f} differ beyond chance{chance}",
    )  # fmt: skip
    for index in np.argsort(mean_ranks(losses), kind="stable"):
        wins = [
            "" if other == index else f"{(losses[:, index] < losses[:, other]).sum()}" for other in range(len(ways))
        ]
        rank, low, high = with_interval(losses, index)
        page.add_row(ways[index], f"{rank:.2f}", f"{low:.2f} to {high:.2f}", *wins)
    console.print(page)
