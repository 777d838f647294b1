"""A look at a table as one self-contained page: how each column is read, with a small histogram."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcourse.data.looking import LookedAt
from tfcourse.report.plain_page import BLUE, GREY, fill

BINS, MOST_BARS = 24, 12
WIDTH, HEIGHT = 180, 36
MOST_COLUMNS = 500


def page(name: str, columns: Sequence[LookedAt], notes: Sequence[str]) -> str:
    """Return the page of a table's columns, those that look odd first."""
    ordered = sorted(columns, key=lambda each: (not each.refused, not each.odd, each.column is not None))
    return fill(
        "look.html",
        name=name,
        count=len(columns),
        notes=notes,
        columns=[_row(each) for each in ordered[:MOST_COLUMNS]],
        more=max(0, len(ordered) - MOST_COLUMNS),
        width=WIDTH,
        height=HEIGHT,
    )


def _row(each: LookedAt) -> dict[str, Any]:
    counts, colour = _counts(each)
    return {
        "mark": "✗" if each.refused else "!" if each.odd else "–" if each.column is None else "",
        "name": each.name,
        "lines": [each.line, *each.odd],
        "missing": f"{each.missing:.1%}" if each.missing else "",
        "bars": bars(counts),
        "colour": colour,
    }


def _counts(each: LookedAt) -> tuple[list[int], str]:
    """Return the values of a column by bins of equal widths, or those of its most frequent texts, and their colour."""
    values = each.values
    if values is None or not len(values):
        return [], GREY
    if values.dtype == object:
        return [n for _, n in Counter(value for value in values.tolist() if value).most_common(MOST_BARS)], GREY
    present = values[~np.isnan(values)]
    return (np.histogram(present, bins=BINS)[0].tolist() if len(present) else []), BLUE


def bars(counts: Sequence[int]) -> list[tuple[str, ...]]:
    """Return bars as rectangles: x, y, width and height of each, as SVG has them.

    >>> bars([2, 1])
    [('0.0', '0.0', '76.5', '36.0'), ('90.0', '18.0', '76.5', '18.0')]
    """
    if not counts:
        return []
    step, most = WIDTH / len(counts), max(counts)
    boxes = (
        (index * step, HEIGHT - count / most * HEIGHT, step * 0.85, count / most * HEIGHT)
        for index, count in enumerate(counts)
    )
    return [tuple(f"{number:.1f}" for number in box) for box in boxes]
