"""A training that was killed, or met a full disk, after its last epoch is finished by starting it again."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from tests.conftest import pets
from tfcourse import babysit, predict
from tfcourse.babysitting import training
from tfcourse.babysitting.checkpoints import Checkpoints
from tfcourse.babysitting.journal import NAME, read_journal
from tfcourse.babysitting.lock import is_held
from tfcourse.files.writing import write_json
from tfcourse.models.model_file import load_model_file
from tfcourse.run.folder import RunStatus

LEFT = ("model.keras", "result.json", "report.html")
KILLED = {
    "before its end was noted": (1, RunStatus.RUNNING, LEFT),
    "with a full disk": (0, RunStatus.INTERRUPTED, LEFT),
    "before the page": (0, RunStatus.RUNNING, LEFT[2:]),
    "before it was said to be done": (0, RunStatus.RUNNING, ()),
}
"""Lines that the journal lacks, the status, and the files that are not there yet."""


def outcome(folder: Path) -> dict[str, Any]:
    """Return what a training comes to."""
    model = load_model_file(folder / "model.keras")
    return {
        "weights": [np.asarray(weight).tolist() for weight in model.get_weights() if weight.dtype != object],
        "result": json.loads((folder / "result.json").read_text(encoding="utf-8")),
        "status": json.loads((folder / "run.json").read_text(encoding="utf-8"))["status"],
        "kinds": [event["kind"] for event in read_journal(folder).events],
        "page": (folder / "report.html").exists(),
        "left over": list(folder.rglob(".*")),
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a training of two epochs that nothing disturbed."""
    place = tmp_path_factory.mktemp("whole")
    pets().to_csv(place / "pets.csv", index=False)
    words = ["--data", str(place / "pets.csv"), "--target", "kind", "--set", "units=4", "epochs=2"]
    assert babysit.main(["start", "--out", str(place / "out"), *words, "--quiet"]) == 0
    return place / "out"


def killed(whole: Path, to: Path, lines: int, status: str, gone: tuple[str, ...]) -> Path:
    """Return a copy of a training as a kill would have left it."""
    shutil.copytree(whole, to)
    events = (to / NAME).read_bytes().splitlines(keepends=True)
    (to / NAME).write_bytes(b"".join(events[: len(events) - lines]))
    record = json.loads((to / "run.json").read_text(encoding="utf-8"))
    del record["test_looks"]
    (to / "run.json").write_text(json.dumps({**record, "status": status}), encoding="utf-8")
    for name in gone:
        (to / name).unlink()
    return to


@pytest.mark.parametrize("how", KILLED)
def test_it_comes_to_what_it_would_have_come_to(how: str, whole: Path, tmp_path: Path) -> None:
    folder = killed(whole, tmp_path / "out", *KILLED[how])
    assert babysit.main(["start", "--out", str(folder), "--quiet"]) == 0
    assert outcome(folder) == outcome(whole)
    assert outcome(folder)["status"] == RunStatus.COMPLETED


@pytest.mark.parametrize("full_at", [(1, 2), (1,)], ids=["both epochs", "the best"])
@pytest.mark.parametrize("limits", [["epochs=2"], ["epochs=50", "patience=1"]], ids=["epochs", "patience"])
def test_no_model_is_saved_in_the_place_of_a_better_one_that_a_full_disk_did_not_keep(
    limits: list[str],
    full_at: tuple[int, ...],
    whole: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = json.loads((whole / "result.json").read_text(encoding="utf-8"))
    assert result["epoch"] == 1, "the first epoch is the best"
    write = Checkpoints.write

    def full(self: Checkpoints, number: int, *rest: Any) -> None:
        if number in full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, number, *rest)

    monkeypatch.setattr(Checkpoints, "write", full)
    words = ["--data", str(whole.parent / "pets.csv"), "--target", "kind", "--set", "units=4", *limits]
    folder = tmp_path / "out"
    assert babysit.main(["start", "--out", str(folder), *words, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert "error: Epoch 1 is the best, but the disk was full and its weights were not kept" in error
    assert not (folder / "model.keras").exists()
    monkeypatch.undo()
    assert babysit.main(["start", "--out", str(folder), "--quiet"]) == 0
    again = outcome(folder)
    assert (again["weights"], again["result"]) == (outcome(whole)["weights"], result)
    assert again["kinds"][again["kinds"].index("restart") :] == ["restart", "epoch", "epoch", "end"]


def test_nothing_is_changed_and_nobody_else_trains_there_until_all_is_left(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, finish = [], training.finish

    def look_and_finish(opened: training.BabysatTraining) -> dict[str, Any]:
        held.append(is_held(folder))
        return finish(opened)

    monkeypatch.setattr(training, "finish", look_and_finish)
    folder = killed(whole, tmp_path / "out", *KILLED["with a full disk"])
    assert babysit.main(["start", "--out", str(folder), "--quiet", "--set", "epochs=2", "dropout=0.1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: This training has ended: 2 epochs were asked for. To make its model, which is not")
    assert not (folder / "model.keras").exists()
    assert held == []
    assert babysit.main(["start", "--out", str(folder), "--quiet", "--set", "epochs=2"]) == 0
    assert held == [True]
    assert not is_held(folder)
    assert outcome(folder) == outcome(whole)


def test_what_is_done_stays_done(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = outcome(whole)
    assert babysit.main(["start", "--out", str(whole), "--quiet"]) == 2
    assert "error: This training has ended: 2 epochs were asked for. To go on" in capsys.readouterr().err
    assert outcome(whole) == before


def test_that_it_is_done_is_written_last_so_that_no_kill_after_it_leaves_half_a_file(whole: Path) -> None:
    last = max((path for path in whole.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    assert last.name == "run.json"


def test_killed_before_the_first_line_of_its_journal_it_begins_again(whole: Path, tmp_path: Path) -> None:
    folder = killed(whole, tmp_path / "out", 0, RunStatus.INTERRUPTED, (*LEFT, NAME))
    for path in (folder / "checkpoints").glob("*.npz"):
        if int(path.stem):
            path.unlink()
    assert babysit.main(["start", "--out", str(folder), "--quiet"]) == 0
    assert outcome(folder) == outcome(whole)


def test_a_branch_that_was_killed_before_it_had_begun_does_not_begin_from_nothing(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = killed(whole, tmp_path / "out", 0, RunStatus.INTERRUPTED, (*LEFT, NAME))
    shutil.rmtree(folder / "checkpoints")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps({**record, "branch_of": {"folder": str(whole), "number": 1}}))
    assert babysit.main(["start", "--out", str(folder), "--quiet"]) == 2
    assert "was to be a branch, but its process was ended before it had begun" in capsys.readouterr().err


@pytest.fixture(scope="module")
def stopped(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a training that went on for an epoch, since it was told to stop, and would have gone on for many."""
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("stopped") / "out")
    write_json(folder / "commands" / "1-1.json", {"kind": "stop"})
    assert babysit.main(["start", "--out", str(folder), "--quiet", "--set", "epochs=50", "patience=40"]) == 0
    kinds = [event["kind"] for event in read_journal(folder).events]
    assert kinds[-5:] == ["restart", "stop", "change", "epoch", "end"] or kinds[-5:] == [
        "restart", "change", "stop", "epoch", "end",
    ]  # fmt: skip
    return folder


@pytest.mark.parametrize(("lines", "again"), [(0, 0), (1, 0), (2, 1)], ids=["export", "ending", "in its epoch"])
def test_killed_after_it_was_told_to_stop_it_stops_where_it_was_to(
    lines: int, again: int, stopped: Path, tmp_path: Path
) -> None:
    folder = killed(stopped, tmp_path / "out", lines, RunStatus.RUNNING, LEFT)
    before = len(read_journal(folder).events)
    assert babysit.main(["start", "--out", str(folder), "--quiet"]) == 0
    here, there = outcome(folder), outcome(stopped)
    kinds = [event["kind"] for event in read_journal(folder).events[before:]]
    assert kinds == [*["restart", "epoch"][: 2 * again], *["end"][: min(lines, 1)]]
    for name in ("weights", "status", "page", "left over"):
        assert here[name] == there[name]
    assert here["result"] == {**there["result"], "test_looks": 1}
    # Whoever starts it once more wants more of it.
    write_json(folder / "commands" / "1-2.json", {"kind": "stop"})
    assert babysit.main(["start", "--out", str(folder), "--quiet"]) == 0
    assert json.loads((folder / "journal.jsonl").read_bytes().splitlines()[-1])["epoch"] == 4


def test_told_to_stop_and_killed_it_goes_on_where_it_is_started_with_a_change(stopped: Path, tmp_path: Path) -> None:
    folder = killed(stopped, tmp_path / "out", 1, RunStatus.RUNNING, LEFT)
    assert babysit.main(["start", "--out", str(folder), "--quiet", "--set", "epochs=4"]) == 0
    assert [event["kind"] for event in read_journal(folder).events[-4:]] == ["restart", "change", "epoch", "end"]


def interrupt(*given: object) -> NoReturn:
    """End what calls it."""
    raise KeyboardInterrupt


def test_a_kill_between_the_model_and_its_result_is_told_until_both_are_of_one_model(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(whole, tmp_path / "out")
    words = [str(folder), "--data", str(whole.parent / "pets.csv"), "--out", str(tmp_path / "labels.csv")]
    assert predict.main(words) == 0
    assert "is not the model" not in capsys.readouterr().err
    with monkeypatch.context() as between:
        between.setattr(training, "measure", interrupt)
        assert babysit.main(["start", "--out", str(folder), "--quiet", "--set", "epochs=3"]) == 130
    capsys.readouterr()
    assert predict.main(words) == 0
    assert capsys.readouterr().err == (
        f"note: '{folder}/model.keras' is not the model that result.json and report.html tell of: it was replaced, or"
        " the run was ended before it had written them all. Go on with the run, and they are of one model again:"
        f" python -m tfcourse.babysit start --out {folder}\n"
    )
    assert babysit.main(["start", "--out", str(folder), "--quiet"]) == 0
    assert predict.main(words) == 0
    assert "is not the model" not in capsys.readouterr().err
