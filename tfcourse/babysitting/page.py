"""A babysat training as one self-contained page: the loss curve with what was done to it, and the journal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfcourse.babysitting.journal import Event
from tfcourse.babysitting.lineage import BACK, epochs_of, judged, objective_of, surviving
from tfcourse.babysitting.show import INTERVENTIONS, Status
from tfcourse.babysitting.words import epoch_of, settings_words, what_words
from tfcourse.files.writing import write_text
from tfcourse.report.plain_page import BLUE, GREY, ORANGE, fill, svg

RED = "#c0392b"
MARKED = {"change": (ORANGE, "v"), "revert": (RED, "<"), "alarm": (RED, "X")}
LOG_FROM = 10.0
CLOSE = 0.025
"""Marks nearer than this part of all epochs share one label."""


def write_page(trainings: Sequence[Status], path: Path) -> None:
    """Write the page of one training, or of several side by side, whole or not at all."""
    write_text(path, page(trainings))


def page(trainings: Sequence[Status]) -> str:
    """Return the page as HTML."""
    several = len(trainings) > 1
    return fill(
        "babysat.html",
        trainings=[_one(each) for each in trainings],
        together=svg(lambda figure: draw_together(figure, trainings), 4.0, "The curves of the trainings together")
        if several
        else "",
        rows=[("", [_name(each), _origin(each), *_facts(each), settings_words(_settings(each))]) for each in trainings],
    )


def _name(training: Status) -> str:
    return training.folder.resolve().name


def _origin(training: Status) -> str:
    """Return which training it began from, and where; a dash if it began from nothing."""
    start = training.events[0]
    origin = start.get("branch_of")
    return f"{Path(origin['folder']).name}, epoch {epoch_of(start)}" if origin else "–"


def _one(training: Status) -> dict[str, Any]:
    marks = [event for event in training.events if event["kind"] in MARKED]
    name = _name(training)
    alternative = f"Loss and validation loss of {name} over the epochs, with {len(marks)} marks"
    return {
        "name": name,
        "facts": _facts(training),
        "state": training.state,
        "settings": settings_words(_settings(training)),
        "figure": svg(lambda figure: draw(figure, training), 4.4, alternative),
        "journal": _journal(training.events),
    }


def _facts(training: Status) -> list[str]:
    best, last = training.best, training.last_state
    found = ["none", "none"] if best is None else [f"{objective_of(best):.4f}", str(best["epoch"])]
    return [str(last.get("epoch", 0)), str(last.get("step", 0)), *found]


def _settings(training: Status) -> dict[str, Any]:
    return dict(training.last.get("live") or {})


def _journal(events: Sequence[Event]) -> list[tuple[str, list[str]]]:
    return [
        (
            "",
            [
                str(number), event["time"][:19].replace("T", " "), str(epoch_of(event)),
                str(event.get("step", "")), what_words(event), str(event.get("note", "")),
            ],
        )
        for number, event in told(events)
    ]  # fmt: skip


def told(events: Sequence[Event]) -> list[tuple[int, Event]]:
    """Return the interventions with the numbers that page and figure give them, from 1."""
    return list(enumerate((event for event in events if event["kind"] in INTERVENTIONS), 1))


def draw(figure: Any, training: Status) -> None:
    """Draw the losses over the epochs: those that led to the present, what was left behind, and the marks."""
    axes = figure.subplots()
    present = epochs_of(training.path)
    for branch in left_behind(training.events):
        for name in ("loss", "val_loss"):
            _plot(axes, branch, name, color=GREY, linewidth=0.9, alpha=0.8)
    _plot(axes, present, "loss", color=BLUE, linewidth=1.6, label="loss")
    _plot(axes, present, "val_loss", color=ORANGE, linewidth=1.8, label="validation loss")
    everything = [v for e in training.events if e["kind"] == "epoch" for v in e["logs"].values() if v is not None]
    losses = [value for epoch in present for n in ("loss", "val_loss") if (value := epoch["logs"].get(n)) is not None]
    if everything and losses and min(losses) > 0 and max(losses) / min(losses) >= LOG_FROM:
        axes.set_yscale("log")
    best = training.best
    if best is not None:
        axes.plot(best["epoch"], objective_of(best), "*", color=ORANGE, markersize=11, label=f"best, {best['epoch']}")
    numbers: dict[int, list[str]] = {}
    last = max((int(event["epoch"]) for event in epochs_of(training.events)), default=1)
    for number, event in told(training.events):
        if event["kind"] in MARKED:
            colour, marker = MARKED[event["kind"]]
            x = int(event["from_epoch"] if event["kind"] == "revert" else event["epoch"])
            near = next((there for there in numbers if abs(there - x) < CLOSE * last), x)
            numbers.setdefault(near, []).append(str(number))
            axes.axvline(x, color=colour, linewidth=0.7, alpha=0.5)
            axes.plot(x, 1.02, marker, color=colour, markersize=6, transform=axes.get_xaxis_transform(), clip_on=False)
    for x, there in numbers.items():
        axes.annotate(", ".join(there), (x, 1.05), xycoords=axes.get_xaxis_transform(), ha="center", fontsize=8)
    axes.set(xlabel="epoch", ylabel="loss")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="best")


def left_behind(events: Sequence[Event]) -> list[list[Event]]:
    """Return the epochs that a revert or a restart left behind, each stretch with the epoch that it grew from."""
    found: list[list[Event]] = []
    for index, event in enumerate(events):
        if event["kind"] in BACK:
            before = epochs_of(surviving(events[:index]))
            after = {epoch["number"] for epoch in surviving(events[: index + 1])}
            lost = [epoch for epoch in before if epoch["number"] not in after]
            if lost:
                found.append([*before[max(0, len(before) - len(lost) - 1) : len(before) - len(lost)], *lost])
    return found


def _plot(axes: Any, epochs: Sequence[Event], name: str, **style: Any) -> None:
    points = [(epoch["epoch"], epoch["logs"][name]) for epoch in epochs if epoch["logs"].get(name) is not None]
    if points:
        axes.plot([x for x, _ in points], [y for _, y in points], **style)


def draw_together(figure: Any, trainings: Sequence[Status]) -> None:
    """Draw what each training is judged by over the epochs."""
    axes = figure.subplots()
    for training in trainings:
        points = [
            (e["epoch"], objective_of(e)) for e in judged(epochs_of(training.path)) if objective_of(e) < float("inf")
        ]
        axes.plot([x for x, _ in points], [y for _, y in points], label=_name(training), linewidth=1.6)
    axes.set(xlabel="epoch", ylabel="validation loss")
    axes.legend(frameon=False)
