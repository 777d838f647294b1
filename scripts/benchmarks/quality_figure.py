"""The figure of ``quality.py``: each table's log-losses beside the default's, and mean ranks with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from quality_tables import Losses, losses_of, mean_ranks, whole, with_interval

LEAST = 1e-4
"""Smaller log-losses are drawn as this: of what is nearly nothing a ratio says nothing."""


def ratios(losses: Losses, of: int) -> Losses:
    """Return log-losses over those of one way, shape (tables, ways).

    >>> ratios(np.array([[0.1, 0.2], [0.0, 0.001]]), 0).round(1).tolist()
    [[1.0, 2.0], [1.0, 10.0]]
    """
    bounded = np.maximum(losses, LEAST)
    return np.asarray(bounded / bounded[:, [of]])


def draw(path: Path, results: Sequence[dict[str, Any]], tables: Sequence[str], ways: Sequence[str]) -> None:
    """Write the figure as an image.

    Args:
        path: of the image; its suffix says of what kind.
        results: the measurements.
        tables: those drawn, from the top.
        ways: those drawn; the first is what others are measured by. Only tables that all have count in the ranks.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    losses = losses_of(results, tables, ways, "log_loss")
    figure = Figure(figsize=(10, 0.32 * len(tables) + 1.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    places = np.arange(len(tables))[::-1]
    colours = [f"C{number}" for number in range(len(ways))]
    left.axvline(1, color=colours[0], linewidth=1.5)
    for way, name in list(enumerate(ways))[1:]:
        left.scatter(ratios(losses, 0)[:, way], places, s=26, color=colours[way], label=name, alpha=0.85)
    left.set(xscale="log", yticks=places, yticklabels=list(tables), title=f"Test log-loss over that of {ways[0]}")
    left.set_xlabel(f"right of the line: worse than {ways[0]}")
    left.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g} ×"))
    left.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=len(ways), fontsize=8, frameon=False)
    ranked = whole(losses)
    order = np.argsort(mean_ranks(ranked))[::-1] if len(ranked) else np.arange(0)
    for place, way in enumerate(order):
        rank, low, high = with_interval(ranked, way)
        right.plot([low, high], [place, place], color=colours[way], linewidth=3, alpha=0.5)
        right.plot(rank, place, "o", color=colours[way])
    right.set(yticks=range(len(order)), yticklabels=[ways[way] for way in order])
    right.set_title(f"Mean rank on {len(ranked)} tables, 95 % intervals")
    right.set_xlabel("1 is best")
    right.grid(alpha=0.25)
    figure.savefig(path, dpi=110)
