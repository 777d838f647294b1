"""The JSON files of a run folder, as small as they may be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OLD = Path(__file__).parent / "faults" / "old_runs" / "0.1.0"


def record_of_search() -> dict[str, Any]:
    """Return the ``run.json`` of a search that trains now."""
    record: dict[str, Any] = json.loads((OLD / "table" / "run.json").read_text(encoding="utf-8"))
    kept = ("command", "options", "given", "budget", "plan", "space", "data", "classes", "features")
    return {**{name: record[name] for name in kept}, "status": "running", "seconds": 0.0, "seconds_before": 0.0}


def result_of_search(classes: Sequence[str]) -> dict[str, Any]:
    """Return the ``result.json`` of a search."""
    result: dict[str, Any] = json.loads((OLD / "table" / "result.json").read_text(encoding="utf-8"))
    confusion = [[1] * len(classes) for _ in classes]
    for tested in (result["test"], result["best"]["test"], result["baseline"]["test"]):
        tested["confusion"] = confusion
    return {**result, "classes": list(classes)}
