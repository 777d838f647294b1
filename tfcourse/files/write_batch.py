"""Many files that are written through to the disk at once, which takes about as long as one.

A disk that is asked for one file after the other works through each; one that is asked for many at a time does so once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from tfcourse.files.writing import beside, to_disk

AT_A_TIME = 16
"""Files that the disk is asked for at a time; more brought nothing."""


class WriteBatch:
    """Files to write in one go; use it in a ``with`` block, at whose end they take their names.

    Each is whole or as it was, as with :func:`~tfcourse.files.writing.replacing`: every one is on the disk before the
    first takes its name, they take their names in the order in which they were written, and the names are on the disk
    at the end. What was written before an error in the block takes its name all the same, and so do the others where
    one file fails; the first error is raised when all that could be done is done.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with WriteBatch() as files:
    ...     for name in ("a.txt", "b.txt"):
    ...         with files.replacing(folder / name) as temporary:
    ...             _ = temporary.write_text("whole")
    ...     (folder / "a.txt").exists()
    False
    >>> sorted(file.name for file in folder.iterdir())
    ['a.txt', 'b.txt']
    """

    def __init__(self) -> None:
        self._written: dict[Path, Path] = {}

    @contextlib.contextmanager
    def replacing(self, path: Path) -> Iterator[Path]:
        """Give a path beside ``path`` to write to."""
        temporary = beside(path)
        try:
            yield temporary
        except BaseException:
            temporary.unlink(missing_ok=True)
            self._written.pop(path, None)
            raise
        self._written.pop(path, None)  # of two files of one name the later counts, in its own place
        self._written[path] = temporary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        written, self._written = self._written, {}
        named: list[Path] = []
        try:
            failed = _failures(to_disk, written.values())
            for path, temporary in list(written.items()):
                if temporary in failed:
                    continue
                try:
                    os.replace(temporary, path)
                except OSError as why:
                    failed[temporary] = why
                else:
                    named.append(path)
                    del written[path]
            failed |= _failures(to_disk, dict.fromkeys(path.parent for path in named))
        finally:
            for temporary in written.values():
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
        for error_of_one in failed.values():
            raise error_of_one


def _failures(call: Callable[[Path], None], paths: Iterable[Path]) -> dict[Path, OSError]:
    """Call a function with each path, many at a time, and return the errors."""
    paths = list(paths)
    failed: dict[Path, OSError] = {}

    def of_part(part: list[Path]) -> None:
        for path in part:
            try:
                call(path)
            except OSError as why:
                failed[path] = why

    parts = [paths[start::AT_A_TIME] for start in range(min(AT_A_TIME, len(paths)))]
    if len(parts) < 2:
        of_part(paths)
        return failed
    with ThreadPoolExecutor(len(parts)) as threads:
        list(threads.map(of_part, parts))
    return failed
