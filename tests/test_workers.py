"""``train --workers`` through the real command: whichever worker dies, the result is that of threads."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.executors.examples import ended, outcome
from tfcourse import retest, train

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="worker processes need sockets that are handed on"),
    pytest.mark.timeout(600),
]
TRIALS = 12
SEARCH = ["--target", "kind", "--trials", str(TRIALS), "--epochs", "6", "--seed", "2", "--halving", "--folds", "2"]


def workers_of_this_process() -> list[int]:
    """Return the process ids of the workers that this process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words, parent = (path / "cmdline").read_bytes(), (path / "stat").read_text().rsplit(")", 1)[1].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"tfcourse.executors.worker" in words and int(parent) == os.getpid():
            found.append(int(path.name))
    return found


@contextmanager
def meanwhile(act: Callable[[], bool]) -> Iterator[None]:
    """Call a function ten times a second while the block runs, until it says that it is done."""
    over = threading.Event()

    def look() -> None:
        while not over.is_set() and not act():
            time.sleep(0.1)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def search(pets_csv: Path) -> list[str]:
    return ["--data", str(pets_csv), *SEARCH]


@pytest.fixture(scope="module")
def wanted(search: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = tmp_path_factory.mktemp("threads") / "run"
    assert train.main([*search, "--quiet", "--out", str(run)]) == 0
    return outcome(run)


def test_a_worker_killed_under_way_changes_nothing(
    search: list[str], wanted: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, killed = tmp_path / "run", list[int]()

    def kill_one() -> bool:
        if ended(run) and (workers := workers_of_this_process()):
            killed.append(workers[0])
            os.kill(workers[0], signal.SIGKILL)
        return bool(killed)

    with meanwhile(kill_one):
        assert train.main([*search, "--workers", "2", "--out", str(run)]) == 0
    assert outcome(run) == wanted
    assert len(killed) == 1
    assert workers_of_this_process() == []
    (part,) = json.loads((run / "run.json").read_text(encoding="utf-8"))["workers"]
    assert any("SIGKILL" in worker["lost"] for worker in part["workers"])
    assert "1 worker lost" in capsys.readouterr().out
    assert "1 worker lost" in (run / "report.html").read_text(encoding="utf-8")


def test_interrupted_with_workers_and_gone_on_with_without(
    search: list[str], wanted: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run, pressed = tmp_path / "run", list[int]()

    def press() -> bool:
        if ended(run) >= 1:  # no later: the cohorts that are at work may bring all others
            pressed.append(1)
            os.kill(os.getpid(), signal.SIGINT)
        return bool(pressed)

    with meanwhile(press):
        assert train.main([*search, "--workers", "2", "--out", str(run), "--quiet"]) == 130
    assert workers_of_this_process() == []
    before = ended(run)
    assert 3 <= before < TRIALS
    assert train.main(["--resume", str(run), "--quiet"]) == 0
    assert outcome(run) == wanted


def test_a_retest_with_workers_says_what_one_on_threads_says(
    pets_run: Path, pets_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for name, more in (("threads", []), ("workers", ["--workers", "1"])):
        out = tmp_path / name
        words = [str(pets_run), "--data", str(pets_csv), "--repeats", "3", "--out", str(out), "--quiet", *more]
        assert retest.main(words) in (0, 3, 4)
        found.append(json.loads((out / "retest.json").read_text(encoding="utf-8"))["batches"])
    assert found[0] == found[1]


MISTAKES = [
    (["--workers", "0"], r"argument --workers: '0' was given; allowed are whole numbers from 1"),
    (["--workers", "2", "--engine", "keras"], r"--workers 2 was given with --engine keras.*use --engine cohort\."),
    (["--workers", "2", "--ray", "local"], r"--workers 2 and --ray local were given; cohorts train in one place"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES)
def test_a_mistake_is_one_sentence(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main([*words, "--out", str(tmp_path / "run")]) == 2
    errors = capsys.readouterr().err
    assert re.fullmatch(rf"error: {said}.*\n", errors)
    assert not (tmp_path / "run").exists()


def test_ray_that_is_not_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ray" else found(name, *more))
    assert train.main(["--ray", "auto", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == (
        'error: --ray auto needs Ray, which is not installed: pip install "tfcourse[ray]"\n'
    )
