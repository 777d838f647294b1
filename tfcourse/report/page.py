"""The page of one run: rows and words put into one self-contained HTML file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError
from tfcourse.files.writing import write_text
from tfcourse.report import words
from tfcourse.report.axes import axis_over, place_on
from tfcourse.report.comparison import comparison_context
from tfcourse.report.curves import curve_rows
from tfcourse.report.explanation_rows import (
    column_rows,
    columns_text,
    dependence_rows,
    dependence_text,
    mistake_table,
)
from tfcourse.report.figures import (
    best_so_far,
    beyond,
    isolation,
    lower_is_better,
    most_shown,
    parameter_axis,
    score_axis,
    searched,
)
from tfcourse.report.model_card import NAME as MODEL_CARD
from tfcourse.report.model_card import write_model_card
from tfcourse.report.plain_page import templates
from tfcourse.report.source import Run, read_run
from tfcourse.report.summaries import write_summaries
from tfcourse.report.tables import candidate_rows, class_tables, confusion_cells, leader_table
from tfcourse.report.verdict_rows import enough_rows, importance_rows, reliability_rows
from tfcourse.run.show import importance_order
from tfcourse.run.trials_table import NAME as TRIALS
from tfcourse.run.trials_table import write_trials
from tfcourse.words import loss_said

CURVES_SHOWN = 5
PAGES = ("report.html", MODEL_CARD, TRIALS)
"""What lies in the folder of a run that has ended."""


def write_report(path: Path, out: Path | None = None, *, tensorboard: bool = False) -> Path:
    """Write the report of the run folder ``path`` and return where it is: ``report.html`` in it, or ``out``.

    In the folder of a run that has ended it also writes the model card and ``trials.csv``.

    Raises:
        UserError: if there is nothing to report on; see :func:`tfcourse.report.source.read_run`.
        OSError: if the file cannot be written.
    """
    run = read_run(path)
    write_page(out or path / PAGES[0], render("report.html", report_context(run)))
    if out is None and run.result is not None:
        write_model_card(run)
        write_trials(path / TRIALS, run.trials, run.rounds[0].space)
    if tensorboard:
        write_summaries(run)
    return out or path / PAGES[0]


def write_comparison(paths: Sequence[Path], out: Path) -> Path:
    """Set the runs in ``paths`` side by side in the file ``out`` and return it; raises as :func:`write_report`."""
    write_page(out, render("comparison.html", comparison_context([read_run(path) for path in paths])))
    return out


def try_to_write_report(path: Path, *, tensorboard: bool = False) -> bool:
    """Write the report; where that fails, say why on standard error and return False, so that no run is lost by it."""
    try:
        write_report(path, tensorboard=tensorboard)
    except Exception as error:
        again = f"python -m tfcourse.report {shlex.quote(str(path))}"
        print(
            f"The report could not be written ({error}); the run itself is whole. Try again: {again}", file=sys.stderr
        )
        return False
    return True


def write_page(path: Path, text: str) -> None:
    """Write a page atomically.

    Raises:
        UserError: if its folder is not there.
    """
    if not path.parent.is_dir():
        raise UserError(f"--out: there is no folder {str(path.parent)!r}; make it, or give another place.")
    write_text(path, text)


def render(template: str, context: dict[str, Any]) -> str:
    """Return a template of ``assets`` filled in; whatever is put in is escaped, also in the embedded JSON."""
    environment = templates()
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    environment.filters |= {"label": words.label, "number": words.number, "percent": words.percent, "loss": loss_said}
    here = files("tfcourse.report")
    parts = {
        "style": (here / "assets" / "style.css").read_text(encoding="utf-8"),
        "scales_js": (here / "assets" / "scales.js").read_text(encoding="utf-8"),
        "charts": (here / "assets" / "charts.js").read_text(encoding="utf-8"),
        "script": (here / "assets" / "report.js").read_text(encoding="utf-8"),
        "library": (here / "vendor" / "echarts.min.js").read_text(encoding="utf-8"),
    }
    return environment.get_template(template).render(**parts, **context)


def report_context(run: Run) -> dict[str, Any]:
    """Return everything that the template ``report.html`` needs: words for it, and ``data`` for the charts."""
    data = chart_data(run)
    names = [parameter["name"] for parameter in data["parameters"]]
    best = run.leaders[0]
    fixed = sorted(set(best.values) - set(names), key=importance_order)
    return {
        "data": data,
        "run": run,
        "record": run.record,
        "result": run.result,
        "title": run.record["data"]["name"],
        "commands": [run.record["command"], *run.record.get("resumed", [])],
        "resume": f"python -m tfcourse.train --resume {shlex.quote(str(run.path))}",
        "status_line": words.status_line(run),
        "workers_line": words.workers_line(run),
        "sentences": words.by_topic(run.verdict["sentences"] or words.plain_sentences(run)),
        "candidates": candidate_rows(run),
        "objective": run.measure.words,
        "leaders": leader_table(run, names),
        "score": lambda value: words.score_text(value, run.objective),
        "fixed": [(name, best.values[name]) for name in fixed],
        "rounds": run.rounds,
        "timed": any(row["seconds"] is not None for row in data["progress"]),
        "scales": words.SCALES,
        "classes": class_tables(run),
        "explanation": run.explanation,
        "mistakes": mistake_table(run.explanation),
        "reliability_note": words.reliability_note(run.verdict["numbers"].get("calibration") or {}),
        "alternative": alternatives(run, data),
    }


def chart_data(run: Run) -> dict[str, Any]:
    """Return the rows of every chart, JSON-ready."""
    trials, objective = run.trials, run.objective
    most = most_shown(trials, objective, len(run.classes))
    scores = score_axis(trials, objective, most)
    completed = [trial.score for trial in trials]
    parameters = []
    for parameter in sorted(searched(run.rounds), key=lambda parameter: importance_order(parameter.name)):
        row = parameter_axis(parameter, run.rounds, trials)
        row["label"] = words.label(parameter.name)
        row["isolation"] = isolation(row["x"], completed, row, objective)
        parameters.append(row)
    bests = [row["best"] for parameter in parameters for row in parameter["isolation"]] or completed
    validation = run.baseline["validation"] if run.baseline else {}
    numbers = run.verdict["numbers"]
    return {
        "objective": {
            "name": objective,
            "label": run.measure.words,
            "lower": lower_is_better(objective),
            "scale": scores.scale,
        },
        "score": _axis_json(scores) | {"beyond": beyond(scores, objective)},
        "isolation": _axis_json(
            axis_over(
                scores.scale,
                [min(most, best) for best in bests if best is not None],
                percent=not lower_is_better(objective),
            )
        ),
        "trials": {
            "number": [trial.number for trial in trials],
            "status": [trial.status for trial in trials],
            "score": [_short(trial.score) for trial in trials],
            "round": [trial.round for trial in trials],
            "place": [
                None if score is None else round(min(place_on(scores.scale, score), scores.high), 9)
                for score in completed
            ],
        },
        "beyond": {"above": most, "count": sum(score is not None and score > most for score in completed)},
        "diverged": sum(trial.status == "diverged" for trial in trials),
        "rounds": len(run.rounds),
        "parameters": parameters,
        "progress": best_so_far(trials, objective),
        "baseline": validation.get(run.measure.metric),
        "best": run.leaders[0].number,
        "leaders": [trial.number for trial in run.leaders[:CURVES_SHOWN]],
        "curves": curve_rows([*run.leaders, *(trial for trial in trials if trial.status != "completed")]),
        "importance": importance_rows(numbers.get("importance")),
        "enough": enough_rows(numbers.get("enough")),
        "reliability": reliability_rows(numbers.get("calibration")),
        "confusion": confusion_cells(run),
        "columns": column_rows(run.explanation),
        "dependence": dependence_rows(run.explanation, run.classes),
    }


def alternatives(run: Run, data: dict[str, Any]) -> dict[str, Any]:
    """Return the text that stands for each figure."""
    return {
        "parameter": {
            p["name"]: f"{words.axis_text(p['name'], p['scale'], run)} {words.isolation_text(p['isolation'], run)}"
            for p in data["parameters"]
        },
        "trials": words.progress_text(data["progress"], "trials", run),
        "seconds": words.progress_text(data["progress"], "seconds", run),
        "parallel": words.parallel_text(run),
        "curves": words.curves_text(run.leaders[:CURVES_SHOWN]),
        "importance": words.importance_text(data["importance"]),
        "enough": words.enough_text(data["enough"], run),
        "reliability": words.reliability_text(data["reliability"]),
        "columns": columns_text(data["columns"]),
        "dependence": [dependence_text(row) for row in data["dependence"]],
        "confusion": f"Confusion matrix of {len(run.classes)} classes; the most frequent mistakes are listed below.",
    }


def _axis_json(axis: Any) -> dict[str, Any]:
    return {"scale": axis.scale, "low": axis.low, "high": axis.high, "ticks": [list(tick) for tick in axis.ticks]}


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
