"""Every mistake in retesting a run: the whole sentence the user reads, and nothing written."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import pets
from tfcourse import retest

SUFFIXES = (
    ".csv, .tsv, .txt, .jsonl, .ndjson, .json (each also .gz, .bz2, .xz, .zst), .parquet, .feather, .arrow, .xlsx"
)
HELP = "See python -m tfcourse.retest --help."
COLUMNS = "Its columns are 'name', 'weight', 'colour', 'legs', 'born'"

MISTAKES = [
    ("gone --data new.csv", "There is no run folder 'gone'; give the folder that a search wrote."),
    (
        "running --data new.csv",
        "The search in 'running' has not ended; go on with it: python -m tfcourse.train --resume running",
    ),
    (
        "diverged --data new.csv",
        "No trial of the run 'diverged' completed (3 diverged), so there is no winner to retest. Search again with"
        " lower learning rates.",
    ),
    ("run", f"the following arguments are required: --data. {HELP}"),
    (
        "run --data new.csv --top 0",
        f"argument --top: '0' was given; allowed are whole numbers from 1. {HELP}",
    ),
    (
        "run --data new.csv --repeats 2",
        f"argument --repeats: '2' was given; allowed are whole numbers from 3. {HELP}",
    ),
    (
        "run --data gone.csv",
        f"--data: there is no file 'gone.csv'. Give a path that ends in {SUFFIXES}, .npz, or one of digits, mnist,"
        " fashion_mnist, cifar10.",
    ),
    ("run --data broken.csv", "'broken.csv' ends line 2 after 1 field, but its header names 2 columns. Each row needs a"
     " field a column; a text that holds commas must stand in double quotes."),
    (
        "run --data unlabelled.csv",
        f"--data: 'unlabelled.csv' has no column 'kind', the target of the run; a retest needs the labels. {COLUMNS}.",
    ),
    (
        "run --data narrow.csv",
        "The data lacks 1 column that the model was trained on: 'weight'. Add them; leave values empty where they are"
        " not known.",
    ),
    (
        "run --data words.csv",
        "Column 'weight' holds 'heavy' in row 3, but the model was trained on numbers there. Put it right, or leave the"
        " value empty.",
    ),
    (
        "run --data few.csv",
        "--data: 40 labelled rows, too few for 5 repeats: at least 50 are needed, 10 to validate and as many to hold"
        " out in each.",
    ),
    (
        "run --data birds.csv",
        "--data: no label of 'birds.csv' is a class of the run. Its labels are 'jay', 'owl'; the run's classes are"
        " 'cat', 'dog'. Write the labels as in training.",
    ),
    (
        "run --data cats.csv",
        "--data: the label is 'cat' in every row of 'cats.csv'; at least two classes are needed.",
    ),
    (
        "run --data images.npz",
        f"--data: the run was trained on a table, but 'images.npz' is not one; give a file in {SUFFIXES}.",
    ),
    ("run --data new.csv --batches 3", "--batches needs --since COLUMN, by which the rows are put in order."),
    (
        "run --data new.csv --since birn",
        f"--since: there is no column 'birn'. Did you mean 'born'? {COLUMNS}.",
    ),
    (
        "run --data new.csv --since name",
        "--since: column 'name' holds 'pet 0'; numbers, or dates of one format, are needed.",
    ),
    (
        "run --data new.csv --since weight",
        "--since: column 'weight' is empty in 12 rows, the first in row 1; every row needs its time.",
    ),
    (
        "run --data new.csv --since born",
        "--batches: one of 6 batches has 20 labelled rows, too few for 5 repeats: at least 50 are needed, 10 to"
        " validate and as many to hold out in each.",
    ),
    ("run --data new.csv --since born --batches 400", "--batches: 400 was given, but there are 120 rows."),
    (
        "run --data new.csv --out full",
        "--out: 'full' is not empty; give a new folder.",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def place(pets_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a finished run, an unfinished one, one that diverged, and data that do not fit."""
    folder = tmp_path_factory.mktemp("mistakes")
    for name in ("run", "running", "diverged"):
        shutil.copytree(pets_run, folder / name)
    for name in ("running", "diverged"):
        (folder / name / "result.json").unlink()
    for path in (folder / "diverged" / "search").glob("trial_*/trial.json"):
        state = json.loads(path.read_text())
        state |= {"status": "FAILED", "message": "diverged in epoch 1"}
        state["tfcourse"]["diverged"] = True
        path.write_text(json.dumps(state))
    frame = pets()
    tables: dict[str, Any] = {
        "new": frame,
        "unlabelled": frame.drop(columns="kind"),
        "narrow": frame.drop(columns="weight"),
        "words": frame.assign(weight=["1", "2", "heavy", *["4"] * 117]),
        "few": frame[:40],
        "birds": frame.assign(kind=["owl", "jay"] * 60),
        "cats": frame.assign(kind="cat"),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "broken.csv").write_text("a,b\n1\n")
    np.savez(folder / "images.npz", x=np.zeros((9, 4, 4)), y=np.arange(9) % 2)
    (folder / "full").mkdir()
    (folder / "full" / "kept.txt").write_text("kept")
    return folder


@pytest.mark.parametrize(("words", "message"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_one_clear_sentence(
    words: str, message: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    assert retest.main(shlex.split(words)) == 2
    shown = capsys.readouterr()
    assert shown.err == f"error: {message}\n"
    assert "Traceback" not in shown.out
    assert sorted(place.rglob("*")) == before


def test_labels_missing_in_some_rows_are_left_out_before_times_are_read(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    frame = pd.read_csv("new.csv")
    frame.loc[30:, "kind"] = None
    frame.to_csv("sparse.csv", index=False)
    assert retest.main(["run", "--data", "sparse.csv"]) == 2
    assert "30 labelled rows, too few for 5 repeats" in capsys.readouterr().err
