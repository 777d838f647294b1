"""A retest as one self-contained HTML page: no link leads out; light or dark as the reader has it."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tfcourse.retesting.recommendation import RULE
from tfcourse.retesting.show import setting_words
from tfcourse.retesting.words import advice, column_words, data_lines, hyperparameter_lines, model_lines

INK = "#123454"
"""Stands for the reader's text colour in a figure, and is replaced by it."""
BLUE, ORANGE, GREY = "#3b76c4", "#d9822b", "#8a94a3"
MOST_COLUMNS = 15
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


def page(record: Mapping[str, Any]) -> str:
    """Return the page of a retest, from what ``retest.json`` holds."""
    batches = record["batches"]
    last = batches[-1]
    body = [f"<h1>Retest of {_text(record['run'])} on {_text(record['data'])}</h1>"]
    body.append(f'<p class="soft"><code>{_text(record["command"])}</code>, {_text(record["ended"])}</p>')
    body.append(_answer(last))
    if len(batches) > 1:
        body.append(f"<h2>Over {len(batches)} batches by {_text(record['since'])}</h2>")
        body.append(_svg(lambda figure: draw_batches(figure, batches), 3.4, "Regret and excess, batch by batch"))
        body.append(_batch_table(batches))
        body.append(f"<p>What follows is the last batch, {_text(last['label'])}.</p>")
    body.append("<h2>Are the hyperparameters still right?</h2>" + _paragraphs(hyperparameter_lines(last)))
    body.append(_svg(lambda figure: draw_settings(figure, last), 3.6, "Cost of each setting on the new data"))
    body.append(_settings_table(last))
    body.append("<h2>Is the model still right?</h2>" + _paragraphs(model_lines(last)))
    body.append("<h2>How the data moved</h2>" + _paragraphs(data_lines(last)) + _columns_table(last))
    title = f"Retest: {advice(last)}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{CSS}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _answer(batch: Mapping[str, Any]) -> str:
    reasons = "".join(f"<li>{_text(reason)}</li>" for reason in batch["recommendation"]["reasons"])
    rows = batch["rows"]
    counts = (
        f"{rows['all']} rows; {rows['train']} to train and {rows['validation']} to validate in each repeat,"
        f" {rows['held out']} held out in all."
    )
    notes = "".join(f"<li>{_text(note)}</li>" for note in batch["notes"])
    return (
        f'<div class="answer {batch["recommendation"]["action"].split()[0]}">'
        f"<strong>{_text(advice(batch).capitalize())}</strong>"
        f'<ul>{reasons}</ul><p class="soft">{RULE}</p><p class="soft">{counts}</p>'
        f'<ul class="soft">{notes}</ul></div>'
    )


def _paragraphs(lines: Sequence[str]) -> str:
    return "".join(f"<p>{_text(line)}</p>" for line in lines)


def _table(head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], words: int) -> str:
    """Return a table; its first ``words`` columns hold words, as does the last, the others numbers."""
    kinds = ["" if i < words or i == len(head) - 1 else ' class="number"' for i in range(len(head))]
    top = "".join(f"<th{kind}>{_text(name)}</th>" for kind, name in zip(kinds, head, strict=True))
    lines = "".join(
        f'<tr class="{name}">'
        + "".join(f"<td{kind}>{_text(cell)}</td>" for kind, cell in zip(kinds, cells, strict=True))
        + "</tr>"
        for name, cells in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{lines}</table></div>'


def _settings_table(batch: Mapping[str, Any]) -> str:
    rows = []
    for setting in sorted(batch["settings"], key=lambda each: each["rank"]):
        old = "not tried" if setting["old_score"] is None else f"{setting['old_score']:.4f}"
        cells = [setting["name"], str(setting["rank"]), f"{setting['mean_cost']:.4f}", old]
        winner = "winner" if setting["name"] == batch["winner"]["setting"] else ""
        rows.append((winner, [*cells, setting_words(setting["hyperparameters"])]))
    return _table(("setting", "rank", f"{batch['cost']} now", "score in the run", "hyperparameters"), rows, 1)


def _columns_table(batch: Mapping[str, Any]) -> str:
    shown = batch["columns"][:MOST_COLUMNS]
    rows = [
        ("", [c["name"], "moved" if c["moved"] else "", "" if c["p"] is None else f"{c['p']:.2g}", column_words(c)])
        for c in shown
    ]
    more = len(batch["columns"]) - len(shown)
    rest = f'<p class="soft">{more} more columns, which differ less, are in retest.json.</p>' if more else ""
    return _table(("column", "verdict", "p", "difference"), rows, 2) + rest


def _batch_table(batches: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            "",
            [
                b["label"], str(b["rows"]["all"]), f"{b['winner']['rank']} of {b['winner']['of']}",
                f"{b['regret']['mean']:+.4f}", f"{b['old_model']['excess']['mean']:+.4f}", advice(b),
            ],
        )
        for b in batches
    ]  # fmt: skip
    return _table(("batch", "rows", "winner's rank", "regret", "old model's excess", "recommendation"), rows, 1)


def draw_batches(figure: Any, batches: Sequence[Mapping[str, Any]]) -> None:
    """Draw the winner's regret and the old model's excess over the batches, with intervals and margins."""
    labels = [str(number) for number in range(1, len(batches) + 1)]
    for axes, key, title in zip(
        figure.subplots(1, 2), ("regret", "excess"), ("the winner's regret", "the old model's excess"), strict=True
    ):
        parts = [batch["regret"] if key == "regret" else batch["old_model"]["excess"] for batch in batches]
        margins = [(batch["regret"] if key == "regret" else batch["old_model"])["margin"] for batch in batches]
        means = [part["mean"] for part in parts]
        reach = [[p["mean"] - p["low"] for p in parts], [p["high"] - p["mean"] for p in parts]]
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.step(labels, margins, where="mid", color=ORANGE, linestyle="--", linewidth=1.2, label="margin")
        axes.errorbar(labels, means, yerr=reach, color=BLUE, marker="o", capsize=3, label="95 % interval")
        axes.set(title=title, xlabel="batch", ylabel=batches[0]["cost"])
        axes.legend(frameon=False)


def draw_settings(figure: Any, batch: Mapping[str, Any]) -> None:
    """Draw each setting's cost in each repeat and on average, in the new order."""
    axes = figure.subplots()
    for setting in batch["settings"]:
        winner = setting["name"] == batch["winner"]["setting"]
        colour = ORANGE if winner else GREY if setting["old_score"] is None else BLUE
        axes.plot([setting["rank"]] * len(setting["costs"]), setting["costs"], ".", color=colour, alpha=0.5)
        axes.plot(
            setting["rank"], setting["mean_cost"], "*" if winner else "o", color=colour, markersize=11 if winner else 6
        )
    for colour, marker, label in (
        (ORANGE, "*", "the run's winner"),
        (BLUE, "o", "other leaders"),
        (GREY, "o", "fresh"),
    ):
        axes.plot([], [], marker, color=colour, label=label)
    axes.set(xlabel="rank on the new data", ylabel=batch["cost"])
    axes.legend(frameon=False, loc="upper left")


def _svg(draw: Callable[[Any], None], height: float, title: str) -> str:
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
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1), count=1
    )
    return f'<figure style="margin:0" role="img" aria-label="{_text(title)}">{svg}</figure>'


def _text(text: object) -> str:
    return html.escape(str(text))
