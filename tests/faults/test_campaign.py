"""The campaign of ``scripts/faults`` in short: killed, on a failing disk, given strange files, a run has no fault."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts" / "faults"
KINDS = ["csv", "tsv", "parquet", "npz", "space", "first", "json"]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the process that starts the commands, shared by these tests since it takes long to begin."""
    sys.path.insert(0, str(SCRIPTS))
    from warm import Warm

    with Warm(tmp_path_factory.mktemp("warm")) as server:
        yield server
    sys.path.remove(str(SCRIPTS))


@pytest.mark.parametrize("name", ["retest", "babysit"])
def test_killed_at_a_random_moment_it_comes_to_the_same(name: str, warm: Any, tmp_path: Path) -> None:
    import kills

    found = kills.campaign(warm, tmp_path, [name], kills=1, seed=3, trials=2, epochs=1)[name]
    assert (found.kills.total(), found.faults) == (1, [])
    assert found.runs >= 1  # where the moment came after the end, another run was killed


@pytest.mark.parametrize(("name", "seed"), [("train", 5), ("babysit", 2)])
def test_on_a_disk_that_fails_it_gives_one_message_and_comes_to_the_same(
    name: str, seed: int, warm: Any, tmp_path: Path
) -> None:
    import disk

    options = disk.build_parser().parse_args(["--sample", "1", "--seed", str(seed)])
    subject = disk.subjects_in(tmp_path, options.trials, options.epochs)[name]
    try:
        found = disk.disturb(warm, subject, tmp_path / "calls", options)
    except disk.UntraceableError as error:
        pytest.skip(str(error))
    assert found.calls.total() > 50
    assert (found.tried.total(), found.missed, found.faults) == (1, 0, [])


def test_on_a_disk_that_stays_full_it_gives_one_message_and_comes_to_the_same(warm: Any, tmp_path: Path) -> None:
    import disk
    import full

    options = full.build_parser().parse_args([])
    subject = disk.subjects_in(tmp_path, options.trials, options.epochs)["train"]

    def at(whole: Path) -> list[int]:
        """Just enough for run.json, so that the HDF5 file's first bytes are too many; half of the model's file."""
        return [(whole / "run.json").stat().st_size + 200, (whole / "model.keras").stat().st_size // 2]

    found = full.fill(warm, subject, tmp_path / "full", options, at)
    assert (found.tried.total(), found.faults) == (2, [])
    assert found.went_on == 0


def test_strange_files_work_or_are_refused_in_one_message() -> None:
    words = ["--inputs", "63", "--commands", "0", "--trained", "0", "--seed", "1", "--kinds", *KINDS]
    done = subprocess.run([sys.executable, str(SCRIPTS / "inputs.py"), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^(\w+): \d+ tried, (\d+) worked", done.stdout, re.MULTILINE))
    assert list(counts) == KINDS
    assert sum(map(int, counts.values())) > 12  # they do not all fail at the first byte
