"""What a babysat training shows on a terminal: is it alive, where is it, its curves and what was done to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tfcourse.babysitting.heartbeat import read_heartbeat
from tfcourse.babysitting.journal import Event, read_journal
from tfcourse.babysitting.lineage import best_epoch, epochs_of, objective_of, surviving
from tfcourse.babysitting.lock import is_held
from tfcourse.babysitting.plot import curves
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
        last: what it last said of itself; see :mod:`tfcourse.babysitting.heartbeat`.
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
