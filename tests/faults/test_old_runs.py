"""Run folders that earlier versions wrote: each command takes them, with the predictions that were made then."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfcourse import babysit, predict, retest, train
from tfcourse.report import __main__ as report

VERSIONS = sorted(path for path in (Path(__file__).parent / "old_runs").iterdir() if path.is_dir())
TOLERANCE = 1e-4
"""Other processors and other releases of TensorFlow round otherwise."""


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda path: path.name)
def old(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a version's folders, which may be written to and lie elsewhere than where they were made."""
    return Path(shutil.copytree(request.param, tmp_path_factory.mktemp("old") / "runs"))


def expected(old: Path) -> Any:
    return json.loads((old / "expected.json").read_text(encoding="utf-8"))


def data_of(old: Path, run: str) -> str:
    return str(old / ("images.npz" if run == "arrays" else "pets.csv"))


def check_predictions(old: Path, run: str) -> None:
    out = old / "predictions.csv"
    assert predict.main([str(old / run), "--data", data_of(old, run), "--out", str(out)]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        found = list(csv.reader(file))
    then = expected(old)[run]
    assert found[0] == then[0]
    assert [row[0] for row in found] == [row[0] for row in then]
    numbers, before = (np.array([row[1:] for row in rows[1:]], dtype=float) for rows in (found, then))
    np.testing.assert_allclose(numbers, before, atol=TOLERANCE)


@pytest.mark.parametrize("run", ["table", "arrays", "training"])
def test_an_old_model_predicts_what_it_predicted(old: Path, run: str) -> None:
    check_predictions(old, run)


@pytest.mark.parametrize("run", ["table", "arrays", "interrupted"])
def test_an_old_run_has_a_page(old: Path, run: str) -> None:
    assert report.main([str(old / run)]) == 0
    page = (old / run / "report.html").read_text(encoding="utf-8")
    assert "images" in page if run == "arrays" else "pets" in page


def test_an_old_search_that_was_interrupted_ends_as_it_would_have_then(old: Path) -> None:
    run = old / "interrupted"
    kept = (run / "search" / "trial_0" / "trial.json").read_bytes()
    assert train.main(["--resume", str(run), "--data", data_of(old, "interrupted"), "--quiet"]) == 0
    assert (run / "search" / "trial_0" / "trial.json").read_bytes() == kept
    scores = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))["score"]
        for path in run.glob("search/trial_*/trial.json")
    }
    assert scores == pytest.approx(expected(old)["trials of interrupted"], abs=TOLERANCE)
    check_predictions(old, "interrupted")


def test_more_trials_are_added_to_an_old_search(old: Path) -> None:
    run = Path(shutil.copytree(old / "arrays", old / "longer"))
    words = ["--resume", str(run), "--data", data_of(old, "arrays"), "--trials", "3", "--quiet"]
    assert train.main(words) == 0
    assert json.loads((run / "result.json").read_text(encoding="utf-8"))["trials"]["completed"] == 3


def test_an_old_run_is_retested(old: Path) -> None:
    out, then = old / "retest", json.loads((old / "table" / "retests" / "1" / "retest.json").read_text())
    words = ["--data", str(old / "new-pets.csv"), "--top", "2", "--repeats", "3", "--quiet", "--out", str(out)]
    assert retest.main([str(old / "table"), *words]) in (0, 3, 4)
    now = json.loads((out / "retest.json").read_text(encoding="utf-8"))
    assert now["batches"][0].keys() >= then["batches"][0].keys()


def test_an_old_training_is_looked_at_and_goes_on(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = old / "training"
    events = (run / "journal.jsonl").read_bytes()
    assert babysit.main(["status", "--json", str(run)]) == 0
    epoch = json.loads(capsys.readouterr().out)["epoch"]
    words = ["--data", data_of(old, "training"), "--set", f"epochs={epoch + 1}", "--quiet"]
    assert babysit.main(["start", "--out", str(run), *words]) == 0
    assert (run / "journal.jsonl").read_bytes().startswith(events)
    assert babysit.main(["status", "--json", str(run)]) == 0
    assert json.loads(capsys.readouterr().out)["epoch"] == epoch + 1
