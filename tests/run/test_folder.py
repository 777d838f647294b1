"""A run folder keeps its record whole, and is not written over."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.records import record_of_search, result_of_search
from tfcourse.errors import UserError
from tfcourse.run.folder import RunFolder, check_new, default_path, versions
from tfcourse.run.lock import alone_in

RECORD = record_of_search()
RESULT = result_of_search(RECORD["classes"])


def test_a_record_comes_back(tmp_path: Path) -> None:
    made = RunFolder.create(tmp_path / "deep" / "run", RECORD)
    opened = RunFolder.open(tmp_path / "deep" / "run")
    assert opened.record == {**made.record, "status": "interrupted"}
    assert {key: opened.record[key] for key in RECORD} == {**RECORD, "status": "interrupted"}
    assert opened.record["versions"]["numpy"] == version("numpy")
    assert datetime.fromisoformat(opened.record["started"]).tzinfo is not None
    assert opened.model_path == tmp_path / "deep" / "run" / "model.keras"


def test_a_run_is_running_while_a_process_holds_its_lock(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", RECORD)
    with alone_in(tmp_path / "run"):
        assert RunFolder.open(tmp_path / "run").record["status"] == "running"
    assert RunFolder.open(tmp_path / "run").record["status"] == "interrupted"  # whatever ended the process


@pytest.mark.parametrize("status", ["completed", "interrupted"])
def test_what_has_ended_stays_as_it_is(status: str, tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", {**RECORD, "status": status})
    assert RunFolder.open(tmp_path / "run").record["status"] == status


def test_an_update_is_written(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", RECORD).update(status="completed", seconds=2.5)
    record = RunFolder.open(tmp_path / "run").record
    assert (record["status"], record["seconds"], record["command"]) == ("completed", 2.5, RECORD["command"])
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["run.json"]


def test_an_update_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", RECORD)
    before = (tmp_path / "run" / "run.json").read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.update(status="completed", seconds=float("nan"))
    assert (folder.record["status"], folder.record["seconds"]) == (RECORD["status"], RECORD["seconds"])
    folder.update(test_looks=[])
    assert json.loads(before) | {"test_looks": []} == json.loads((tmp_path / "run" / "run.json").read_bytes())


def test_a_result_comes_back_when_the_search_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = RunFolder.create(Path("run"), RECORD)
    with pytest.raises(UserError) as caught:
        folder.result()
    assert str(caught.value) == (
        "The search in 'run' has not ended; go on with it: python -m tfcourse.train --resume run"
    )
    folder.result_path.write_text(json.dumps(RESULT))
    assert folder.result() == RESULT


def test_what_cannot_be_parsed_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = RunFolder.create(Path("run"), RECORD)
    assert folder.parse(lambda record: record["options"]["target"]) == "kind"
    with pytest.raises(UserError) as caught:
        folder.parse(lambda record: record["options"]["b"])
    assert str(caught.value) == (
        "'run/run.json' is damaged ('b'). Restore it from a copy, or start again in a new folder."
    )


def test_new_folders_are_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_new(Path("gone"))
    Path("empty").mkdir()
    check_new(Path("empty"))
    RunFolder.create(Path("run"), RECORD)
    with pytest.raises(UserError) as caught:
        check_new(Path("run"))
    assert str(caught.value) == (
        "--out: 'run' is not empty; give a new folder. To go on with the search in it: --resume run."
    )


def test_a_start_that_was_killed_before_it_had_begun_can_be_given_again(tmp_path: Path) -> None:
    (tmp_path / ".123.run.json").write_text('{"format": 1, "com')
    check_new(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".124.run.json").touch()
    (tmp_path / ".notes.run.json").touch()
    with pytest.raises(UserError, match="is not empty"):
        check_new(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".notes.run.json"]


def test_default_folders_never_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = []
    for _ in range(3):
        made.append(default_path("digits"))
        made[-1].mkdir(parents=True)
    assert len(set(made)) == 3
    assert all(path.parent == Path("runs") and path.name.startswith("digits-") for path in made)


def test_versions_are_those_installed() -> None:
    found = versions()
    assert found["keras"] == version("keras")
    assert found["keras-tuner"] == version("keras-tuner")
    assert set(found) == {"python", "tfcourse", "tensorflow", "keras", "keras-tuner", "numpy"}


def test_a_model_that_the_result_does_not_tell_of_is_told(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", RECORD)
    folder.model_path.write_bytes(b"first")
    assert folder.on_another_model() == ""  # of an earlier version, or never ended
    folder.complete()
    assert RunFolder.open(folder.path).record["model_sha256"] == hashlib.sha256(b"first").hexdigest()
    assert RunFolder.open(folder.path).on_another_model() == ""
    folder.model_path.write_bytes(b"second")
    assert RunFolder.open(folder.path).on_another_model().endswith("them all. Restore it from a copy.")
    folder.update(status="running")
    again = f"they are of one model again: python -m tfcourse.train --resume {folder.path}"
    assert RunFolder.open(folder.path).on_another_model().endswith(again)
    folder.model_path.unlink()
    assert folder.on_another_model() == ""
