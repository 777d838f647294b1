"""A search that is killed at any moment goes on to the same result: no trial lost, none trained twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfcourse import train
from tfcourse.tuning import start as starting

# scripts/faults/kills.py kills at many more moments.
KILLS = 4
TRIALS = {"keras": 4, "cohort": 12}
FEW_NETWORKS = ["--folds", "2"]  # to train on folds and to put into the model, which is most of what a start does

# Importing TensorFlow takes seconds, so one process imports it and forks a child for each start of the command.
ZYGOTE = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tfcourse.tuning.result, tfcourse.tuning.search
from tfcourse import train
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os._exit(train.main(json.loads(line)))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Command:
    """Starts of ``python -m tfcourse.train``, each in a process of its own that can be killed."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.zygote = subprocess.Popen(
            [sys.executable, "-c", ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def line(self) -> int:
        assert self.zygote.stdout is not None
        return int(self.zygote.stdout.readline())

    def run(self, arguments: list[str], kill_after: float | None = None) -> int:
        """Run the command and return its exit status, −9 if it was killed after so many seconds."""
        assert self.zygote.stdin is not None
        self.zygote.stdin.write(json.dumps(arguments) + "\n")
        self.zygote.stdin.flush()
        child = self.line()
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):  # it had ended already
                os.kill(child, signal.SIGKILL)
        return self.line()

    def close(self) -> None:
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        self.zygote.stdin.close()
        self.zygote.wait()
        self.zygote.stdout.close()


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def finished(run: Path) -> dict[str, bytes]:
    """Return the files of the trials that have ended, by name."""
    files = {path.parent.name: path.read_bytes() for path in run.glob("search/trial_*/trial.json")}
    return {name: content for name, content in files.items() if json.loads(content)["status"] != "RUNNING"}


@pytest.mark.parametrize("engine", ["keras", "cohort"])
def test_killed_at_random_moments_it_ends_with_the_same_result(engine: str, pets_csv: Path, tmp_path: Path) -> None:
    start = ["--data", str(pets_csv), "--target", "kind", "--epochs", "2", "--seed", "3", "--quiet", *FEW_NETWORKS]
    start += ["--engine", engine, "--trials", str(TRIALS[engine])]
    undisturbed, random = tmp_path / "undisturbed", np.random.default_rng()
    command = Command()
    try:
        began = time.monotonic()
        assert command.run([*start, "--out", str(undisturbed)]) == 0
        whole = time.monotonic() - began
        kills = completed = 0
        while kills < KILLS or not completed:
            killed = tmp_path / f"killed-{completed}"
            ended = finished(killed)
            arguments = (
                ["--resume", str(killed), "--quiet"]
                if (killed / "run.json").exists()
                else [*start, "--out", str(killed)]
            )
            status = command.run(arguments, kill_after=random.uniform(0, whole / 4) if kills < KILLS else None)
            assert {name: finished(killed)[name] for name in ended} == ended  # what had ended was not trained again
            if status == 0:
                check_same(undisturbed, killed)
                completed += 1
            else:
                assert status == -signal.SIGKILL
                kills += 1
    finally:
        command.close()


def without_times(files: dict[str, bytes]) -> dict[str, Any]:
    """Return trials' files without when they ended and with which others they were drawn."""
    trials = {name: json.loads(content) for name, content in files.items()}
    return {name: {**trial, "tfcourse": {"round": trial["tfcourse"]["round"]}} for name, trial in trials.items()}


def check_same(undisturbed: Path, killed: Path) -> None:
    assert without_times(finished(killed)) == without_times(finished(undisturbed))
    results = [{**read(run / "result.json"), "seconds": None} for run in (undisturbed, killed)]
    assert results[0] == results[1]
    assert not list(killed.rglob(".*"))  # nothing half-written is left


def test_more_trials_on_resume_are_those_of_a_longer_search(pets_run: Path, pets_csv: Path, tmp_path: Path) -> None:
    arguments = ["--data", str(pets_csv), "--target", "kind", "--epochs", "4", "--quiet"]
    longer, raised = tmp_path / "longer", tmp_path / "raised"
    assert train.main([*arguments, "--trials", "4", "--out", str(longer)]) == 0
    assert train.main([*arguments, "--trials", "2", "--out", str(raised)]) == 0
    assert train.main(["--resume", str(raised), "--trials", "4", "--quiet"]) == 0
    results = [{**read(run / "result.json"), "seconds": None} for run in (longer, raised)]
    once, twice = ([s["text"] for s in result["verdict"]["sentences"] if s["topic"] == "test"] for result in results)
    assert "used once, at the end" in once[0]
    assert "used 2 times: the run went on after a first result" in twice[0]
    for result in results:
        result["verdict"]["sentences"] = [s for s in result["verdict"]["sentences"] if s["topic"] != "test"]
        del result["verdict"]["numbers"]["test"]["looks"]
    assert results[0] == results[1]
    before = (raised / "result.json").read_bytes()
    assert train.main(["--resume", str(raised), "--quiet"]) == 0  # a finished run has nothing left to do
    assert (raised / "result.json").read_bytes() == before
    (raised / "result.json").write_bytes(before[:100])  # the search is whole: the result is made again from it
    assert train.main(["--resume", str(raised), "--quiet"]) == 0
    assert {**read(raised / "result.json"), "seconds": None} == {**json.loads(before), "seconds": None}


def test_a_search_that_time_alone_limited_ends_at_the_number_of_trials_that_is_given_later(
    pets_csv: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    arguments = ["--data", str(pets_csv), "--target", "kind", "--epochs", "2", "--quiet", "--no-halving"]
    command = [*arguments, "--budget", "1h", "--out", str(run)]
    plan = starting.start(vars(train.build_parser().parse_args(command)), command).plan
    assert plan.trials > 1000
    assert train.main(["--resume", str(run), "--trials", "3", "--quiet"]) == 0
    assert read(run / "result.json")["trials"]["completed"] == 3
