"""Many files that are written through to the disk at once, which takes about as long as one.

A disk that is asked for one file after the other works through each; one that is asked for many at a time does so once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
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

    Paths are texts here: of many small files, taking a ``pathlib.Path`` apart was a part of the cost.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with WriteBatch() as files:
    ...     files.write(f"{folder}/a.txt", b"whole")
    ...     files.write(f"{folder}/b.txt", b"whole")
    ...     os.path.exists(f"{folder}/a.txt")
    False
    >>> sorted(os.listdir(folder))
    ['a.txt', 'b.txt']
    """

    def __init__(self) -> None:
        self._written: dict[str, str] = {}

    def write(self, path: str, content: bytes) -> None:
        """Write the content of ``path`` beside it."""
        self._written.pop(path, None)  # of two files of one name the later counts, in its own place
        temporary = beside(path)
        try:
            with open(temporary, "wb") as file:
                file.write(content)
        except BaseException:
            _remove(temporary)
            raise
        self._written[path] = temporary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        written, self._written = self._written, {}
        named: list[str] = []
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
            failed |= _failures(to_disk, dict.fromkeys(map(os.path.dirname, named)))
        finally:
            for temporary in written.values():
                _remove(temporary)
        for error_of_one in failed.values():
            raise error_of_one


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _failures(call: Callable[[str], None], paths: Iterable[str]) -> dict[str, OSError]:
    """Call a function with each path, many at a time, and return the errors."""
    paths = list(paths)
    failed: dict[str, OSError] = {}

    def of_part(part: list[str]) -> None:
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
