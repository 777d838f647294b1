"""``python -m tfcourse.report``: a run that still searches, runs side by side, and every mistake."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import read, stopped
from tests.report.page_text import Page
from tfcourse import report
from tfcourse.report.__main__ import main


def test_a_report_is_written_while_the_search_runs(report_run: Path) -> None:
    page = Page(report_run.parent / "watched.html")
    text = page.text
    ended = [status for status in page.data["trials"]["status"] if status != "running"]
    assert 0 < len(ended) <= 20
    assert "This search is still running." in text
    assert f"{len(ended)} of 20 trials: {ended.count('completed')} completed" in text
    assert "The best setting so far is trial " in text
    assert f"python -m tfcourse.train --resume {report_run}" in text
    assert "Test accuracy" not in text


def test_a_stopped_search_is_shown_with_its_rounds_so_far(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopped(copied, kept=14)
    assert main([str(copied)]) == 0
    assert capsys.readouterr().out == f"Written to {copied / 'report.html'}\n"
    data = Page(copied / "report.html").data
    assert data["trials"]["status"][14] == "running"
    assert (data["rounds"], len(data["progress"])) == (2, 14)


def test_it_takes_no_tensorflow(report_run: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from tfcourse.report.__main__ import main;"
        f"status = main([{str(report_run)!r}, '--out', {str(tmp_path / 'page.html')!r}]);"
        "print(status, 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False False"
    assert Page(tmp_path / "page.html").text == Page(report_run / "report.html").text


def test_runs_side_by_side(report_run: Path, copied: Path, pets_run: Path, tmp_path: Path) -> None:
    result = read(copied / "result.json")
    result["test"] |= {"accuracy": 0.125, "accuracy_interval": [0.059, 0.2473]}
    (copied / "result.json").write_text(json.dumps(result), encoding="utf-8")
    record = read(copied / "run.json")
    record["plan"]["epochs"] = 77
    (copied / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert main([str(report_run), str(copied), "--out", str(tmp_path / "both.html")]) == 0
    page = Page(tmp_path / "both.html")
    best = read(report_run / "result.json")["test"]["accuracy"]
    assert (
        f"run leads copied by {100 * (best - 0.125):.2f} percentage points of test accuracy; their 95 % intervals do"
        in (page.text)
    )
    scores = {row[0]: row[1:] for row in page.table("run")[1:]}
    assert scores["test accuracy"] == [f"{best:.2%}", "12.50%"]
    lowest = read(report_run / "result.json")["verdict"]["numbers"]["winner"]["search_best"]
    assert scores["best validation score"] == [f"{lowest:.4f}"] * 2
    settings = {row[0]: row[1:] for row in page.rows[1][1:]}
    assert settings == {"epochs": ["5", "77"]}
    assert [run["name"] for run in page.data["runs"]] == ["run", "copied"]
    assert page.data["runs"][0]["progress"] == Page(report_run / "report.html").data["progress"]
    others = tmp_path / "pets"
    shutil.copytree(pets_run, others)
    assert main([str(report_run), str(others), "--out", str(tmp_path / "other.html")]) == 0
    text = Page(tmp_path / "other.html").text
    assert "The runs read different data: their scores are no measure of each other." in text
    assert " leads " not in text


EMPTY = (
    "The run in 'empty' was interrupted before a trial had ended; go on with it:"
    " python -m tfcourse.train --resume empty"
)
MISTAKES = [
    ("gone", "There is no run folder 'gone'; give the folder that a search wrote."),
    ("run --out gone/page.html", "--out: there is no folder 'gone'; make it, or give another place."),
    ("run --out run", "--out: 'run' is a folder; give the file to write, such as run/report.html."),
    ("run run", "run run was given; give each run once."),
    ("run empty --tensorboard", "--tensorboard was given with several runs; give it with one run at a time."),
    ("empty", EMPTY),
    ("run empty", EMPTY),
    (
        "diverged",
        "No trial of 'diverged' completed: 3 of 3 diverged, at learning rates of 0.25 to 4. Start a search with lower"
        " learning rates: give --space a file with [learning_rate] and a lower low and high.",
    ),
    ("failed", "All 3 trials of 'failed' failed, the first with: ValueError: no"),
    (
        "hurt",
        "'hurt/search/trial_1/trial.json' is damaged (KeyError('hyperparameters')). Restore it from a copy, or remove"
        " it.",
    ),
    ("", "the following arguments are required: RUN. See python -m tfcourse.report --help."),
]


@pytest.fixture(scope="module")
def folder(pets_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run and copies in which no trial ended, all diverged, all failed, or one is damaged."""
    folder = tmp_path_factory.mktemp("report-mistakes")
    for name in ("run", "empty", "diverged", "failed", "hurt"):
        shutil.copytree(pets_run, folder / name)
    stopped(folder / "empty", kept=0)
    for name, message in (
        ("diverged", "diverged: the loss was no longer finite"),
        ("failed", "Traceback\nValueError: no"),
    ):
        for number, path in enumerate(sorted((folder / name / "search").glob("trial_*/trial.json"))):
            state: dict[str, Any] = {**read(path), "status": "FAILED", "score": None, "message": message}
            state["tfcourse"] = {**state["tfcourse"], "diverged": name == "diverged"}
            state["hyperparameters"]["values"]["learning_rate"] = 4.0 ** (number - 1)
            path.write_text(json.dumps(state), encoding="utf-8")
    (folder / "hurt" / "search" / "trial_1" / "trial.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(("words", "message"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_one_clear_sentence(
    words: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    assert main(shlex.split(words)) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"error: {message}\n")
    assert sorted(folder.rglob("*")) == before


def test_a_report_that_cannot_be_written_loses_no_run(
    copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "report.html").unlink()
    (copied / "report.html").mkdir()
    from tfcourse.report.page import try_to_write_report

    assert try_to_write_report(copied) is False
    assert capsys.readouterr().err.endswith(f"the run itself is whole. Try again: python -m tfcourse.report {copied}\n")
    assert report.write_report(copied, copied / "elsewhere.html").is_file()
