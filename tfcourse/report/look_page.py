"""A look at a table as one self-contained page: how each column is read, with a small histogram."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tfcourse.data.looking import LookedAt
from tfcourse.report.plain_page import BLUE, GREY, document, text

BINS, MOST_BARS = 24, 12
WIDTH, HEIGHT = 180, 36
MOST_COLUMNS = 500


def page(name: str, columns: Sequence[LookedAt], notes: Sequence[str]) -> str:
    """Return the page of a table's columns, those that look odd first."""
    ordered = sorted(columns, key=lambda each: (not each.refused, not each.odd, each.column is not None))
    rows = "".join(_row(each) for each in ordered[:MOST_COLUMNS])
    more = f"<p>and {len(ordered) - MOST_COLUMNS} more columns</p>" if len(ordered) > MOST_COLUMNS else ""
    told = "".join(f"<li>{text(note)}</li>" for note in notes)
    head = "<tr><th></th><th>column</th><th>how it is read</th><th class='number'>missing</th><th>values</th></tr>"
    body = (
        f"<h1>{text(name)}</h1><p class='soft'>{len(columns)} columns, those to look at first</p><ul>{told}</ul>"
        f"<div class='wide'><table>{head}{rows}</table></div>{more}"
    )
    return document(f"How {name} is read", body)


def _row(each: LookedAt) -> str:
    mark = "✗" if each.refused else "!" if each.odd else "–" if each.column is None else ""
    lines = "<br>".join(text(line) for line in (each.line, *each.odd))
    missing = f"{each.missing:.1%}" if each.missing else ""
    return (
        f"<tr><td>{mark}</td><td><strong>{text(each.name)}</strong></td><td>{lines}</td>"
        f"<td class='number'>{missing}</td><td>{histogram(each)}</td></tr>"
    )


def histogram(each: LookedAt) -> str:
    """Return the values of a column as bars: of equal widths for numbers and dates, the most frequent ones of texts."""
    values = each.values
    if values is None or not len(values):
        return ""
    if values.dtype == object:
        counts = [count for _, count in Counter(value for value in values.tolist() if value).most_common(MOST_BARS)]
        colour = GREY
    else:
        present = values[~np.isnan(values)]
        counts = np.histogram(present, bins=BINS)[0].tolist() if len(present) else []
        colour = BLUE
    if not counts:
        return ""
    step, most = WIDTH / len(counts), max(counts)
    bars = "".join(
        f'<rect x="{index * step:.1f}" y="{HEIGHT - height:.1f}" width="{step * 0.85:.1f}" height="{height:.1f}"/>'
        for index, height in enumerate(count / most * HEIGHT for count in counts)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" style="width:{WIDTH}px;height:{HEIGHT}px" fill="{colour}" role="img"'
        f' aria-label="values of {text(each.name)}">{bars}</svg>'
    )
