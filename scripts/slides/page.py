"""The scripts' records as one self-contained HTML page: no link leads out; light or dark as the reader has it."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import Any

PARTS = {
    "A": "Hyperparameter tuning",
    "B": "Batch normalization",
    "C": "Softmax classification",
    "D": "Programming frameworks",
}
VERDICTS = {True: ("yes", "holds"), False: ("no", "does not hold"), None: ("failed", "failed")}
CSS = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #2a2f3a; --soft: #667085; --line: #e4e7ec; --card: #f7f8fa;
  --yes: #1f7a54; --no: #b3261e; --yes-paper: #e3f4ec; --no-paper: #fbe6e4; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #d7dbe2; --soft: #98a1b0; --line: #2b3038;
  --card: #1b1f26; --yes: #6fd3a6; --no: #f2a19b; --yes-paper: #17352a; --no-paper: #43201e; } }
* { box-sizing: border-box; }
body { background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans",
  sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1.2rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { margin: 3rem 0 .5rem; padding-bottom: .3rem; border-bottom: 2px solid var(--line); }
h3 { margin: 0 0 .4rem; font-size: 1.15rem; display: flex; gap: .6rem; align-items: baseline; flex-wrap: wrap; }
p { margin: .35rem 0; }
.soft, figcaption, td.claimed { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.2rem;
  margin: 1.1rem 0; }
.verdict { font-size: .85rem; font-weight: 600; border-radius: 99px; padding: .1rem .7rem; white-space: nowrap; }
.yes { color: var(--yes); background: var(--yes-paper); }
.no, .failed { color: var(--no); background: var(--no-paper); }
table { border-collapse: collapse; margin: .8rem 0; font-size: .92rem; width: 100%; }
td { padding: .22rem .7rem .22rem 0; border-top: 1px solid var(--line); vertical-align: top; }
td.measured { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; white-space: pre-wrap; }
.index td { padding: .3rem .7rem .3rem 0; } .index a { color: inherit; }
img { width: 100%; height: auto; display: block; border-radius: 6px; margin-top: .6rem; }
pre { white-space: pre-wrap; font-size: .85rem; }
code { overflow-wrap: anywhere; }
@media (max-width: 40rem) { section td { display: inline; border: 0; padding: 0 .5rem 0 0; }
  section tr { display: block; border-top: 1px solid var(--line); padding: .3rem 0; }
  picture { display: block; overflow-x: auto; } img { width: 44rem; max-width: none; } }
"""


def write_page(records: list[dict[str, Any]], out: Path) -> Path:
    """Write ``index.html`` into ``out`` from the records and their figures there; return its path."""
    ordered = sorted(records, key=lambda record: record["row"])
    holding = sum(record["holds"] is True for record in ordered)
    rows = "".join(
        f'<tr><td><a href="#{r["row"]}">{r["row"]}</a></td><td><a href="#{r["row"]}">{html.escape(r["title"])}</a></td>'
        f"<td>{_badge(r)}</td></tr>"
        for r in ordered
    )
    body = [
        "<h1>The course's claims, measured</h1>",
        f'<p class="soft">{holding} of {len(ordered)} hold. Each verdict is computed from the numbers by the criterion '
        "that stands beside it.</p>",
        f'<table class="index">{rows}</table>',
    ]
    part = ""
    for record in ordered:
        if record["row"][0] != part:
            part = record["row"][0]
            body.append(f"<h2>{part}. {PARTS[part]}</h2>")
        body.append(_section(record, out))
    page = out / "index.html"
    page.write_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>The course's claims, measured</title><style>{CSS}</style></head><body>{''.join(body)}</body></html>\n",
        encoding="utf-8",
    )
    return page


def _badge(record: dict[str, Any]) -> str:
    kind, words = VERDICTS[record["holds"]]
    return f'<span class="verdict {kind}">{words}</span>'


def _section(record: dict[str, Any], out: Path) -> str:
    escaped = {key: html.escape(str(record[key])) for key in ("row", "title", "claim", "criterion", "note", "stem")}
    numbers = "".join(
        f'<tr><td>{html.escape(n["what"])}</td><td class="measured">{html.escape(n["text"])}</td>'
        f'<td class="claimed">{html.escape(n["claimed"])}</td></tr>'
        for n in record["numbers"]
    )
    tag = "pre" if record["holds"] is None else "p"
    note = f'<{tag} class="soft">{escaped["note"]}</{tag}>' if record["note"] else ""
    return (
        f'<section id="{escaped["row"]}"><h3><span class="soft">{escaped["row"]}</span>{escaped["title"]}'
        f"{_badge(record)}</h3><p>{escaped['claim']}</p>"
        f'<p class="soft"><b>Criterion.</b> {escaped["criterion"]}</p>'
        f"<table>{numbers}</table>{note}{_picture(record, out)}"
        f'<p class="soft"><code>python scripts/slides/{escaped["stem"]}.py</code></p></section>'
    )


def _picture(record: dict[str, Any], out: Path) -> str:
    if record["holds"] is None:
        return ""
    light, dark = (_data(out / f"{record['stem']}{suffix}.png") for suffix in ("", ".dark"))
    source = f'<source media="(prefers-color-scheme: dark)" srcset="{dark}">'
    alt = html.escape(f"Figure of {record['row']}: {record['title']}")
    return f'<picture>{source}<img src="{light}" alt="{alt}"></picture>'


def _data(file: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"
