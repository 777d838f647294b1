"""Parts of a small self-contained HTML page: its style, tables, figures; light or dark as the reader has it."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from typing import Any

INK = "#123454"
"""Stands for the reader's text colour in a figure, and is replaced by it."""
BLUE, ORANGE, GREY = "#3b76c4", "#d9822b", "#8a94a3"
CSS = """
:root { color-scheme: light dark; --paper: #fff; --ink: #2a2f3a; --soft: #667085; --line: #e4e7ec; --card: #f7f8fa;
  --good: #1f7a54; --warn: #a15c00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #d7dbe2; --soft: #98a1b0; --line: #2b3038;
  --card: #1b1f26; --good: #6fd3a6; --warn: #e6b062; --bad: #f2a19b; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
  max-width: 60rem; margin: 0 auto; padding: 2rem 1.2rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; } h2 { margin: 2.2rem 0 .4rem; font-size: 1.25rem; }
p, li { margin: .35rem 0; } .soft { color: var(--soft); }
.answer { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.2rem; }
.answer strong { font-size: 1.2rem; }
.keep strong { color: var(--good); } .retrain strong { color: var(--warn); } .search strong { color: var(--bad); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-top: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.winner td { font-weight: 600; } svg { width: 100%; height: auto; }
code { font-size: .9em; overflow-wrap: anywhere; }
"""


def document(title: str, body: str) -> str:
    """Return a whole page of ``body``, which is HTML already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{CSS}</style></head><body>{body}</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], words: int) -> str:
    """Return a table; its first ``words`` columns hold words, as does the last, the others numbers."""
    kinds = ["" if i < words or i == len(head) - 1 else ' class="number"' for i in range(len(head))]
    top = "".join(f"<th{kind}>{text(name)}</th>" for kind, name in zip(kinds, head, strict=True))
    lines = "".join(
        f'<tr class="{name}">'
        + "".join(f"<td{kind}>{text(cell)}</td>" for kind, cell in zip(kinds, cells, strict=True))
        + "</tr>"
        for name, cells in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{lines}</table></div>'


def svg(draw: Callable[[Any], None], height: float, title: str) -> str:
    """Return a figure as inline SVG in the reader's text colour."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: Any = dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK)
    style |= {"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(9, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        for axes in figure.axes:
            axes.set_facecolor("none")
            axes.spines[["top", "right"]].set_visible(False)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.S)
    drawn = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawn, count=1), count=1
    )
    return f'<figure style="margin:0" role="img" aria-label="{text(title)}">{drawn}</figure>'


def text(value: object) -> str:
    """Return a value as text that no browser takes for markup."""
    return html.escape(str(value))
