"""Files that are whole or not there: every write goes to a neighbour first and takes the name in one step."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside ``path`` to write to; when the block ends well, it becomes ``path`` atomically.

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
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    """Write ``value`` as JSON, atomically.

    Raises:
        ValueError: if it holds NaN or an infinite number, which JSON does not know.
    """
    text = json.dumps(value, indent=indent, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return what a JSON file of a run holds.

    Raises:
        UserError: if it is not there or is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise UserError(f"{str(path.parent)!r} is not a whole run folder: {path.name} is not there.") from None
    except (ValueError, RecursionError) as error:
        problem = "its brackets are nested too deep" if isinstance(error, RecursionError) else error
        raise UserError(
            f"{str(path)!r} is damaged ({problem}). Restore it from a copy, or start the search again in a new folder."
        ) from None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
