"""The process that starts a campaign's commands: whatever a test leaves, a signal goes to its own child alone."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts" / "faults"


@pytest.fixture(scope="module", autouse=True)
def _scripts() -> Iterator[None]:
    sys.path.insert(0, str(SCRIPTS))
    yield
    sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from warm import Warm

    with Warm(tmp_path_factory.mktemp("warm")) as server:
        yield server


def alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def test_a_child_that_nobody_waited_for_does_not_answer_for_the_next(warm: Any, pets_csv: Path) -> None:
    left = warm.start("look", pets_csv)  # it ends with 0, which as a process's number means: all of this group
    waiting = warm.start("look", pets_csv, wait=True)
    assert left.status is not None
    assert waiting.process > 1
    assert waiting.process != left.process
    assert alive(waiting.process)
    after = warm.run("look", pets_csv)
    assert waiting.status == -9
    assert not alive(waiting.process)
    assert after.status == 0
    assert "kind" in after.said


def test_the_number_of_a_child_that_has_ended_is_kept_until_that_is_known(warm: Any, pets_csv: Path) -> None:
    child = warm.start("look", pets_csv)
    while not warm.has_line():
        pass
    assert alive(child.process)
    child.kill()  # reaches nobody else
    assert child.wait() == 0
    warm.run("look", pets_csv)
    child.kill()  # known to have ended: no signal is sent
    assert not alive(child.process)


def test_what_has_changed_in_a_folder_can_be_seen_while_folders_come_and_go(tmp_path: Path) -> None:
    from kills import looked_at

    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            for name in "abcdefgh":
                (tmp_path / name / "inner").mkdir(parents=True)
                (tmp_path / name / "inner" / "file").touch()
            for name in "abcdefgh":
                (tmp_path / name / "inner" / "file").unlink()
                (tmp_path / name / "inner").rmdir()
                (tmp_path / name).rmdir()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(300):
            assert all(path.startswith(str(tmp_path) + os.sep) for path, *_ in looked_at(tmp_path))
    finally:
        stop.set()
        thread.join()
