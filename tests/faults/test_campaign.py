"""The campaign of ``scripts/faults`` in short: killed, on a failing disk, given strange files, a run has no fault."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts" / "faults"
NO_STRACE = 3


def campaign(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a person does."""
    return subprocess.run([sys.executable, str(SCRIPTS / script), *words], capture_output=True, text=True)


def test_killed_at_random_moments_a_retest_comes_to_the_same(tmp_path: Path) -> None:
    done = campaign("kills.py", "--kills", "2", "--of", "retest", "--place", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kills in all" in done.stdout


def test_on_a_disk_that_fails_a_run_gives_one_message_and_comes_to_the_same() -> None:
    done = campaign("disk.py", "--sample", "2", "--of", "train", "--seed", "5")
    if done.returncode == NO_STRACE:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    calls = re.search(r"(\d+) calls that write", done.stdout)
    assert calls is not None
    assert int(calls[1]) > 100
    assert " 0 missed; " in done.stdout


def test_strange_files_work_or_are_refused_in_one_message() -> None:
    kinds = ["csv", "tsv", "parquet", "npz", "space", "first"]
    done = campaign("inputs.py", "--inputs", "120", "--commands", "0", "--seed", "1", "--kinds", *kinds)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^(\w+): \d+ tried, (\d+) worked", done.stdout, re.MULTILINE))
    assert list(counts) == kinds
    assert sum(map(int, counts.values())) > 24  # they do not all fail at the first byte
