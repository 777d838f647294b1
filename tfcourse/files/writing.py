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

RESTORE = "Restore it from a copy, or start again in a new folder."
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
    temporary = Path(beside(str(path)))
    try:
        yield temporary
        if durable:
            to_disk(temporary)
        os.replace(temporary, path)
        if durable:
            to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def beside(path: str) -> str:
    """Return where this process writes a file before it takes its name ``path``.

    >>> beside("a.txt") == f".{os.getpid()}.a.txt"
    True
    """
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{os.getpid()}.{name}")  # Keras looks at the suffix


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


def to_disk(path: Path | str) -> None:
    """Wait until a file, or which files a folder holds, is on the disk."""
    folder = os.path.isdir(path)
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

    What a process that is alive writes there stays; only this process must not be writing there.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / f".{os.getpid()}.run.json").write_text("half")
    >>> remove_leftovers(folder)
    >>> list(folder.iterdir())
    []
    """
    for path in folder.rglob(".[0-9]*.*"):
        writer = path.name.split(".")[1]
        if writer.isdecimal() and not (int(writer) != os.getpid() and is_alive(int(writer))):
            path.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Say whether there is a process of this number on this machine.

    >>> is_alive(os.getpid()), is_alive(2**100)
    (True, False)
    """
    try:
        os.kill(process, 0)
    except PermissionError:  # somebody else's
        return True
    except (OSError, OverflowError):
        return False
    return True


def write_bytes(path: Path, content: bytes | memoryview, *, durable: bool = True) -> None:
    """Write bytes, atomically.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.bin"
    >>> write_bytes(path, b"ab")
    >>> path.read_bytes()
    b'ab'
    """
    with replacing(path, durable=durable) as temporary:
        temporary.write_bytes(content)


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


def parse_json(text: str | bytes, *, nan: bool = False) -> Any:
    """Return the value that a JSON text describes.

    Args:
        text: the text.
        nan: whether NaN and infinite numbers may stand in it, as in KerasTuner's own files.

    Raises:
        ValueError: if it is none, or its brackets are nested too deep for Python.

    >>> parse_json('{"a": [1]}')
    {'a': [1]}
    """
    try:
        return json.loads(text, parse_constant=float if nan else _refuse)
    except RecursionError:
        raise ValueError("its brackets are nested too deep") from None


def damaged(path: Path, problem: object, advice: str = RESTORE) -> UserError:
    """Return the error for a file that is damaged, with what is wrong and what to do.

    >>> str(damaged(Path("run.json"), "'format' is missing", "Make it again."))
    "'run.json' is damaged ('format' is missing). Make it again."
    """
    return UserError(f"{str(path)!r} is damaged ({problem}). {advice}")


def read_json(path: Path, advice: str = RESTORE, *, nan: bool = False) -> Any:
    """Return what a JSON file of a run holds.

    Args:
        path: the file.
        advice: what to do if it is damaged.
        nan: whether NaN and infinite numbers may stand in it, as in KerasTuner's own files.

    Raises:
        UserError: if it is not there or is damaged.
    """
    try:
        return parse_json(path.read_text(encoding="utf-8"), nan=nan)
    except FileNotFoundError:
        raise UserError(f"{str(path.parent)!r} is not a whole run folder: {path.name} is not there.") from None
    except ValueError as error:
        raise damaged(path, error, advice) from None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
