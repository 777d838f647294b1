"""The code is clean by ruff and mypy, and no file names a place that only one machine has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]])
def test_a_checker_finds_nothing(command: list[str]) -> None:
    output = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert output.returncode == 0, output.stdout + output.stderr


def test_no_file_names_a_registry_or_a_home_folder() -> None:
    # Put together here, so that this file does not name them itself.
    parts = ["pypi" + r"\.org", "python" + "hosted", "/ho" + "me/", "/ro" + "ot/", "index" + "-url"]
    forbidden = re.compile("|".join(parts).encode())
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    contents = {name: (ROOT / name).read_bytes() for name in tracked if (ROOT / name).is_file()}
    assert contents
    assert [name for name, content in contents.items() if forbidden.search(content)] == []
