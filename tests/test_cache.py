"""A folder of contents by name: what is damaged, another's or not writable is a miss, and it never grows too large."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tfcourse.files.cache import CacheFolder, user_cache

CONTENT = bytes(range(256)) * 20


@pytest.fixture
def folder(tmp_path: Path) -> CacheFolder:
    """Return a folder that holds one content."""
    folder = CacheFolder(tmp_path / "home" / "kept")
    folder.write("one", CONTENT)
    return folder


def test_only_the_user_may_look_into_it(folder: CacheFolder) -> None:
    assert folder.read("one") == CONTENT
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert (folder.path / "one").stat().st_mode & 0o777 == 0o600
    assert os.listdir(folder.path) == ["one"]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, len(CONTENT), len(CONTENT) + 31])
def test_a_truncated_file_is_a_miss_and_goes(folder: CacheFolder, size: int) -> None:
    os.truncate(folder.path / "one", size)
    assert folder.read("one") is None
    assert not os.listdir(folder.path)


@pytest.mark.parametrize("place", [0, 31, 32, 1000, -1])
def test_a_file_with_one_other_bit_is_a_miss(folder: CacheFolder, place: int) -> None:
    content = bytearray((folder.path / "one").read_bytes())
    content[place] ^= 4
    (folder.path / "one").write_bytes(content)
    assert folder.read("one") is None


def test_a_file_under_another_name_or_of_another_kind_is_a_miss(folder: CacheFolder) -> None:
    (folder.path / "one").rename(folder.path / "two")
    (folder.path / "link").symlink_to("two")
    (folder.path / "folder").mkdir()
    os.mkfifo(folder.path / "pipe")
    (folder.path / "text").write_text("something else")
    assert [folder.read(name) for name in ("two", "link", "folder", "pipe", "text", "none")] == [None] * 6


def test_what_is_somebody_elses_or_open_to_others_is_not_read(
    folder: CacheFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.path / "one").chmod(0o620)
    assert folder.read("one") is None
    folder.write("one", CONTENT)
    folder.path.chmod(0o770)
    folder.write("two", CONTENT)
    assert folder.read("one") is None
    assert os.listdir(folder.path) == ["one"]
    folder.path.chmod(0o700)
    assert folder.read("one") == CONTENT
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert folder.read("one") is None


def test_a_link_in_the_folders_place_is_not_followed(folder: CacheFolder) -> None:
    link = folder.path.with_name("link")
    link.symlink_to(folder.path)
    CacheFolder(link).write("two", CONTENT)
    assert CacheFolder(link).read("one") is None
    assert os.listdir(folder.path) == ["one"]


@pytest.mark.parametrize("place", ["/proc/nothing/kept", "/dev/null/kept"])
def test_where_nothing_can_be_written_nothing_is_kept(place: str) -> None:
    folder = CacheFolder(Path(place))
    folder.write("one", CONTENT)
    assert folder.read("one") is None


def test_a_full_disk_leaves_nothing_behind(folder: CacheFolder) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        folder.write("two", CONTENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(folder.path) == ["one"]
    assert folder.read("one") == CONTENT


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    folder = CacheFolder(tmp_path / "kept", limit=3 * (len(CONTENT) + 32))
    for number, name in enumerate("abc"):
        folder.write(name, CONTENT)
        os.utime(folder.path / name, (number, number))
    assert folder.read("a") == CONTENT  # and is the most recently used now
    folder.write("d", CONTENT)
    assert sorted(os.listdir(folder.path)) == ["a", "c", "d"]
    (folder.path / ".99.e").write_bytes(b"half of what a writer that was killed would have written" * 50)
    os.utime(folder.path / ".99.e", (0, 0))
    folder.write("f", CONTENT)
    assert ".99.e" not in os.listdir(folder.path)
    folder.write("large", CONTENT * 4)
    assert sum(file.stat().st_size for file in folder.path.iterdir()) <= folder.limit
    assert folder.read("large") is None


def test_several_processes_at_once_read_only_what_is_whole(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from tfcourse.files.cache import CacheFolder
folder = CacheFolder(Path({str(tmp_path / "kept")!r}), limit=400_000)
for number in range(300):
    name = str(number % 7)
    folder.write(name, name.encode() * 100_000)
    assert folder.read(name) in (None, name.encode() * 100_000)
"""
    writers = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    assert [writer.communicate()[1] for writer in writers] == [b""] * 3
    kept = CacheFolder(tmp_path / "kept", limit=400_000)
    assert 1 <= len(os.listdir(kept.path)) <= 4


def test_the_users_cache_is_where_the_system_has_it_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("TFCOURSE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/caches")
    assert user_cache() == Path("/var/caches/tfcourse")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")  # to be ignored, as the specification says
    monkeypatch.setenv("HOME", "/users/somebody")
    assert user_cache() == Path("/users/somebody/.cache/tfcourse")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert user_cache() == Path("/users/somebody/Library/Caches/tfcourse")
    monkeypatch.setenv("TFCOURSE_CACHE", "~/here")
    assert user_cache() == Path("/users/somebody/here")
    monkeypatch.setenv("TFCOURSE_CACHE", "Off")
    assert user_cache() is None
