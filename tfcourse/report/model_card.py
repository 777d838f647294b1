"""The model card of a run: what the model is, what it is worth, where, and where not (Mitchell et al. 2019)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcourse.files.writing import write_text
from tfcourse.report import words
from tfcourse.report.classes import per_class
from tfcourse.report.plain_page import templates
from tfcourse.report.source import Run
from tfcourse.run.show import readable
from tfcourse.words import loss_said

NAME = "model-card.md"
COLUMNS_SHOWN = 20
_MARKS = re.compile(r"([\\`*_|<>\[\]])")


def write_model_card(run: Run, path: Path | None = None) -> Path:
    """Write the card of a run that has ended, ``model-card.md`` in it or ``path``, and return where it is.

    Raises:
        OSError: if it cannot be written.
    """
    path = path or run.path / NAME
    write_text(path, model_card(run))
    return path


def model_card(run: Run) -> str:
    """Return the card of a run that has ended, as Markdown."""
    environment = templates()
    environment.autoescape = False  # it is no HTML; cells are escaped as Markdown wants it
    environment.filters |= {"cell": cell, "percent": words.percent, "loss": loss_said}
    return environment.get_template(NAME).render(**_context(run))


def cell(text: str) -> str:
    r"""Return a text as it stands in a table or a line of Markdown, whatever is in it.

    >>> cell("a|b <i> of\nthe *user*")
    'a\\|b \\<i\\> of the \\*user\\*'
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _calibration(temperature: float | None, split: Mapping[str, Any]) -> str:
    """Return how far the saved model's probabilities are off, with the temperature that it holds, if it holds one."""
    found = split.get("before" if temperature is None else "after")
    return "" if not found else f"expected calibration error {words.percent(found['ece'])}"


def _context(run: Run) -> dict[str, Any]:
    assert run.result is not None
    result, record = run.result, run.record
    shown = run.verdict["sentences"]
    saved = next((each["text"] for each in shown if each["text"].startswith("model.keras holds ")), None)
    numbers = run.verdict["numbers"].get("calibration") or {}
    table = "shape" not in record["features"]
    looks = len(record.get("test_looks", []))
    started = record.get("started", "at a time not kept")
    compared = [("**saved model**", result["test"]), ("best network alone", result["best"]["test"])]
    if result["best"]["test"] == result["test"]:
        del compared[1]
    return {
        "run": run,
        "test": result["test"],
        "table": table,
        "looks": "Measured once, at the end,"
        if looks < 2
        else f"The last of {looks} models of the run that were measured",
        "kind": "tables" if table else f"arrays of shape {tuple(record['features']['shape'])}",
        "saved": (saved or "the best network").removeprefix("model.keras holds ").rstrip("."),
        "source": Path(record["options"]["data"]).name,
        "made": f"{started[:16].replace('T', ' ')}, in {readable(result['seconds']['total'])}",
        "compared": [*compared, ("softmax regression", result["baseline"]["test"])],
        "calibration": _calibration(result.get("model", {}).get("temperature"), numbers.get("test") or {}),
        "classes": per_class(result["test"]["confusion"], run.classes),
        "slices": result.get("slices", []),
        "importance": (run.explanation or {}).get("importance", [])[:COLUMNS_SHOWN],
        "warnings": [each["text"] for each in shown if each["level"] == "warning"],
        "read": [*record["data"]["columns"], *record["data"]["notes"]],
        "commands": [record["command"], *record.get("resumed", [])],
    }
