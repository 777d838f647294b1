"""Which events of a journal the present weights come from: what was reverted, or lost in a kill, is left out.

A *state* is what an event leaves behind: weights, optimizer, data order, hyperparameters. Events of the kinds in
:data:`STATES` change it by training or by hand; a revert, or a restart from a checkpoint, goes back to an earlier one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from numbers import Real
from typing import Any

from tfcourse.babysitting.journal import Event
from tfcourse.errors import UserError

STATES = ("start", "epoch", "change", "checkpoint")
BACK = ("revert", "restart")
BACK_IN_TIME = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def surviving(events: Sequence[Event]) -> list[Event]:
    """Return the states that lead to the present one, in order.

    >>> events = [
    ...     {"number": 0, "kind": "start"},
    ...     {"number": 1, "kind": "epoch"},
    ...     {"number": 2, "kind": "epoch"},
    ...     {"number": 3, "kind": "revert", "to": 1},
    ...     {"number": 4, "kind": "change"},
    ... ]
    >>> [event["number"] for event in surviving(events)]
    [0, 1, 4]
    """
    states: dict[int, Event] = {}
    came_from: dict[int, int | None] = {}
    now: int | None = None
    for event in events:
        if event["kind"] in STATES:
            states[event["number"]], came_from[event["number"]] = event, now
            now = event["number"]
        elif event["kind"] in BACK:
            now = event["to"]
    path: list[Event] = []
    while now is not None and now in states:
        path.append(states[now])
        now = came_from[now]
    return path[::-1]


def epochs_of(path: Sequence[Event]) -> list[Event]:
    """Return the epochs among the states."""
    return [event for event in path if event["kind"] == "epoch"]


def objective_of(epoch: Event) -> float:
    """Return what an epoch is judged by: its validation loss, or its loss where nothing was validated.

    An epoch whose loss was not finite, or that has none, has infinity.

    >>> objective_of({"logs": {"loss": 0.5, "val_loss": None}})
    inf
    """
    value = epoch["logs"].get(judged_by(epoch))
    return math.inf if value is None else float(value)


def judged_by(epoch: Event) -> str:
    """Return the name of the loss that an epoch is judged by; empty where it has none.

    >>> judged_by({"logs": {"loss": 0.5, "val_loss": 0.6}}), judged_by({"logs": {"d_loss": 0.5}})
    ('val_loss', '')
    """
    return next((name for name in ("val_loss", "loss") if name in epoch["logs"]), "")


def judged(epochs: Sequence[Event]) -> list[Event]:
    """Return the epochs that can be compared: those that were validated, where any was; else those that have a loss.

    >>> epochs = [{"logs": {"loss": 0.1}}, {"logs": {"loss": 0.2, "val_loss": 0.3}}]
    >>> judged(epochs) == epochs[1:]
    True
    """
    names = {judged_by(epoch) for epoch in epochs}
    name = "val_loss" if "val_loss" in names else "loss"
    return [epoch for epoch in epochs if judged_by(epoch) == name]


def best_epoch(path: Sequence[Event]) -> Event | None:
    """Return the epoch with the lowest objective, the first of several; None before any finite one."""
    kept = [epoch for epoch in judged(epochs_of(path)) if epoch.get("checkpoint", True)]  # the best one always has one
    finite = [epoch for epoch in kept if math.isfinite(objective_of(epoch))]
    return min(finite, key=objective_of, default=None)


def better_but_lost(path: Sequence[Event]) -> Event | None:
    """Return the best epoch of all where a full disk did not let it be kept, None where it was.

    >>> kept = {"kind": "epoch", "logs": {"loss": 0.5}, "checkpoint": True}
    >>> lost = {"kind": "epoch", "logs": {"loss": 0.4}, "checkpoint": False, "disk_full": True}
    >>> better_but_lost([kept, lost]) == lost, better_but_lost([kept])
    (True, None)
    """
    best = best_epoch([{**event, "checkpoint": True} if event.get("disk_full") else event for event in path])
    return next((event for event in path if event.get("disk_full") and {**event, "checkpoint": True} == best), None)


def named_by_interventions(events: Sequence[Event]) -> set[int]:
    """Return the numbers of the states that the journal names by hand: where it began, changed, or went back to."""
    kept = {int(event["number"]) for event in events if event["kind"] in ("start", "change")}
    return kept | {int(event["to"]) for event in events if event["kind"] in BACK}


def find_state(events: Sequence[Event], to: str, kept: set[int], now: datetime) -> Event:
    """Return the state that ``to`` names.

    Args:
        events: the journal.
        to: in the past of the present state an epoch's number (0 is before the first), ``best``, or a time back such
            as ``-90s``, ``-10m``, ``-1d``; or any state by its number in the journal, such as ``#41``.
        kept: numbers of the states whose checkpoint is still there.
        now: the present, with its time zone.

    Raises:
        UserError: if there is no such state; it says which there are.

    >>> path = [{"number": 0, "kind": "start", "epoch": 0}, {"number": 1, "kind": "epoch", "epoch": 1}]
    >>> find_state(path, "1", {0, 1}, datetime.now())["number"]
    1
    """
    if to[:1] == "#":
        return _by_number(events, to, kept)
    path = surviving(events)
    there = [event for event in path if event["number"] in kept]
    if not there:
        raise UserError("No checkpoint is there to go back to; the folder's checkpoints were removed.")
    if to == "best":
        best = best_epoch([event for event in there if event["kind"] == "epoch"])
        if best is None:
            raise UserError("No epoch with a finite loss has ended yet, so none is the best; --to 0 is the beginning.")
        return best
    if to[:1] == "-" and to[-1:] in BACK_IN_TIME:
        return _at_time(there, to, now)
    if not to.isdigit():
        raise UserError(
            f"--to: {to!r} was given; allowed are an epoch's number, best, a time back such as -10m or -1d,"
            " or a number in the journal such as #41."
        )
    epoch = int(to)
    found = [event for event in there if event["kind"] in ("start", "epoch") and event["epoch"] == epoch]
    if found:
        return found[-1]
    numbers = [event["epoch"] for event in there if event["kind"] in ("start", "epoch")]
    near = sorted(sorted(numbers, key=lambda number: abs(number - epoch))[:3])
    why = "its checkpoint was thinned out" if any(e.get("epoch") == epoch for e in path) else "there is no such epoch"
    raise UserError(f"--to: epoch {epoch} was given, but {why}; the nearest are {', '.join(map(str, near))}.")


def _by_number(events: Sequence[Event], to: str, kept: set[int]) -> Event:
    found = [event for event in events if event["kind"] in STATES and f"#{event['number']}" == to]
    if not found:
        raise UserError(f"--to: {to} was given, but the journal has no state of that number.")
    if found[0]["number"] not in kept:
        raise UserError(f"--to: {to} was given, but its checkpoint was thinned out.")
    return found[0]


def _at_time(there: Sequence[Event], to: str, now: datetime) -> Event:
    try:
        back = timedelta(seconds=float(to[1:-1]) * BACK_IN_TIME[to[-1]])
    except (ValueError, OverflowError):
        raise UserError(f"--to: {to!r} was given; allowed are times back such as -90s, -10m, -2h or -1d.") from None
    old = [event for event in there if datetime.fromisoformat(event["time"]) <= now - back]
    if not old:
        first = datetime.fromisoformat(there[0]["time"])
        raise UserError(
            f"--to: {to} was given, but the oldest checkpoint is of {first:%Y-%m-%d %H:%M:%S}; --to 0 goes back to it."
        )
    return old[-1]


def last_epoch(path: Sequence[Event]) -> int:
    """Return how many epochs the present state has seen to their end."""
    return int(path[-1]["epoch"]) if path else 0


def finite_logs(logs: Mapping[str, Any]) -> dict[str, float | None]:
    """Return an epoch's numbers as JSON knows them: None for one that is not finite; losses first.

    What is no single number is left out.

    >>> finite_logs({"accuracy": 0.9, "loss": math.nan, "per_class": [0.5, 1.0]})
    {'loss': None, 'accuracy': 0.9}
    """
    numbers = {name: float(value) for name, value in logs.items() if isinstance(value, Real) or _is_scalar(value)}
    names = sorted(numbers, key=lambda name: (name.startswith("val_"), "loss" not in name))
    return {name: numbers[name] if math.isfinite(numbers[name]) else None for name in names}


def _is_scalar(value: Any) -> bool:
    return bool(getattr(value, "shape", None) == ())


def losses_of(logs: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the losses among an epoch's or a step's numbers, None for one that is not finite.

    >>> losses_of({"d_loss": 0.5, "loss": math.inf, "val_loss": None, "accuracy": 0.9})
    {'d_loss': 0.5, 'loss': None, 'val_loss': None}
    """
    names = [name for name in logs if name == "loss" or name.endswith("_loss")]
    return finite_logs({name: math.nan if logs[name] is None else logs[name] for name in names})
