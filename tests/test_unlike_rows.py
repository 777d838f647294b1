"""New rows that are unlike training, through ``python -m tfcourse.predict``: every line that a person reads.

The run has no model: the command tells what is unlike before it asks for one, so nothing has to be trained.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.records import result_of_search
from tfcourse import predict, train
from tfcourse.tuning import start as starting

NO_MODEL = "error: 'run' is not a whole run folder: model.keras is not there."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unlike")
    table().assign(y=list("ab") * 60).to_csv(folder / "t.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        argv = ["--data", "t.csv", "--target", "y", "--out", "run"]
        starting.start(vars(train.build_parser().parse_args(argv)), argv)
    (folder / "run" / "result.json").write_text(json.dumps(result_of_search(["a", "b"])))
    return folder


def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "Age": random.integers(18, 80, 120),
            "smoker": random.choice(["yes", "no"], 120),
            "seen": pd.date_range("2020-01-01", periods=120, freq="8D").strftime("%d.%m.%Y"),
        }
    )


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, [NO_MODEL]),
        ({"Age": 900}, ["note: Age: 900 in row 5 is far from the values of training, 18 to 79", NO_MODEL]),
        (
            {"smoker": "Yes"},
            [
                "note: smoker: 1 of 20 values was not in training and is read as 'other': 'Yes' (1; training"
                " knew 'yes')",
                NO_MODEL,
            ],
        ),
        (
            {"seen": "01.01.1900"},
            [
                "note: seen: 1900-01-01 in row 5 is far from the values of training, 2020-01-01 to 2022-08-10",
                NO_MODEL,
            ],
        ),
        (
            {"seen": "2021-04-05"},
            [
                "note: seen: 1 date is written as yyyy-mm-dd, and in training they were dd.mm.yyyy: '2021-04-05' in"
                " row 5 is read as 2021-04-05",
                NO_MODEL,
            ],
        ),
        (
            {"seen": "05/04/2021"},
            [
                "error: Column 'seen' holds '05/04/2021' in row 5, but the dates of training were written as"
                " dd.mm.yyyy, and nothing tells whether the day or the month comes first here. Write it as those, or"
                " as 2026-12-31."
            ],
        ),
    ],
)
def test_one_value_unlike_training(
    values: dict[str, object],
    lines: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    rows = table().head(20).astype(object)
    for name, value in values.items():
        rows.loc[4, name] = value
    rows.to_csv("new.csv", index=False)
    assert predict.main(["run", "--data", "new.csv"]) == 2
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"Age": "age"}, "1 column that the model was trained on: 'Age' (there is 'age'). Add or rename them;"),
        (
            {"Age": "AGE ", "smoker": "Smokers"},
            "2 columns that the model was trained on: 'Age' (there is 'AGE'), 'smoker' (there is 'Smokers'). Add or"
            " rename them;",
        ),
        ({"Age": "height"}, "1 column that the model was trained on: 'Age'. Add them;"),
    ],
)
def test_a_column_under_another_name(
    names: dict[str, str],
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    table().rename(columns=names).to_csv("new.csv", index=False)
    assert predict.main(["run", "--data", "new.csv"]) == 2
    assert capsys.readouterr().err == f"error: The data lacks {said} leave values empty where they are not known.\n"


def test_how_the_file_was_read_is_told_as_in_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    table().to_csv("new.csv", index=False, sep=";")
    assert predict.main(["run", "--data", "new.csv"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "note: new.csv: its fields stand between semicolons", NO_MODEL
    ]  # fmt: skip
