"""Files are whole or not there, whatever goes wrong while they are written."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfcourse.errors import UserError, did_you_mean
from tfcourse.files.writing import make_folder, read_json, remove_leftovers, replacing, write_json, write_text

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_comes_back(tmp_path: Path, value: object) -> None:
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == value


def test_a_new_file_takes_the_old_ones_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with path.open() as reader:
        with replacing(path) as temporary:
            temporary.write_text("new")
            assert path.read_text() == "old"
            assert temporary.parent == path.parent
            assert temporary.suffix == path.suffix
        assert reader.read() == "old"  # the old file is whole to the end, for whoever reads it
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


class Disk:
    """What is asked of the disk, in order; the names of what is written through, and of what takes another's name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, Path]] = []
        self.answer: OSError | None = None
        fsync, replace = os.fsync, os.replace

        def recording_fsync(descriptor: int) -> None:
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            self.asked.append(("fsync", path))
            if self.answer is not None and path.is_dir() == self.of_folders:
                raise self.answer
            fsync(descriptor)

        def recording_replace(old: Path, new: Path) -> None:
            self.asked.append(("replace", new))
            replace(old, new)

        self.of_folders = True
        monkeypatch.setattr(os, "fsync", recording_fsync)
        monkeypatch.setattr(os, "replace", recording_replace)


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to name what is open")


@needs_proc
def test_a_file_is_on_the_disk_before_it_takes_its_name_and_its_name_is_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    write_json(tmp_path / "a.json", 1)
    temporary = tmp_path / f".{os.getpid()}.a.json"
    assert disk.asked == [("fsync", temporary), ("replace", tmp_path / "a.json"), ("fsync", tmp_path)]
    disk.asked.clear()
    write_json(tmp_path / "a.json", 2, durable=False)
    assert disk.asked == [("replace", tmp_path / "a.json")]
    assert read_json(tmp_path / "a.json") == 2


@needs_proc
def test_new_folders_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    make_folder(tmp_path / "a" / "b", 0o700)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert disk.asked == [("fsync", tmp_path / "a"), ("fsync", tmp_path)]
    disk.asked.clear()
    make_folder(tmp_path / "a" / "b")
    assert disk.asked == []


@needs_proc
def test_a_file_system_that_writes_no_folder_through_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    disk.answer = OSError(errno.EINVAL, "Invalid argument")
    write_json(tmp_path / "a.json", 1)
    assert read_json(tmp_path / "a.json") == 1
    disk.answer = OSError(errno.EIO, "Input/output error")
    with pytest.raises(OSError, match="Input/output error"):
        write_json(tmp_path / "a.json", 2)


@needs_proc
def test_a_file_that_cannot_be_written_through_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "a.json", 1)
    disk = Disk(monkeypatch)
    disk.answer, disk.of_folders = OSError(errno.EIO, "Input/output error"), False
    with pytest.raises(OSError, match="Input/output error"):
        write_json(tmp_path / "a.json", 2)
    assert read_json(tmp_path / "a.json") == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json"]


def test_a_text_with_a_byte_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", b"gr\xc3\xb6\xc3\x9fe, caf\xe9".decode("utf-8", "surrogateescape"))
    assert (tmp_path / "a.txt").read_bytes().decode("utf-8") == "größe, caf\\udce9"


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_json_does_not_know_is_refused_and_the_old_file_stays(tmp_path: Path, number: float) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"loss": 1.0})
    with pytest.raises(ValueError):
        write_json(path, {"loss": number})
    assert read_json(path) == {"loss": 1.0}


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        read_json(Path("run/run.json"))
    assert str(caught.value) == "'run' is not a whole run folder: run.json is not there."


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a": 1', "Expecting ',' delimiter: line 1 column 8 (char 7)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"loss": NaN}', "NaN is no JSON"),
        (b"[-Infinity]", "-Infinity is no JSON"),
        (b"[" * 100_000, "its brackets are nested too deep"),
    ],
)
def test_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, problem: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.json").write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_json(Path("run.json"))
    assert str(caught.value) == (
        f"'run.json' is damaged ({problem}). Restore it from a copy, or start again in a new folder."
    )


@pytest.mark.parametrize(
    ("given_name", "sentence"),
    [
        ("learning_rat", " Did you mean 'learning_rate'?"),
        ("DROPOUT", " Did you mean 'Dropout'?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_the_nearest_name(given_name: str, sentence: str) -> None:
    assert did_you_mean(given_name, ["learning_rate", "Dropout", "l2"]) == sentence


def test_what_a_writer_that_was_killed_left_goes_and_what_others_write_stays(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = [f".{dead.pid}.report.html", f"checkpoints/.{dead.pid}.00000001.npz", f".{os.getpid()}.status.json"]
    stay = [f".{os.getppid()}.report.html", ".notes.txt", ".2nd.txt", "run.json"]
    for name in (*gone, *stay):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(stay)
