"""When a training ends: by its ``epochs``, by its ``patience``, or since it was stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfcourse.babysitting.changes import LIMITS
from tfcourse.babysitting.journal import Event
from tfcourse.babysitting.keeper import Keeper
from tfcourse.babysitting.lineage import epochs_of
from tfcourse.babysitting.words import count_words, start_words
from tfcourse.errors import UserError

STOPPED = "it was stopped"


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
