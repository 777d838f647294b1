"""The campaign of ``scripts/faults`` in short: killed, on a failing disk and given strange files, no run fails."""

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


def test_killed_at_random_moments_retest_and_training_come_to_the_same(tmp_path: Path) -> None:
    done = campaign("kills.py", "--kills", "6", "--of", "retest", "babysit", "--epochs", "4", "--place", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 kills in all" in done.stdout


def test_on_a_disk_that_fails_a_run_gives_one_message_and_comes_to_the_same() -> None:
    done = campaign("disk.py", "--sample", "3", "--of", "babysit", "train", "--seed", "5")
    if done.returncode == NO_STRACE:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    calls = [int(count) for count in re.findall(r"(\d+) calls that write", done.stdout)]
    assert len(calls) == 2
    assert min(calls) > 30


def test_strange_files_work_or_are_refused_in_one_message() -> None:
    done = campaign("inputs.py", "--inputs", "140", "--commands", "0", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^(\w+): \d+ tried, (\d+) worked", done.stdout, re.MULTILINE))
    assert counts.keys() == {"csv", "tsv", "parquet", "npz", "space", "first", "json"}
    assert sum(map(int, counts.values())) > 20  # they do not all fail at the first byte
