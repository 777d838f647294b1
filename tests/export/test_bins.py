"""A saved model whose numbers have columns of bins, which the search had not: its own matrix is what is explained."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tfcourse.export.__main__ import main as export
from tfcourse.predict import main as predict
from tfcourse.train import main as train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bins")
    random = np.random.default_rng(0)
    x = random.normal(size=(240, 2))
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.abs(x[:, 0]) > 0.7}).to_csv(folder / "data.csv", index=False)
    given = ["--data", str(folder / "data.csv"), "--target", "y", "--trials", "2", "--epochs", "4", "--folds", "3"]
    assert train([*given, "--quiet", "--out", str(folder / "run")]) == 0
    settings = json.loads((folder / "run" / "result.json").read_text())["out_of_fold"]["settings"]
    assert any(each["bins"] and each["weight"] > 0 for each in settings), "the table is one where bins pay"
    return folder / "run"


def test_its_rows_are_explained(run: Path) -> None:
    out = run.parent / "explained.csv"
    assert predict([str(run), "--data", str(run.parent / "data.csv"), "--out", str(out), "--explain", "2"]) == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert np.mean([row["column_1"] == "a" for row in rows]) > 0.8
    for row in rows:
        total = float(row["average_probability"]) + float(row["effect_1"]) + float(row["effect_2"])
        assert total == pytest.approx(float(row[f"probability_{row['label']}"]), abs=2e-4)


def test_its_matrix_is_told_to_litert(run: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="needs LiteRT")
    assert export([str(run), "--to", "litert"]) == 0
    places = json.loads((run / "model.json").read_text())["features"]
    assert len(places) > 2


def test_a_run_that_did_not_keep_them_says_so(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = (run / "run.json").read_text()
    record = json.loads(written)
    assert len(record.pop("model_features")["numbers"][0]["edges"]) > 2
    (run / "run.json").write_text(json.dumps(record))
    try:
        assert predict([str(run), "--data", str(run.parent / "data.csv"), "--explain", "1"]) == 2
        assert "did not keep how they are bounded" in capsys.readouterr().err
        assert predict([str(run), "--data", str(run.parent / "data.csv")]) == 0
    finally:
        (run / "run.json").write_text(written)
