"""When a training ends by itself: by its ``epochs`` or its ``patience``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcourse.babysitting.keeper import Keeper
from tfcourse.babysitting.words import count_words, start_words


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


def how_to_go_on(folder: Path, changes: Mapping[str, Any]) -> str:
    """Return how to go on with changes: by our command, or in the program whose own model this is."""
    if (folder / "run.json").exists():
        return start_words(folder, changes)
    return f"open(model, {dict(changes)}) of the Babysitter, before it trains"
