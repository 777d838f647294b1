"""Which checkpoints may go, so that the disk stays bounded: all of the last day stay, then fewer and fewer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

HOUR, DAY = 3600.0, 86400.0
SPACING = ((DAY, 0.0), (7 * DAY, HOUR), (float("inf"), DAY))
"""Up to which age checkpoints keep which distance: all of the last day, one an hour for a week, then one a day."""


@dataclass(frozen=True)
class Kept:
    """A checkpoint on disk: its number, the moment it was written in seconds, and its size in bytes."""

    number: int
    time: float
    size: int


def to_drop(checkpoints: Sequence[Kept], protected: Collection[int], now: float, most_bytes: float) -> list[int]:
    """Return the numbers of the checkpoints that may go.

    First by age (:data:`SPACING`); if the rest is still larger than ``most_bytes``, those that stand closest to their
    neighbours for their age go too, so that what is kept is dense lately and sparse long ago.

    Args:
        checkpoints: all of them.
        protected: numbers that stay whatever happens: the best, the newest, and those that the journal names.
        now: the present, in the checkpoints' seconds.
        most_bytes: what all together may take; the protected ones may take more.

    >>> hourly = [Kept(number, 3600.0 * number, 1) for number in range(200)]
    >>> dropped = to_drop(hourly, {0}, 199 * 3600.0, 1e9)
    >>> 0 in dropped, len(hourly) - len(dropped)
    (False, 171)
    """
    kept = sorted(checkpoints, key=lambda each: each.number)
    dropped: list[int] = []
    last = -float("inf")
    for each in list(kept):
        spacing = next(distance for age, distance in SPACING if now - each.time <= age)
        if each.number in protected or each.time - last >= spacing:
            last = each.time
        else:
            kept.remove(each)
            dropped.append(each.number)
    while sum(each.size for each in kept) > most_bytes:
        free = [index for index, each in enumerate(kept) if each.number not in protected]
        if not free:
            break
        index = min(free, key=lambda index: _loneliness(kept, index, now))
        dropped.append(kept.pop(index).number)
    return dropped


def _loneliness(kept: Sequence[Kept], index: int, now: float) -> tuple[float, float]:
    """Return the gap that the checkpoint's going would leave, in parts of its age; the older go first."""
    before = kept[index - 1].time if index else kept[index].time - DAY
    after = kept[index + 1].time if index + 1 < len(kept) else now
    age = max(now - kept[index].time, 1.0)
    return (after - before) / age, kept[index].time
