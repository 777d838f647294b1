"""The README's code blocks run, in order, in an empty folder."""

from __future__ import annotations

import re
import shlex
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest

from tfcourse import look, predict, train
from tfcourse.course_space import default_space
from tfcourse.first_settings import read_first_settings
from tfcourse.report import __main__ as report
from tfcourse.space_file import space_from_toml

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
COMMANDS = {
    "tfcourse.look": look.main,
    "tfcourse.predict": predict.main,
    "tfcourse.report": report.main,
    "tfcourse.train": train.main,
}


def run_line(line: str) -> None:
    """Run one command line of the README; the set-up scripts themselves are what runs these tests."""
    words = shlex.split(line, comments=True)
    if words[:1] == ["bash"]:
        assert (ROOT / words[1]).is_file()
    elif words:
        assert words[:2] == ["python", "-m"]
        assert COMMANDS[words[2]](words[3:]) == 0


def test_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    counts = {"python": 0, "bash": 0, "toml": 0}
    for language, code in BLOCKS:
        if language == "python":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # KerasTuner's own
                exec(compile(code, "README.md", "exec"), names)
        elif language == "bash":
            for line in code.splitlines():
                run_line(line)
        elif language == "toml":
            if code.startswith("[[setting]]"):
                (tmp_path / "mine.toml").write_text(code)
                assert read_first_settings(tmp_path / "mine.toml", default_space())
            else:
                space_from_toml(tomllib.loads(code))
        counts[language] = counts.get(language, 0) + 1
    assert min(counts.values()) >= 1
    assert (tmp_path / "predictions.csv").read_text().startswith("label,probability_0,probability_1,probability_2\n")
