"""The checkpoints of a folder: whole states in files, which of them are there, and which may go."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.errors import UserError
from tfcourse.files.arrays import read_arrays
from tfcourse.files.writing import make_folder, parse_json, write_bytes

FOLDER = "checkpoints"
FACTS = "facts"


class DamagedCheckpointError(UserError):
    """A checkpoint that cannot be read; an earlier one may be whole."""


def path_of(folder: Path, number: int) -> Path:
    """Return where the checkpoint of the event ``number`` lies.

    >>> path_of(Path("run"), 12).as_posix()
    'run/checkpoints/00000012.npz'
    """
    return folder / FOLDER / f"{number:08d}.npz"


def write(path: Path, arrays: dict[str, NDArray[Any]], facts: dict[str, Any]) -> None:
    """Write a checkpoint through to the disk, whole or not at all."""
    make_folder(path.parent)
    content = io.BytesIO()
    np.savez(content, **{**arrays, FACTS: np.array(json.dumps(facts))})  # type: ignore[arg-type]
    write_bytes(path, content.getbuffer())


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and facts of a checkpoint.

    Raises:
        DamagedCheckpointError: if it is not there or is damaged.
    """
    try:
        arrays = read_arrays(path)
        return arrays, dict(parse_json(str(arrays.pop(FACTS))))
    except FileNotFoundError:
        raise DamagedCheckpointError(f"The checkpoint {str(path)!r} is not there.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedCheckpointError(f"The checkpoint {str(path)!r} is damaged ({error}).") from None


class Checkpoints:
    """What is kept in ``folder/checkpoints``, one file an event, named by the event's number.

    Args:
        folder: the training's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.there: dict[int, Kept] = {}
        for path in (folder / FOLDER).glob("[0-9]*.npz"):
            if path.stem.isdigit():
                self._found(int(path.stem))

    def _found(self, number: int) -> None:
        status = path_of(self.folder, number).stat()
        self.there[number] = Kept(number, status.st_mtime, status.st_size)

    @property
    def numbers(self) -> set[int]:
        """The numbers of the events whose checkpoint is there."""
        return set(self.there)

    @property
    def largest(self) -> int:
        """Bytes of the largest one."""
        return max((each.size for each in self.there.values()), default=0)

    def write(self, number: int, arrays: dict[str, NDArray[Any]], facts: dict[str, Any]) -> None:
        """Keep a state under a number."""
        write(path_of(self.folder, number), arrays, facts)
        self._found(number)

    def read(self, number: int) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the state of a number; see :func:`read`."""
        return read(path_of(self.folder, number))

    def give_one_up(self, protected: Collection[int]) -> bool:
        """Remove the checkpoint that is missed least, for the room that it takes; say whether there was one."""
        total = sum(each.size for each in self.there.values())
        there = len(self.there)
        self.thin(protected, total - 1)
        return len(self.there) < there

    def thin(self, protected: Collection[int], most_bytes: float) -> None:
        """Remove what may go; see :func:`tfcourse.babysitting.checkpoints.to_drop`."""
        for number in to_drop(list(self.there.values()), protected, time.time(), most_bytes):
            path_of(self.folder, number).unlink(missing_ok=True)
            del self.there[number]


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
