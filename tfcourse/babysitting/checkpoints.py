"""The checkpoints of a folder: whole states in files, which of them are there, and which may go."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.babysitting.thinning import Kept, to_drop
from tfcourse.errors import UserError
from tfcourse.files.arrays import read_arrays
from tfcourse.files.writing import make_folder, parse_json, replacing

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
    with replacing(path) as temporary:
        temporary.write_bytes(content.getbuffer())


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
        """Remove what may go; see :func:`tfcourse.babysitting.thinning.to_drop`."""
        for number in to_drop(list(self.there.values()), protected, time.time(), most_bytes):
            path_of(self.folder, number).unlink(missing_ok=True)
            del self.there[number]
