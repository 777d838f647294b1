"""What a babysat training shows on a terminal: is it alive, where is it, its curves and what was done to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tfcourse.babysitting.journal import Event, read_journal
from tfcourse.babysitting.lineage import best_epoch, epochs_of, objective_of, surviving
from tfcourse.babysitting.lock import is_held, read_heartbeat
from tfcourse.babysitting.words import count_words, event_words, numbers_words, settings_words, start_words
from tfcourse.errors import UserError
from tfcourse.run.folder import TRAINING, RunFolder, RunStatus

INTERVENTIONS = ("change", "revert", "pause", "resume", "stop", "alarm", "restart", "refused", "end")
SHOWN = 6


@dataclass(frozen=True)
class Status:
    """A babysat training as it is now.

    Args:
        folder: its folder.
        alive: whether it runs.
        last: what it last said of itself; see :mod:`tfcourse.babysitting.lock`.
        events: its journal.
        path: the states that led to the present one.
        finished: whether what is left at its end has been left.
    """

    folder: Path
    alive: bool
    last: dict[str, Any]
    events: list[Event]
    path: list[Event]
    finished: bool = True

    @property
    def best(self) -> Event | None:
        """The best epoch that led to the present state."""
        return best_epoch(self.path)

    @property
    def last_state(self) -> Event:
        """The present state; empty where the journal goes back to one that it does not have."""
        return self.path[-1] if self.path else {}

    def to_json(self) -> dict[str, Any]:
        """Return the status JSON-ready."""
        epochs, best = epochs_of(self.path), self.best
        return {
            "folder": str(self.folder),
            "alive": self.alive,
            **self.last,
            "state": self.state,
            "best": best and {"epoch": best["epoch"], **best["logs"]},
            "curve": [{"epoch": each["epoch"], **each["logs"]} for each in epochs],
            "interventions": [event for event in self.events if event["kind"] in INTERVENTIONS],
        }

    @property
    def state(self) -> str:
        """What it does or how it ended, in a word.

        ``training``, ``paused``, ``ended``, ``interrupted``, ``unfinished``: it had ended, but its process did not come
        to leave the model, or ``dead``: not running although nobody ended it.
        """
        if self.alive:
            return str(self.last.get("state", "training"))
        if self.events[-1].get("why") == "interrupted":
            return "interrupted"
        ends = [event["kind"] for event in self.events if event["kind"] in ("end", "restart", "start")]
        if not ends or ends[-1] != "end":
            return "dead"
        return "ended" if self.finished else "unfinished"


def status_of(folder: Path) -> Status:
    """Return how the training in ``folder`` is.

    Raises:
        UserError: if there is none.
    """
    alive = is_held(folder)
    events = read_journal(folder).events
    if not events:
        raise UserError(f"{str(folder)!r} holds no babysat training. Start one: {start_words(folder)}")
    own_model = not (folder / "run.json").exists()
    finished = alive or own_model or RunFolder.open(folder, TRAINING).record["status"] == RunStatus.COMPLETED
    return Status(folder, alive, read_heartbeat(folder), events, surviving(events), finished)


def status_lines(status: Status, *, width: int = 72, height: int = 12) -> list[str]:
    """Return the status in lines of text."""
    lines = [_where(status)]
    live: dict[str, Any] = status.last.get("live") or {}
    if live:
        lines.append(f"  {settings_words(live)}")
    rate = status.last.get("samples_per_second")
    if status.state == "training" and rate:
        lines.append(f"  {rate:,.0f} {'rows' if status.last.get('rows') else 'steps'} a second".replace(",", " "))
    epochs, best = epochs_of(status.path), status.best
    if epochs:
        lines.append(f"  last epoch: {numbers_words(epochs[-1]['logs'])}")
    if best is not None:
        name = "val_loss" if "val_loss" in best["logs"] else "loss"
        lines.append(f"  best {name}: {objective_of(best):.4f} at epoch {best['epoch']}")
    series = {
        name: [epoch["logs"].get(name) for epoch in epochs]
        for name in ("loss", "val_loss")
        if any(name in epoch["logs"] for epoch in epochs)
    }
    first = int(epochs[0]["epoch"]) if epochs else 1
    lines += curves(series, changed_after(status.path), first=first, width=width, height=height)
    # Who asked for what was refused has been told; here it would crowd out what was done.
    told = [event for event in status.events if event["kind"] in INTERVENTIONS and event["kind"] != "refused"]
    if told:
        lines.append("Last in the journal" if len(told) > SHOWN else "In the journal")
        lines += [f"  {event_words(event)}" for event in told[-SHOWN:]]
    return lines


def changed_after(path: Sequence[Event]) -> list[int]:
    """Return the epochs after which a hyperparameter was changed, in the present state's past."""
    return [int(event["epoch"]) for event in path if event["kind"] == "change"]


def _where(status: Status) -> str:
    last, state = status.last, status.state
    epoch, step = last.get("epoch", 0), last.get("step", 0)
    if status.path and not status.alive:
        epoch, step = status.last_state.get("epoch", 0), status.last_state.get("step", 0)
    rows = f", row {last['offset']} of {last['rows']}" if status.alive and last.get("rows") else ""
    where = f"{count_words(epoch, 'epoch')} and step {step} done{rows}"
    if state == "dead":
        return (
            f"{status.folder}: not running; it ended without being stopped after {where}. Go on:"
            f" {start_words(status.folder)}"
        )
    if state == "unfinished":
        return f"{status.folder}: ended, {where}, but its model was not made. Make it: {start_words(status.folder)}"
    if state in ("ended", "interrupted"):
        again = f". Go on: {start_words(status.folder)}" if state == "interrupted" else ""
        return f"{status.folder}: {state}, {where}{again}"
    seen = _seconds_ago(last.get("time"))
    quiet = f"; it last spoke {seen:.0f} s ago" if seen > 30 else ""
    return f"{status.folder}: {state}, process {last.get('process')} on {last.get('host')}, {where}{quiet}"


def _seconds_ago(time: str | None) -> float:
    if time is None:
        return 0.0
    return (datetime.now().astimezone() - datetime.fromisoformat(time)).total_seconds()


SYMBOLS = "·o"
BOTH, MARK = "*", "^"
COLUMNS_AN_EPOCH = 4
LOG_FROM = 10.0
"""A curve whose largest value is so many times its smallest is drawn on a log scale."""


def curves(
    series: Mapping[str, Sequence[float | None]],
    marks: Sequence[int] = (),
    *,
    first: int = 1,
    width: int = 72,
    height: int = 12,
) -> list[str]:
    """Return lines of text that show one or two curves over the epochs.

    Args:
        series: values by name, one an epoch, None where there is no finite one.
        marks: epochs, from 1, after which something was changed.
        first: the epoch of the first values; a branch begins later than 1.
        width: columns of the plot, without the labels at its left.
        height: its rows.

    >>> for line in curves({"loss": [4.0, 3.0, 2.0, 1.0]}, [2], width=8, height=4):
    ...     print(line.rstrip())
              4 ┤·
                ┤  ·
                ┤    ·
              1 ┤      ·
                └────────
                   ^
                 epochs 1 to 4; · loss; ^ changed
    """
    epochs = max((len(values) for values in series.values()), default=0)
    finite = [value for values in series.values() for value in values if value is not None]
    if not finite or epochs < 2:
        return []
    width = min(width, COLUMNS_AN_EPOCH * epochs)
    low, high = min(finite), max(finite)
    log = low > 0 and high / low >= LOG_FROM
    grid = [[" "] * width for _ in range(height)]
    for symbol, values in zip(SYMBOLS, series.values(), strict=False):
        for column, value in enumerate(_columns(values, epochs, width)):
            if value is not None:
                row = _row(value, low, high, height, log)
                grid[row][column] = symbol if grid[row][column] == " " else BOTH
    labels = {0: f"{high:.4g}", height - 1: f"{low:.4g}"}
    lines = [f"{labels.get(row, ''):>11} ┤{''.join(cells)}" for row, cells in enumerate(grid)]
    lines.append(" " * 12 + "└" + "─" * width)
    if marks:
        below = [" "] * width
        for mark in marks:
            below[_column(max(mark - first, 0), epochs, width)] = MARK
        lines.append(" " * 13 + "".join(below))
    names = "; ".join(f"{symbol} {name}" for symbol, name in zip(SYMBOLS, series, strict=False))
    scale = "; log scale" if log else ""
    lines.append(f"{' ' * 13}epochs {first} to {first + epochs - 1}; {names}{'; ^ changed' if marks else ''}{scale}")
    return lines


def _column(epoch: int, epochs: int, width: int) -> int:
    return min(epoch * width // epochs, width - 1)


def _columns(values: Sequence[float | None], epochs: int, width: int) -> list[float | None]:
    """Return the mean of the finite values that fall into each column."""
    found: list[list[float]] = [[] for _ in range(width)]
    for epoch, value in enumerate(values):
        if value is not None:
            found[_column(epoch, epochs, width)].append(value)
    return [sum(part) / len(part) if part else None for part in found]


def _row(value: float, low: float, high: float, height: int, log: bool) -> int:
    if high == low:
        return height - 1
    share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return round((1.0 - share) * (height - 1))
