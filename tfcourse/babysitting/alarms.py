"""When to call the person who watches: pure rules over what has been measured."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfcourse.babysitting.journal import Event
from tfcourse.babysitting.lineage import judged_by, losses_of, objective_of

if TYPE_CHECKING:
    from tfcourse.babysitting.keeper import Keeper

NOT_FINITE, DISK = "not finite", "disk nearly full"


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
