"""Every command ends with the right exit status and at most one line on standard error."""

from __future__ import annotations

import argparse
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfcourse.errors import UserError
from tfcourse.process.command import duration, explain, one_of, run_command, whole_number


def raising(error: BaseException) -> int:
    def run(argv: object) -> int:
        raise error

    return run_command(run, [])


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UserError("No such column."), 2, "error: No such column."),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            2,
            "error: The disk is full. What was finished is kept; free some space, then run the command again.",
        ),
        (
            OSError(errno.EDQUOT, "Quota exceeded", "run/model.keras"),
            2,
            "error: The disk is full (run/model.keras). What was finished is kept; free some space, then run the"
            " command again.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "run"),
            2,
            "error: This place may not be written to (run). Choose another place, or change its permissions.",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "run"),
            2,
            "error: This place may not be written to (run). Choose another place, or change its permissions.",
        ),
        (
            OSError(errno.EIO, "Input/output error", "run"),
            2,
            "error: The disk failed (run): Input/output error. What was finished is kept; see to the disk, then run the"
            " command again.",
        ),
        (
            OSError(errno.ESTALE, ""),
            2,
            f"error: The disk failed: {os.strerror(errno.ESTALE)}. What was finished is kept; see to the disk, then"
            " run the command again.",
        ),
    ],
)
def test_the_exit_status_and_the_line(
    error: BaseException, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(error) == status
    assert capsys.readouterr() == ("", line + "\n")


@pytest.mark.parametrize("error", [OSError(errno.EBADF, "Bad file descriptor"), ZeroDivisionError("a bug")])
def test_what_the_user_cannot_mend_is_not_hidden(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        raising(error)
    assert caught.value is error


def test_the_status_of_a_run_that_ends_well() -> None:
    assert run_command(lambda argv: 7, None) == 7
    assert explain(OSError(errno.EBADF, ""), "go on") is None


def test_a_reader_that_leaves_early_is_no_error() -> None:
    program = (
        "import sys; from tfcourse.process.command import run_command\n"
        "def run(argv):\n"
        "    for _ in range(100_000): print('row')\n"
        "    return 0\n"
        "sys.exit(run_command(run, []))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "β → 0.3 ± 0.1 µs: Größe 狗 \\udce9"),
        ("cp1252", "beta -> 0.3 ± 0.1 µs: Größe \\u72d7 \\udce9"),
        ("cp437", "beta -> 0.3 ± 0.1 µs: Größe \\u72d7 \\udce9"),
        ("ascii", "beta -> 0.3 +- 0.1 \\xb5s: Gr\\xf6\\xdfe \\u72d7 \\udce9"),
    ],
)
def test_what_a_terminal_cannot_show_is_spelled(encoding: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", terminal)

    def run(argv: object) -> int:
        print("β → 0.3 ± 0.1 µs: Größe 狗 \udce9")
        return 0

    assert run_command(run, []) == 0
    assert sys.stdout is terminal
    assert (terminal.errors, terminal.buffer.getvalue().decode(encoding)) == ("strict", said + "\n")


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_closed_streams_are_no_mistake(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, name, None)

    def run(argv: object) -> int:
        print("said")
        raise UserError(f"mistaken {sys.stdin.read() if name == 'stdin' else ''}")

    assert run_command(run, []) == 2


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("10m", 600.0), ("2h", 7200.0), ("0.5m", 30.0), ("1e2s", 100.0)]
)
def test_times(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "90", "-5m", "0s", "nans", "infh", "1d", "ten m"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        duration(text)
    assert str(caught.value) == f"{text!r} was given; allowed are times such as 90s, 10m or 2h"


def test_whole_numbers() -> None:
    assert [whole_number(0)("0"), whole_number(2)("2"), whole_number(1)(" 12 ")] == [0, 2, 12]


@pytest.mark.parametrize("text", ["1", "-3", "2.0", "two", "", "inf"])
def test_what_is_no_whole_number_from_2(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        whole_number(2)(text)
    assert str(caught.value) == f"{text!r} was given; allowed are whole numbers from 2"


def test_one_of_a_few() -> None:
    assert one_of("keras", "cohort")("cohort") == "cohort"
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        one_of("keras", "cohort")("jax")
    assert str(caught.value) == "'jax' was given; allowed are keras, cohort"


def test_help_loads_neither_tensorflow_nor_pandas() -> None:
    program = (
        "import sys, tfcourse, tfcourse.train, tfcourse.predict\n"
        "try: tfcourse.train.main(['--help'])\n"
        "except SystemExit as ended: assert ended.code == 0\n"
        "sys.exit(', '.join({'tensorflow', 'keras', 'keras_tuner', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stderr == "\n"
    assert ended.stdout.startswith("usage: python -m tfcourse.train ")
