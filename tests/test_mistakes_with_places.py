"""A full disk and a folder that may not be written to: one clear message, nothing half written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.messy_files import GOOD
from tfcourse.process.command import run_command
from tfcourse.train import main

LIMITED = """
import resource, sys
import pandas, rich.console
from tfcourse.train import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
sys.exit(main(["--data", "good.csv", "--target", "y", "--out", "run"]))
"""


def test_no_room_for_the_run_folder(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(GOOD)
    repository = str(Path(__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": repository, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "error: The disk is full. What was finished is kept; free some space, then go on with --resume.\n"
    )
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device(capsys: pytest.CaptureFixture[str]) -> None:
    def write(argv: object) -> int:
        with open("/dev/full", "w") as file:
            file.write("a row\n")
        return 0

    assert run_command(write, []) == 2
    assert capsys.readouterr().err == (
        "error: The disk is full. What was finished is kept; free some space, then run the command again.\n"
    )


def test_a_file_where_a_folder_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("not a folder")
    assert main(["--quiet", "--out", "runs/new"]) == 2
    assert capsys.readouterr().err == (
        "error: The run folder 'runs/new' cannot be made: Not a directory. Give another folder with --out.\n"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "locked").mkdir(mode=0o500)
    assert main(["--quiet", "--out", "locked/run"]) == 2
    assert capsys.readouterr().err == (
        "error: The run folder 'locked/run' cannot be made: Permission denied. Give another folder with --out.\n"
    )
