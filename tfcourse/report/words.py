"""What the report says in words: names of hyperparameters, numbers, headline, and the text that stands for a figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tfcourse.executors.tally import Tally
from tfcourse.report.figures import searched
from tfcourse.report.source import Run
from tfcourse.run.show import readable
from tfcourse.run.trials import TrialRecord
from tfcourse.space import Value
from tfcourse.space.objective import Objective

SCALES = {
    "log": "log scale",
    "one_minus_log": "log scale of 1 − β",
    "linear": "linear scale",
    "integer": "whole numbers",
    "choice": "choices",
}
TOPICS = {
    "out_of_fold": "Out of fold",
    "portfolio": "Settings tried first",
    "enough": "Enough trials?",
    "curves": "Learning curves",
}
"""Headings of the verdict's topics; the others are called as they are."""


def label(name: str) -> str:
    """Return a hyperparameter's name as people say it.

    >>> label("learning_rate"), label("units_2"), label("beta_1")
    ('learning rate', 'units 2', 'beta 1')
    """
    return name.replace("_", " ")


def number(value: Value | None) -> str:
    """Return a hyperparameter's value or a measure with four significant digits.

    >>> number(0.00269487), number(67), number(None), number("sgd")
    ('0.002695', '67', '–', 'sgd')
    """
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "not finite"
    return str(value)


def percent(share: float | None, places: int = 2) -> str:
    """Return a share in percent.

    >>> percent(0.97772), percent(0.97772, 1), percent(None)
    ('97.77%', '97.8%', '–')
    """
    return "–" if share is None else f"{share:.{places}%}"


def score_text(score: float | None, objective: str) -> str:
    """Return the objective's value as the verdict writes it.

    >>> score_text(0.030688, "val_loss"), score_text(0.0000421, "val_loss"), score_text(0.98886, "val_accuracy")
    ('0.0307', '4.21e-05', '98.89%')
    """
    return "–" if score is None else Objective(objective).said(score)


def counts_text(run: Run) -> str:
    """Return how many trials ended, and how."""
    counts = {kind: sum(trial.status == kind for trial in run.trials) for kind in ("completed", "diverged", "failed")}
    parts = [f"{count} {kind}" for kind, count in counts.items() if count or kind == "completed"]
    return f"{sum(counts.values())}: {', '.join(parts)}"


def total_seconds(run: Run) -> float:
    """Return how long the run took, or has searched so far."""
    return float(run.result["seconds"]["total"] if run.result else run.record["seconds"])


def status_line(run: Run) -> str:
    """Return what state the search is in: how many trials of how many, how they ended, how long it took."""
    planned = "" if run.result or run.record.get("budget") else f" of {run.record['plan']['trials']}"
    ended, how = counts_text(run).split(": ")
    return f"{ended}{planned} trials: {how} · {readable(total_seconds(run))}"


def workers_line(run: Run) -> str:
    """Return what the workers did in each part of the run, empty where threads trained it."""
    return " · ".join(Tally.from_json(part).in_words() for part in run.record.get("workers", []))


def plain_sentences(run: Run) -> list[dict[str, str]]:
    """Return what can be said without a verdict: the best trial, the test beside the baseline, who diverged."""
    best, objective = run.leaders[0], run.objective
    said = [
        (
            "winner",
            "note",
            f"The best setting so far is trial {best.number}, with a {Objective(objective).words} of"
            f" {score_text(best.score, objective)} in epoch {(best.best_epoch or 0) + 1}. It is the best of"
            f" {len(run.leaders)} scores, so luck has a part in it.",
        )
    ]
    if run.result:
        test, baseline = run.result["test"], run.result["baseline"]["test"]
        low, high = test["accuracy_interval"]
        ahead = low > baseline["accuracy_interval"][1]
        comparison = "clearly better than" if ahead else "not clearly better than"
        said.insert(
            0,
            (
                "test",
                "good" if ahead else "warning",
                f"On {test['n']} test rows the network is right in {percent(test['accuracy'])}"
                f" (95 % interval {percent(low)} to {percent(high)}): {comparison} softmax regression with"
                f" {percent(baseline['accuracy'])}.",
            ),
        )
    diverged = sum(trial.status == "diverged" for trial in run.trials)
    if diverged:
        said.append(("diverged", "note", f"{diverged} of {len(run.trials)} trials diverged."))
    return [{"topic": topic, "level": level, "text": text} for topic, level, text in said]


def by_topic(sentences: Sequence[Mapping[str, str]]) -> list[tuple[str, list[Mapping[str, str]]]]:
    """Return the sentences under the headings of their topics, in the order in which the topics come first.

    >>> [(heading, len(group)) for heading, group in by_topic([{"topic": "test"}, {"topic": "enough"}])]
    [('Test', 1), ('Enough trials?', 1)]
    """
    groups: dict[str, list[Mapping[str, str]]] = {}
    for sentence in sentences:
        topic = str(sentence["topic"])
        groups.setdefault(TOPICS.get(topic, topic.capitalize()), []).append(sentence)
    return list(groups.items())


def axis_text(name: str, scale: str, run: Run) -> str:
    """Return what an axis plot shows, for those who cannot see it."""
    objective = run.measure.words
    tried = [trial for trial in run.trials if name in trial.values]
    lead = next((trial for trial in run.leaders if name in trial.values), None)
    text = f"Scatter plot of {objective} against {label(name)} on a {SCALES[scale]}, {len(tried)} trials."
    if lead is not None:
        text += (
            f" The best of them is trial {lead.number} at {number(lead.values[name])}, with"
            f" {score_text(lead.score, run.objective)}."
        )
    diverged = [trial for trial in tried if trial.status == "diverged"]
    if diverged and scale != "choice":
        values = [float(trial.values[name]) for trial in diverged]
        text += f" {len(diverged)} diverged, between {number(min(values))} and {number(max(values))}."
    elif diverged:
        text += f" {len(diverged)} diverged."
    return text


def isolation_text(rows: Sequence[Mapping[str, Any]], run: Run) -> str:
    """Return what the best of each part of a range comes to, for those who cannot see it."""
    if not rows:
        return ""
    best = [float(row["best"]) for row in rows]
    spread = f"{score_text(min(best), run.objective)} to {score_text(max(best), run.objective)}"
    return f"The best in each of {len(rows)} parts of the range: {spread}."


def progress_text(rows: Sequence[Mapping[str, Any]], by: str, run: Run) -> str:
    """Return what the best-so-far chart shows, for those who cannot see it."""
    first = next((row for row in rows if row["best"] is not None), None)
    if first is None:
        return "No trial has completed."
    last = rows[-1]["best"]
    reached = next(place for place, row in enumerate(rows, 1) if row["best"] == last)
    where = f"after {reached} of {len(rows)} trials"
    if by == "seconds" and rows[reached - 1]["seconds"] is not None:
        where = f"after {rows[reached - 1]['seconds']:.0f} of {rows[-1]['seconds'] or 0.0:.0f} seconds"
    return (
        f"The best {run.measure.words} so far, against {by}: from {score_text(first['best'], run.objective)}"
        f" to {score_text(last, run.objective)}, reached {where}."
    )


def parallel_text(run: Run) -> str:
    """Return what the parallel coordinates show, for those who cannot see it."""
    names = ", ".join(label(parameter.name) for parameter in searched(run.rounds))
    return (
        f"Parallel coordinates: one line for each of {len(run.leaders)} completed trials through {names} and the"
        f" {run.measure.words}. The table of leading trials gives the same numbers."
    )


def curves_text(drawn: Sequence[TrialRecord]) -> str:
    """Return what the learning curves show at first, for those who cannot see them."""
    ends = [f"trial {trial.number} is best in epoch {(trial.best_epoch or 0) + 1} of {trial.epochs}" for trial in drawn]
    return f"Learning curves of the {len(drawn)} leading trials: {', '.join(ends)}."


def importance_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what the importance bars show, for those who cannot see them."""
    return "Importance: " + ", ".join(f"{row['label']} {percent(row['mean'])}" for row in rows) + "."


def enough_text(chart: Mapping[str, Any] | None, run: Run) -> str:
    """Return what the best-of-k chart shows, for those who cannot see it."""
    if not chart:
        return ""
    first, last = chart["rows"][0], chart["rows"][-1]
    return (
        f"The best {run.measure.words} that a search may expect: {score_text(first['expected'], run.objective)}"
        f" after {first['k']} trials, {score_text(last['expected'], run.objective)} after {last['k']}."
    )


def reliability_text(sets: Sequence[Mapping[str, Any]]) -> str:
    """Return what the reliability diagram shows, for those who cannot see it."""
    parts = []
    for each in sets:
        bins = ", ".join(f"{percent(b['confidence'])}: {percent(b['accuracy'])}" for b in each["bins"])
        parts.append(f"{each['label']}: {bins}")
    return "How often it is right at each confidence. " + "; ".join(parts) + "."


def reliability_note(numbers: Mapping[str, Any]) -> str:
    """Return the caption of the reliability diagram.

    >>> reliability_note({"temperature": 1.31, "test": {"before": {"ece": 0.031}, "after": {"ece": 0.012}}})
    'expected calibration error 3.10%; 1.20% at temperature 1.31'
    """
    split = numbers.get("test") or {}
    before, after = ((split.get(when) or {}).get("ece") for when in ("before", "after"))
    if before is None:
        return ""
    text = f"expected calibration error {percent(before)}"
    return text if after is None else f"{text}; {percent(after)} at temperature {number(numbers.get('temperature'))}"
