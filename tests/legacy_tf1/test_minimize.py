"""The programs through their command line, and their trajectories against the closed form and each other."""

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_tf1 import minimize, minimize_tf2
from tests.examples import scaled

PROGRAMS = pytest.mark.parametrize("program", [minimize, minimize_tf2], ids=lambda module: module.__name__)
CASES = [([1, -10, 25], 0.01, 1001), ([1, -20, 100], 0.01, 300), ([1, -20, 25], 0.3, 60), ([0.5, 3, 0], 1.9, 200)]


def closed_form(coefficients: list[float], learning_rate: float, steps: int) -> np.ndarray:
    """w_t = w* (1 − (1 − 2aα)^t): each step multiplies the distance to the minimum w* = −b/2a by 1 − 2aα."""
    a, b, _ = coefficients
    return -b / (2 * a) * (1 - (1 - 2 * a * learning_rate) ** np.arange(steps + 1))


@PROGRAMS
@pytest.mark.parametrize("case", CASES)
def test_every_step_is_the_closed_form(program: ModuleType, case: tuple[list[float], float, int]) -> None:
    np.testing.assert_allclose(program.train(*case), closed_form(*case), rtol=5e-6, atol=5e-6)


@pytest.mark.parametrize("case", CASES)
def test_the_two_styles_agree_at_every_step(case: tuple[list[float], float, int]) -> None:
    np.testing.assert_allclose(minimize.train(*case), minimize_tf2.train(*case), rtol=2e-7)


@settings(max_examples=scaled(10), deadline=None)
@given(a=st.floats(0.1, 10), b=st.floats(-100, 100), c=st.floats(-100, 100), rate=st.floats(0.01, 0.99))
def test_the_two_styles_agree_on_any_quadratic(a: float, b: float, c: float, rate: float) -> None:
    session, tape = (module.train([a, b, c], rate / a, 20) for module in (minimize, minimize_tf2))
    np.testing.assert_allclose(session, tape, rtol=1e-5, atol=1e-5 * abs(b / a))


@PROGRAMS
def test_the_courses_output(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "before training        w = [0.]"
    assert lines[1] == "after one step         w = [0.1]"
    match = re.fullmatch(r"after 1000 more +w = \[(\S+)\]", lines[2])
    assert match is not None
    assert float(match[1]) == pytest.approx(4.9999886, abs=5e-7)
    gap = re.fullmatch(r"exact minimizer +w = 5   gap (\S+)", lines[3])
    assert gap is not None
    assert float(gap[1]) == pytest.approx(5 - float(match[1]), abs=1e-7)


@pytest.mark.parametrize("constant", ["100", "25", "-2.5e1"])
def test_the_constant_does_not_move_the_minimum(constant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert minimize.main(["--coefficients", "1", "-2e1", constant]) == 0
    out = capsys.readouterr().out
    assert "w = 10 " in out
    match = re.search(r"after 1000 more +w = \[(\S+)\]", out)
    assert match is not None
    assert float(match[1]) == pytest.approx(10, abs=1e-4)


PREFIX = "python -m legacy_tf1.minimize: error: "
NO_MINIMUM = "the quadratic has no minimum: the first coefficient must be above 0, but {} was given."
DIVERGES = (
    "--learning-rate {} diverges: each step multiplies the distance to the minimum by {}; it must be below 1/A = {}."
)
RATE = "--learning-rate must be a finite number above 0, but {} was given."
MISTAKES = [
    ("--coefficients 0 1 2", NO_MINIMUM.format(0)),
    ("--coefficients -1e0 1 2", NO_MINIMUM.format(-1)),
    ("--learning-rate 1", DIVERGES.format(1, -1, 1)),
    ("--coefficients 4 0 0 --learning-rate 0.5", DIVERGES.format(0.5, -3, 0.25)),
    ("--learning-rate 0", RATE.format(0)),
    ("--learning-rate -1e-3", RATE.format(-0.001)),
    ("--learning-rate nan", RATE.format("nan")),
    ("--coefficients 1 inf 0", "--coefficients must be finite float32 numbers, but 1 inf 0 was given."),
    ("--coefficients 1e-30 1e30 0", "the minimum, at w = -5e+59, is out of float32's range."),
    ("--steps -1", "--steps must be 0 or more, but -1 was given."),
    (
        "--plot no/such/folder/w.png",
        "--plot no/such/folder/w.png: its folder does not exist; make it first, or name a file in one that does.",
    ),
    ("--plot .", "--plot .: that is a folder; name a file, such as w.png."),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_mistakes(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert minimize.main(line.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"{PREFIX}{message}\n"


@pytest.mark.parametrize("argv", [["--steps", "many"], ["--coefficients", "1", "2"], ["--colour"]])
def test_argparse_mistakes_exit_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        minimize.main(argv)
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_plot_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert minimize.main(["--steps", "5", "--plot", str(tmp_path / "w.png")]) == 0
    assert (tmp_path / "w.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["w.abc", "w"])
def test_a_plot_format_that_does_not_exist(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert minimize.main(["--steps", "5", "--plot", str(tmp_path / name)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(r"its suffix gives the picture's format, which must be one of .*pdf.*png.*svg", captured.err)
    assert not list(tmp_path.iterdir())


def test_a_plot_that_cannot_be_written_comes_after_the_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "w.png"
    file.symlink_to(tmp_path / "no" / "such" / "folder" / "w.png")  # holds for root as well, unlike a mode
    assert minimize.main(["--steps", "5", "--plot", str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("before training        w = [0.]\n")
    assert captured.err.startswith(f"{PREFIX}--plot {file}: ")
    assert "No such file or directory" in captured.err


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *argv], capture_output=True, text=True, timeout=120, check=False)


def test_the_real_command_line() -> None:
    done = run(
        "-m", "legacy_tf1.minimize", "--coefficients", "1", "-20", "25", "--steps", "3", "--learning-rate", "0.25"
    )
    assert (done.returncode, done.stderr) == (0, "")  # none of TensorFlow's notes either
    assert done.stdout.splitlines() == [
        "before training        w = [0.]",
        "after one step         w = [5.]",
        "after 3 more           w = [9.375]",  # the distance to 10 halves at each of the four steps
        "exact minimizer        w = 10   gap 0.625",
    ]


def test_a_mistake_on_the_real_command_line() -> None:
    done = run("-m", "legacy_tf1.minimize", "--coefficients", "-1", "2", "3")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [PREFIX + MISTAKES[1][1]]


@pytest.mark.parametrize("name", ["minimize", "minimize_tf2"])
def test_help_does_not_load_tensorflow(name: str) -> None:
    script = (
        f"import sys\nfrom legacy_tf1 import {name} as program\n"
        "try:\n    program.main(['--help'])\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        "assert not {'tensorflow', 'keras', 'matplotlib', 'tfcourse'} & set(sys.modules)\n"
    )
    done = run("-c", script)
    assert done.returncode == 0, done.stderr
    assert "--learning-rate" in done.stdout


def test_nothing_is_imported_from_tfcourse() -> None:
    files = list(Path(minimize.__file__).parent.glob("*.py"))
    assert len(files) >= 4
    assert not [file.name for file in files if re.search(r"^\s*(from|import) tfcourse", file.read_text("utf-8"), re.M)]
