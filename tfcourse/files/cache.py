"""A folder in the user's cache: what is read there is whole and the user's own, and whatever goes wrong is a miss.

``TFCOURSE_CACHE`` says where it is, or ``off``. Machine code may lie there, so nobody else may write to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
from pathlib import Path

from tfcourse.files.writing import replacing

VARIABLE = "TFCOURSE_CACHE"
OFF = "off"
LIMIT = 256 * 2**20
"""Bytes that a folder may hold; the least recently used files go."""
_DIGEST = hashlib.sha256().digest_size


def user_cache() -> Path | None:
    """Return the folder for what can be made again; None if ``TFCOURSE_CACHE`` is ``off`` or there is no such place.

    It is what ``TFCOURSE_CACHE`` says, or ``tfcourse`` in the folder that the system has for it: ``$XDG_CACHE_HOME``,
    ``~/.cache``, on a Mac ``~/Library/Caches``.

    >>> before = os.environ.get(VARIABLE)
    >>> os.environ[VARIABLE] = "off"
    >>> user_cache() is None
    True
    >>> os.environ[VARIABLE] = "/var/tmp/mine"
    >>> user_cache().as_posix()
    '/var/tmp/mine'
    >>> del os.environ[VARIABLE]
    >>> user_cache().name
    'tfcourse'
    >>> if before is not None:
    ...     os.environ[VARIABLE] = before
    """
    given = os.environ.get(VARIABLE, "")
    if given.lower() == OFF or not hasattr(os, "geteuid"):  # without owners nothing says whose a file is
        return None
    try:
        if given:
            return Path(given).expanduser().absolute()
        if os.path.isabs(home := os.environ.get("XDG_CACHE_HOME", "")):
            return Path(home) / "tfcourse"
        return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "tfcourse"
    except (RuntimeError, OSError):  # no home, or no present folder
        return None


class CacheFolder:
    """Contents by name, kept on disk as long as there is room.

    No method raises because of what the disk does or holds. Several processes may use a folder at once: a file is
    whole or not there.

    Args:
        path: the folder; made, for the user alone, when something is written.
        limit: bytes that it may hold.

    >>> import tempfile
    >>> folder = CacheFolder(Path(tempfile.mkdtemp()) / "kept")
    >>> folder.read("a") is None
    True
    >>> folder.write("a", b"content")
    >>> folder.read("a")
    b'content'
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path, self.limit = path, limit

    def read(self, name: str) -> bytes | None:
        """Return the content that was written under a name; None if there is none, or it is damaged or another's."""
        try:
            if not _own(os.lstat(self.path), stat.S_ISDIR):
                return None
            file = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(file, "rb") as opened:
                whole = opened.read() if _own(os.fstat(file), stat.S_ISREG) else b""
        except OSError:
            return None
        content = whole[_DIGEST:]
        if whole[:_DIGEST] != _digest(name, content):
            self.discard(name)
            return None
        with contextlib.suppress(OSError):
            os.utime(self.path / name)  # used just now
        return content

    def write(self, name: str, content: bytes) -> None:
        """Keep a content under a name, if the disk lets it."""
        if len(content) > self.limit:
            return
        with contextlib.suppress(OSError):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _own(os.lstat(self.path), stat.S_ISDIR):
                return
            with replacing(self.path / name, durable=False) as temporary:
                temporary.write_bytes(_digest(name, content) + content)
                temporary.chmod(0o600)
            self._make_room()

    def discard(self, name: str) -> None:
        """Let what is kept under a name go."""
        with contextlib.suppress(OSError):
            (self.path / name).unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Remove the files that were not used for the longest time, also what a writer that was killed left."""
        files: list[tuple[float, int, str]] = []
        for entry in os.scandir(self.path):
            with contextlib.suppress(OSError):  # another process made room too
                status = entry.stat(follow_symlinks=False)
                files.append((status.st_mtime, status.st_size, entry.name))
        total = 0
        for _, size, name in sorted(files, reverse=True):
            total += size
            if total > self.limit:
                self.discard(name)


def _digest(name: str, content: bytes) -> bytes:
    """Return what a content is recognized by; a file that was moved to another name is damaged, too."""
    return hashlib.sha256(name.encode() + b"\0" + content).digest()


def _own(status: os.stat_result, of_kind: object) -> bool:
    """Say whether something is of a kind, this user's, and nobody else may write to it."""
    assert callable(of_kind)
    return of_kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
