"""In which way numbers enter, through the commands: told, kept, taken by what follows on a run, and mistakes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfcourse import babysit, predict, retest, train
from tfcourse.data.features import features_from_json
from tfcourse.data.numbers_as import way_of
from tfcourse.data.prepare import DataOptions, prepare


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def way_in(run: Path) -> str:
    return way_of(features_from_json(read(run / "run.json")["features"]).numbers)  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def run(pets_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of two trials whose numbers have bins."""
    out = tmp_path_factory.mktemp("numbers") / "run"
    given = ["--data", str(pets_csv), "--target", "kind", "--numbers", "encoded", "--trials", "2", "--epochs", "2"]
    assert train.main([*given, "--quiet", "--out", str(out)]) == 0
    return out


def test_the_way_is_kept_with_the_run_and_its_networks_take_as_much(run: Path, pets_csv: Path) -> None:
    record = read(run / "run.json")
    assert (record["options"]["numbers"], way_in(run)) == ("encoded", "encoded")
    data = prepare(DataOptions(str(pets_csv), target="kind", numbers="encoded"))
    with np.load(run / "baseline" / "best_epoch.npz") as arrays:
        assert arrays[arrays.files[0]].shape == (data.features.width, 2)
    assert record["features"] == json.loads(json.dumps(data.features.to_json()))


def test_what_follows_on_a_run_takes_numbers_its_way(run: Path, pets_csv: Path, tmp_path: Path) -> None:
    data = ["--data", str(pets_csv)]
    assert predict.main([str(run), *data, "--out", str(tmp_path / "labels.csv")]) == 0
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 121
    out = tmp_path / "retest"
    assert retest.main([str(run), *data, "--top", "1", "--repeats", "3", "--quiet", "--out", str(out)]) in (0, 3, 4)
    training = tmp_path / "training"
    words = ["start", "--from", str(run), "--out", str(training), "--set", "epochs=1", "--quiet"]
    assert babysit.main(words) == 0
    assert way_in(training) == "encoded"


def test_a_resumed_run_stays_with_its_way(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(run, tmp_path / "run")
    again = ["--resume", str(tmp_path / "run"), "--trials", "3", "--quiet"]
    assert train.main([*again, "--numbers", "robust"]) == 2
    assert "--numbers robust was given, but the search was started with --numbers encoded" in capsys.readouterr().err
    assert train.main(again) == 0
    assert read(tmp_path / "run" / "run.json")["features"] == read(run / "run.json")["features"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--numbers", "bins"], "--numbers"),
        (["--data", "digits", "--numbers", "robust"], "--numbers robust is for tables; arrays are standardized."),
    ],
)
def test_mistakes(words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main([*words, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "run").exists()
