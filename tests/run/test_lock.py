"""One process a run folder, also on disks that have no locks."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tfcourse.babysitting.lock import STATUS, Lock, is_held
from tfcourse.errors import UserError
from tfcourse.files.writing import write_json
from tfcourse.run.lock import alone_in

LINE = (
    "The disk of {!r} has no locks, so nothing keeps another process from training there too; see to it that none does."
)


def fail_with(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


def last_word(folder: Path, process: int, host: str, age: float = 0.0) -> None:
    """Leave what a training says of itself."""
    told = datetime.now().astimezone() - timedelta(seconds=age)
    write_json(folder / STATUS, {"process": process, "host": host, "time": told.isoformat()})


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_a_disk_without_locks_is_told_and_trained_on(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(number, monkeypatch)
    said: list[str] = []
    with alone_in(tmp_path, said.append):
        pass
    assert said == [LINE.format(str(tmp_path))]
    assert not is_held(tmp_path)
    Lock(tmp_path).release()
    assert capsys.readouterr().err == LINE.format(str(tmp_path)) + "\n"


def test_what_else_goes_wrong_with_a_lock_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(errno.EIO, monkeypatch)
    with pytest.raises(OSError, match="Input/output error"), alone_in(tmp_path):
        pass


@pytest.mark.parametrize(
    ("process", "host", "age", "there"),
    [
        (os.getppid(), socket.gethostname(), 1000.0, True),
        (2**22 + 1, socket.gethostname(), 0.0, False),
        (1, "another", 10.0, True),
        (1, "another", 1000.0, False),
    ],
)
def test_without_locks_a_training_is_known_by_its_last_word(
    process: int, host: str, age: float, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lock(tmp_path).release()
    last_word(tmp_path, process, host, age)
    fail_with(errno.ENOLCK, monkeypatch)
    monkeypatch.setattr("tfcourse.run.lock.PATIENCE_SECONDS", 0.0)
    assert is_held(tmp_path) == there
    if there:
        with pytest.raises(UserError, match=f"is being babysat already by process {process} on {host}"):
            Lock(tmp_path)
    else:
        Lock(tmp_path).release()


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_system_itself_has_no_locks(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tfcourse.run.lock import alone_in\n"
        "with alone_in(Path(sys.argv[1])): print('trained')"
    )
    inject = ["strace", "-f", "-o", str(tmp_path / "trace"), "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK"]
    ended = subprocess.run(
        [*inject, sys.executable, "-c", program, str(tmp_path)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    if "ENOLCK" not in (tmp_path / "trace").read_text():
        pytest.skip("strace may not trace here")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, LINE.format(str(tmp_path)) + "\ntrained\n", "")
