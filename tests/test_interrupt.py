"""Ctrl-C, SIGTERM and SIGHUP: heard at a safe place first, at once then; what is ignored stays ignored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tfcourse.process.command import run_command
from tfcourse.process.interrupt import SIGNALS, not_interrupted, patient_interrupt

LINE = "Stopping after this epoch; press Ctrl-C again to stop at once.\n"
by_name = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


@pytest.fixture(autouse=True)
def handlers_stay_as_they_were() -> Iterator[None]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


@by_name
def test_the_first_is_told_and_the_second_interrupts(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with patient_interrupt() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), number)
        assert interrupted()
        assert capsys.readouterr().err == LINE
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


@by_name
def test_a_command_ends_as_interrupted(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    def run(argv: object) -> int:
        os.kill(os.getpid(), number)
        raise AssertionError("it went on")

    assert run_command(run, []) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    def run(argv: object) -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        with patient_interrupt() as interrupted:
            os.kill(os.getpid(), signal.SIGHUP)
            return int(interrupted())

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        assert run_command(run, []) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@by_name
def test_a_last_word_is_not_interrupted(number: int) -> None:
    with not_interrupted():
        os.kill(os.getpid(), number)


INTERRUPTING = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
"""
"""Python imports this as ``sitecustomize`` before anything else."""
FIRST_IMPORTS = [
    *((command, "tfcourse.process.command") for command in ("train", "predict", "retest", "babysit", "look", "report")),
    *(("train", module) for module in ("argparse", "tfcourse.process.streams", "tfcourse.run.show", "rich")),
    ("look", "numpy"),
]


@pytest.mark.parametrize(("command", "module"), FIRST_IMPORTS)
def test_a_command_that_is_interrupted_in_its_imports_says_so_in_a_line(
    command: str, module: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTING)
    root = Path(__file__).parents[1]
    path = os.pathsep.join([str(tmp_path), str(root)])
    words = {"look": ["gone.csv"], "train": []}.get(command, ["gone"])
    done = subprocess.run(
        [sys.executable, "-m", f"tfcourse.{command}", *words],
        env={**os.environ, "PYTHONPATH": path, "INTERRUPT_AT": module},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr, done.stdout) == (130, "interrupted\n", "")


def test_a_program_that_only_imports_the_package_keeps_its_own_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "__init__.py").write_text("import tfcourse")
    (tmp_path / "program" / "run.py").write_text("import signal\nprint(signal.getsignal(2))")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])
    words = [sys.executable, "-m", "program.run"]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert "default_int_handler" in done.stdout
