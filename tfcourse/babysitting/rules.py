"""Rules over what a training has measured: when to call the person who watches, and when it ends by itself."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse.babysitting.changes import LIMITS
from tfcourse.babysitting.journal import Event
from tfcourse.babysitting.lineage import epochs_of, judged_by, losses_of, objective_of
from tfcourse.babysitting.words import count_words, start_words
from tfcourse.errors import UserError

if TYPE_CHECKING:
    from tfcourse.babysitting.keeper import Keeper

NOT_FINITE, DISK = "not finite", "disk nearly full"
STOPPED = "it was stopped"


@dataclass(frozen=True)
class AlarmRules:
    """When to raise an alarm.

    Args:
        margin: by how much of itself the best loss may be exceeded; 0.5 is half as much again.
        least_margin: by how much it may be exceeded in any case, since half of nearly nothing is nothing.
        stalled: epochs without a better one that count as stalled.
        checkpoints_left: for how many more checkpoints there must be room on the disk.
    """

    margin: float = 0.5
    least_margin: float = 0.05
    stalled: int = 20
    checkpoints_left: int = 20


@dataclass(frozen=True)
class Alarm:
    """An alarm: which rule raised it, and what happened in words."""

    what: str
    text: str


def of_epoch(kept: Keeper, rules: AlarmRules) -> list[Alarm]:
    """Return the alarms that the epoch which has just ended raises, by its losses and its weights."""
    found = of_loss(kept.epochs_since_best(), kept.best, rules)
    if not kept.finite:
        found.append(Alarm(NOT_FINITE, f"a weight is not a finite number after epoch {kept.epoch}"))
    return found


def of_loss(since_best: Sequence[Event], best: Event | None, rules: AlarmRules) -> list[Alarm]:
    """Return the alarms that the last epoch raises; each is raised once for each best epoch.

    Epochs that were not validated are not compared with one that was.

    Args:
        since_best: the epochs since the best one, of which the last has just ended; all where none is the best.
        best: the epoch with the lowest loss; None if none was finite.
        rules: when to raise an alarm.

    >>> losses = [0.5, 0.4, 0.9, 0.9]
    >>> epochs = [{"kind": "epoch", "epoch": e, "logs": {"val_loss": l}} for e, l in enumerate(losses, 1)]
    >>> [alarm.what for alarm in of_loss(epochs[2:3], epochs[1], AlarmRules())]
    ['loss above its best']
    >>> of_loss(epochs[2:], epochs[1], AlarmRules())
    []
    """
    if not since_best:
        return []
    last = since_best[-1]
    if broken := [name for name, value in losses_of(last["logs"]).items() if value is None]:
        return [Alarm(NOT_FINITE, f"the {broken[0]} of epoch {last['epoch']} is not a finite number")]
    name = "" if best is None else judged_by(best)
    if best is None or judged_by(last) != name:
        return []
    since_best = [epoch for epoch in since_best if judged_by(epoch) == name]
    lowest, now, found = objective_of(best), objective_of(last), []
    limit = limit_above(lowest, rules)
    if now > limit and not any(objective_of(epoch) > limit for epoch in since_best[:-1]):
        text = f"{name} {now:.4g} is far above its best, {lowest:.4g} at epoch {best['epoch']}"
        found.append(Alarm("loss above its best", text))
    if len(since_best) == rules.stalled:
        text = f"no better {name} than {lowest:.4g} of epoch {best['epoch']} for {rules.stalled} epochs"
        found.append(Alarm("stalled", text))
    return found


def limit_above(lowest: float, rules: AlarmRules) -> float:
    """Return the loss above which there is an alarm.

    >>> limit_above(0.4, AlarmRules()), round(limit_above(0.0001, AlarmRules()), 4)
    (0.6000000000000001, 0.0501)
    """
    return lowest + max(rules.margin * abs(lowest), rules.least_margin)


def of_disk(folder: Path, checkpoint_bytes: float, rules: AlarmRules) -> Alarm | None:
    """Return an alarm if there is room for only a few more checkpoints on the folder's disk."""
    free = shutil.disk_usage(folder).free
    if free >= checkpoint_bytes * rules.checkpoints_left:
        return None
    return Alarm(DISK, f"{free / 1e6:.0f} MB are free, a checkpoint takes {checkpoint_bytes / 1e6:.1f}")


def spent(kept: Keeper, limits: Mapping[str, Any]) -> dict[str, int]:
    """Return the epochs spent of each limit that is reached; of ``patience`` those that can be compared."""
    found = {"epochs": kept.epoch, "patience": 0 if kept.best is None else len(kept.judged_since_best())}
    return {name: number for name, number in found.items() if limits[name] is not None and number >= limits[name]}


def why_to_end(kept: Keeper, limits: Mapping[str, Any]) -> str:
    """Return why a training ends here; empty if it does not."""
    reached, best = spent(kept, limits), kept.best
    if "epochs" in reached:
        return f"{count_words(limits['epochs'], 'epoch')} {'was' if limits['epochs'] == 1 else 'were'} asked for"
    if "patience" in reached and best is not None:
        every = kept.epoch - int(best["epoch"]) == reached["patience"]
        count = count_words(reached["patience"], "epoch" if every else "validated epoch")
        return f"no better epoch than {best['epoch']} for {count}"
    return ""


def ended(kept: Keeper, values: Mapping[str, Any], changes: Mapping[str, Any], unfinished: bool) -> str:
    """Return why a training that is opened again has ended and only something is left to do; empty if it goes on.

    Args:
        kept: what it keeps.
        values: its live hyperparameters.
        changes: what they are to be changed to first.
        unfinished: whether something is left to do after its last epoch.

    Raises:
        UserError: if it has ended and nothing is left to do, or changes were asked for that it could not come to.
    """
    if unfinished and kept.is_to_train_again:
        return ""
    limits = {**values, **changes}
    why = why_to_end(kept, limits)
    if why and not (unfinished and set(changes) <= set(LIMITS)):
        higher = {**changes, **{name: 2 * number for name, number in spent(kept, limits).items()}}
        left = "To make its model, which is not there yet, leave the changes out. " if unfinished else ""
        raise UserError(
            f"This training has ended: {why}. {left}To go on, set that higher or off:"
            f" {how_to_go_on(kept.folder, higher)}"
        )
    return why or (_why_it_had_ended(kept) if unfinished and not changes else "")


def _why_it_had_ended(kept: Keeper) -> str:
    """Return why a training had ended that was killed before all was done that comes after its last epoch."""
    last, stop = kept.journal.events[-1], stop_that_holds(kept.journal.events)
    if last["kind"] == "end":
        return str(last["why"])
    if stop is not None and any(epoch["number"] > stop["number"] for epoch in epochs_of(kept.path)):
        return STOPPED
    return ""


def stop_that_holds(events: Sequence[Event]) -> Event | None:
    """Return the stop that was asked for, if the training has not ended since, nor gone on with a change.

    >>> stop_that_holds([{"kind": "stop", "number": 3}, {"kind": "restart", "number": 4}])
    {'kind': 'stop', 'number': 3}
    >>> stop_that_holds([{"kind": "stop", "number": 3}, {"kind": "end", "number": 4}])
    """
    told = [event for event in events if event["kind"] in ("stop", "end", "change")]
    return told[-1] if told and told[-1]["kind"] == "stop" else None


def how_to_go_on(folder: Path, changes: Mapping[str, Any]) -> str:
    """Return how to go on with changes: by our command, or in the program whose own model this is."""
    if (folder / "run.json").exists():
        return start_words(folder, changes)
    return f"open(model, {dict(changes)}) of the Babysitter, before it trains"
