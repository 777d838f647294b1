"""Runs side by side: which settings differ, how good each is, which one leads and whether that may be chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfcourse.report import words
from tfcourse.report.figures import best_so_far, lower_is_better
from tfcourse.report.source import Run
from tfcourse.run.show import readable
from tfcourse.words import loss_said

_SPLIT = ("target", "drop", "categorical", "test_data", "split", "seed")
"""Options that decide which rows are tested on, beside the data itself."""


def comparison_context(runs: Sequence[Run]) -> dict[str, Any]:
    """Return what the template ``comparison.html`` needs."""
    names = run_names(runs)
    same_objective = len({run.objective for run in runs}) == 1
    objective = runs[0].objective
    tested = [(name, run) for name, run in zip(names, runs, strict=True) if run.result]
    curves = [best_so_far(run.trials, run.objective) for run in runs]
    data: dict[str, Any] = {
        "objective": {
            "name": objective,
            "label": runs[0].measure.words,
            "lower": lower_is_better(objective),
            "scale": "log" if lower_is_better(objective) and _positive(runs) else "linear",
        },
        "runs": [{"name": name, "progress": rows} for name, rows in zip(names, curves, strict=True)],
        "intervals": [
            {
                "label": name,
                "mean": run.result["test"]["accuracy"],
                "low": run.result["test"]["accuracy_interval"][0],
                "high": run.result["test"]["accuracy_interval"][1],
            }
            for name, run in tested
            if run.result
        ],
    }
    return {
        "data": data,
        "names": names,
        "sentences": words.by_topic(compare(runs, names)),
        "scores": score_rows(runs),
        "settings": differing(runs),
        "overlaid": same_objective,
        "timed": all(any(row["seconds"] is not None for row in rows) for rows in curves),
        "alternative": {
            "intervals": "; ".join(
                f"{row['label']} {words.percent(row['mean'])}, {words.percent(row['low'])} to"
                f" {words.percent(row['high'])}"
                for row in data["intervals"]
            ),
            **{
                by: " ".join(
                    f"{name}: {words.progress_text(rows, by, run)}"
                    for name, run, rows in zip(names, runs, curves, strict=True)
                )
                for by in ("trials", "seconds")
            },
        },
        "commands": [
            (name, "\n".join([run.record["command"], *run.record.get("resumed", [])]))
            for name, run in zip(names, runs, strict=True)
        ],
    }


def run_names(runs: Sequence[Run]) -> list[str]:
    """Return what the runs are called: their folders' names, or their whole paths where two are alike."""
    short = [run.path.resolve().name for run in runs]
    return short if len(set(short)) == len(short) else [str(run.path) for run in runs]


def compare(runs: Sequence[Run], names: Sequence[str]) -> list[dict[str, str]]:
    """Return in sentences whether the runs can be compared, which one leads on the test split, and how surely.

    An interval is Wilson's, 95 %, of the accuracy. Intervals that do not overlap are a clear lead; those that do may
    hide one, because both runs are tested on the same rows.
    """
    said: list[tuple[str, str, str]] = []
    comparable = True
    same_data = len({run.record["data"]["fingerprint"] for run in runs}) == 1
    if not same_data:
        said.append(("Data", "warning", "The runs read different data: their scores are no measure of each other."))
    else:
        differ = [name for name in _SPLIT if len({str(run.record["options"].get(name)) for run in runs}) > 1]
        if differ:
            comparable = False
            said.append(
                ("Data", "warning", f"The runs differ in {', '.join(differ)}, so they are tested on different rows.")
            )
    if len({run.objective for run in runs}) > 1:
        said.append(("Objective", "note", "The runs rank their trials by different objectives."))
    tested = [(name, run.result["test"]) for name, run in zip(names, runs, strict=True) if run.result]
    open_runs = [name for name, run in zip(names, runs, strict=True) if not run.result]
    if open_runs:
        said.append(("Unfinished", "note", f"Not ended yet, so not tested: {', '.join(open_runs)}."))
    if len(tested) > 1 and same_data:
        said += _leads(tested, comparable=comparable)
    return [{"topic": topic, "level": level, "text": text} for topic, level, text in said]


def _leads(tested: list[tuple[str, Any]], *, comparable: bool) -> list[tuple[str, str, str]]:
    """Return the sentences on the run with the highest test accuracy against each other one."""
    ranked = sorted(tested, key=lambda each: -each[1]["accuracy"])
    (first, best), others = ranked[0], ranked[1:]
    said = []
    for name, test in others:
        low, high = best["accuracy_interval"][0], test["accuracy_interval"][1]
        ahead = best["accuracy"] - test["accuracy"]
        if ahead == 0:
            said.append(("Test", "note", f"{first} and {name} have the same test accuracy."))
            continue
        text = f"{first} leads {name} by {100 * ahead:.2f} percentage points of test accuracy;"
        if low > high:
            said.append(("Test", "good" if comparable else "note", f"{text} their 95 % intervals do not overlap."))
        else:
            said.append(("Test", "note", f"{text} their 95 % intervals overlap, so that may be chance."))
    return said


def score_rows(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Return the measures of the runs in words: one row a measure, one text a run."""
    rows: list[tuple[str, list[str]]] = [
        ("best validation score", [words.score_text(run.leaders[0].score, run.objective) for run in runs]),
        ("objective", [run.measure.words for run in runs]),
    ]
    for name, of in (("test", "test"), ("softmax regression, test", "baseline")):
        tests = [None if not run.result else run.result[of] if of == "test" else run.result[of]["test"] for run in runs]
        rows.append((f"{name} accuracy", [words.percent(test and test["accuracy"]) for test in tests]))
        rows.append(
            (
                "its 95 % interval",
                ["–" if not test else " to ".join(map(words.percent, test["accuracy_interval"])) for test in tests],
            )
        )
        rows.append((f"{name} log-loss", ["–" if not test else loss_said(test["log_loss"]) for test in tests]))
    rows.append(("trials", [words.counts_text(run) for run in runs]))
    rows.append(("time", [readable(words.total_seconds(run)) for run in runs]))
    return rows


def differing(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Return the settings that are not the same in all runs: one row a setting, one text a run."""
    settings = [_settings(run) for run in runs]
    names = dict.fromkeys(name for each in settings for name in each)
    rows = [(name, [each.get(name, "–") for each in settings]) for name in names]
    return [(name, texts) for name, texts in rows if len(set(texts)) > 1]


def _settings(run: Run) -> dict[str, str]:
    """Return everything that was set, in words, by name."""
    record = run.record
    found = {f"data: {words.label(name)}": value for name, value in record["options"].items() if name != "seed"}
    found["data: fingerprint"] = str(record["data"]["fingerprint"])[:12]
    found |= {words.label(name): value for name, value in record["plan"].items()}
    found["rounds"] = len(run.rounds)
    for parameter in run.rounds[0].space:
        range_text = (
            ", ".join(map(words.number, parameter.values))
            if parameter.scale == "choice"
            else f"{words.number(parameter.low)} … {words.number(parameter.high)}, {words.SCALES[parameter.scale]}"
        )
        found[f"space: {words.label(parameter.name)}"] = range_text
    found |= {f"version: {name}": version for name, version in record["versions"].items()}
    return {name: _in_words(value) for name, value in found.items()}


def _in_words(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "–"
    return "–" if value is None else str(value)


def _positive(runs: Sequence[Run]) -> bool:
    return all((trial.score or 0.0) > 0 for run in runs for trial in run.leaders)
