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
    at the end. What was written before an error in the block takes its name all the same.

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
        paths = list(written)
        try:
            _at_once(to_disk, written.values())
            for path in paths:
                os.replace(written[path], path)
                del written[path]
            _at_once(to_disk, dict.fromkeys(path.parent for path in paths))
        finally:
            for temporary in written.values():
                temporary.unlink(missing_ok=True)


def _at_once(call: Callable[[Path], None], paths: Iterable[Path]) -> None:
    """Call a function with each path, many at a time, and raise the first error of any."""
    paths = list(paths)
    parts = [paths[start::AT_A_TIME] for start in range(min(AT_A_TIME, len(paths)))]

    def of_part(part: list[Path]) -> None:
        for path in part:
            call(path)

    if len(parts) < 2:
        of_part(paths)
        return
    with ThreadPoolExecutor(len(parts)) as threads:
        for _ in threads.map(of_part, parts):
            pass
