"""Files that are whole or not there: every write goes to a neighbour first and takes the name in one step.

They are also on the disk, in the order in which they were written, so that after a power cut no file tells of one that
is not there.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError

CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES)
"""What file systems answer that do not know of writing a folder through to the disk."""


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a path beside ``path`` to write to; when the block ends well, it becomes ``path`` atomically and for good.

    Args:
        path: the file to write.
        durable: whether to wait until it is on the disk; without, a power cut may leave it empty.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    temporary = path.with_name(f".{os.getpid()}.{path.name}")  # Keras looks at the suffix
    try:
        yield temporary
        if durable:
            to_disk(temporary)
        os.replace(temporary, path)
        if durable:
            to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def make_folder(path: Path, mode: int = 0o777) -> list[Path]:
    """Make a folder, unless it is there, and those above it that are not there; return the new ones, the inner first.

    >>> import tempfile
    >>> [folder.name for folder in make_folder(Path(tempfile.mkdtemp()) / "a" / "b")]
    ['b', 'a']
    """
    new = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    for each in new:
        to_disk(each.parent)
    return new


def to_disk(path: Path) -> None:
    """Wait until a file, or which files a folder holds, is on the disk."""
    folder = path.is_dir()
    try:
        descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    except OSError:
        if folder:  # as on systems on which a folder cannot be opened
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not folder or error.errno not in CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left beside the files of ``folder`` and of the folders in it.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / ".123.run.json").write_text("half")
    >>> remove_leftovers(folder)
    >>> list(folder.iterdir())
    []
    """
    for path in folder.rglob(".[0-9]*.*"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a text as UTF-8, atomically; a byte of a file name that is no text is written as ``\\udce9``.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> write_text(path, "größe")
    >>> path.read_bytes()
    b'gr\\xc3\\xb6\\xc3\\x9fe'
    """
    with replacing(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any, indent: int | None = 2, *, durable: bool = True) -> None:
    """Write ``value`` as JSON, atomically.

    Raises:
        ValueError: if it holds NaN or an infinite number, which JSON does not know.
    """
    write_text(path, json.dumps(value, indent=indent, allow_nan=False) + "\n", durable=durable)


def read_json(path: Path, *, nan: bool = False) -> Any:
    """Return what a JSON file of a run holds.

    Args:
        path: the file.
        nan: whether NaN and infinite numbers may stand in it, as in KerasTuner's own files.

    Raises:
        UserError: if it is not there or is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=float if nan else _refuse)
    except FileNotFoundError:
        raise UserError(f"{str(path.parent)!r} is not a whole run folder: {path.name} is not there.") from None
    except (ValueError, RecursionError) as error:
        problem = "its brackets are nested too deep" if isinstance(error, RecursionError) else error
        raise UserError(
            f"{str(path)!r} is damaged ({problem}). Restore it from a copy, or start the search again in a new folder."
        ) from None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
