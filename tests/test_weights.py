"""--weight: how much rows count, in the loss, in what is chosen and in the temperature, against Keras and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from tfcourse.babysit import main as babysit
from tfcourse.data.options import DataOptions
from tfcourse.data.prepare import prepare
from tfcourse.export.__main__ import main as export
from tfcourse.predict import main as predict
from tfcourse.retest import main as retest
from tfcourse.run.measure import log_loss
from tfcourse.train import main as train
from tfcourse.tuning.weights import greedy_weights
from tfcourse.verdict.calibration import Predictions, fit_temperature
from tfcourse.verdict.out_of_fold import estimate

SPACE = 'optimizer = "adam"\ndropout = 0.0\nlayers = 2\n[learning_rate]\nlow = 0.003\nhigh = 0.03\n'


def table(rows: int = 150) -> pd.DataFrame:
    """Return two columns, a label that hangs on their sum, and weights."""
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 2))
    y = np.where(x.sum(axis=1) + random.normal(size=rows) > 0, "yes", "no")
    weight = np.where(y == "yes", 4.0, 1.0) * random.integers(0, 3, rows)
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "count": weight, "y": y})


def run(frame: pd.DataFrame, folder: Path, *flags: str) -> dict[str, Any]:
    """Train on a table and return the result."""
    folder.mkdir()
    frame.to_csv(folder / "data.csv", index=False)
    (folder / "space.toml").write_text(SPACE)
    given = ["--data", str(folder / "data.csv"), "--target", "y", "--space", str(folder / "space.toml")]
    given += ["--trials", "3", "--epochs", "6", "--quiet", "--out", str(folder / "run"), *flags]
    assert train(given) == 0
    found: dict[str, Any] = json.loads((folder / "run" / "result.json").read_text())
    return found


@pytest.fixture(scope="module")
def weighted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weighted") / "of"
    run(table(), folder, "--weight", "count", "--single")
    return folder


def test_both_engines_train_by_the_same_weights(weighted: Path, tmp_path: Path) -> None:
    ours = json.loads((weighted / "run" / "result.json").read_text())
    keras_own = run(table(), tmp_path / "keras", "--weight", "count", "--single", "--engine", "keras")
    assert ours["best"]["validation"]["loss"] == pytest.approx(keras_own["best"]["validation"]["loss"], abs=1e-3)
    assert ours["test"]["log_loss"] == pytest.approx(keras_own["test"]["log_loss"], abs=1e-3)
    without = run(table(), tmp_path / "without", "--drop", "count", "--single")
    assert abs(without["best"]["validation"]["loss"] - ours["best"]["validation"]["loss"]) > 0.01


def test_the_validation_loss_is_the_weighted_mean(weighted: Path) -> None:
    result = json.loads((weighted / "run" / "result.json").read_text())
    options = DataOptions(str(weighted / "data.csv"), target="y", weight="count")
    prepared = prepare(options)
    assert prepared.features.width == 2
    weights = prepared.validation.weights
    assert weights is not None
    assert weights.mean() == pytest.approx(1.0)
    model = keras.saving.load_model(weighted / "run" / "model.keras")
    probabilities = np.asarray(model.layers[-1]([prepared.validation.x], training=False))
    losses = -np.log(probabilities[np.arange(len(weights)), prepared.validation.y])
    assert (losses * weights).mean() == pytest.approx(result["best"]["validation"]["loss"], abs=1e-4)


def test_weights_that_are_alike_are_none(tmp_path: Path) -> None:
    alike = run(table().assign(count=3.0), tmp_path / "alike", "--weight", "count", "--folds", "3")
    without = run(table(), tmp_path / "without", "--drop", "count", "--folds", "3")
    for name in ("best", "baseline", "model", "test", "explanation"):
        assert alike[name] == without[name]
    for name in ("log_loss", "best_log_loss", "plain_log_loss"):
        assert alike["out_of_fold"][name] == pytest.approx(without["out_of_fold"][name])
    assert alike["out_of_fold"]["log_loss_interval"] == pytest.approx(without["out_of_fold"]["log_loss_interval"])


def test_a_class_that_does_not_count_is_not_learned(tmp_path: Path) -> None:
    frame = table()
    frame["count"] = (frame["y"] == "yes").astype(float)
    result = run(frame, tmp_path / "one", "--weight", "count", "--folds", "3")
    confusion = np.array(result["test"]["confusion"])
    assert confusion[:, 0].sum() < 0.2 * confusion.sum()
    assert result["out_of_fold"]["log_loss"] < 0.2 < result["test"]["log_loss"]


def test_a_test_file_needs_no_weights(tmp_path: Path) -> None:
    frame = table()
    frame.drop(columns="count").tail(40).to_csv(tmp_path / "test.csv", index=False)
    flags = ["--weight", "count", "--single", "--test-data", str(tmp_path / "test.csv")]
    without = run(frame, tmp_path / "without", *flags)
    frame.tail(40).to_csv(tmp_path / "test.csv", index=False)
    assert run(frame, tmp_path / "with", *flags)["test"] == without["test"]


def test_greedy_weights_and_temperature_are_those_of_repeated_rows() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 60)
    settings = [random.dirichlet(np.ones(3), 60) + 0.5 * np.eye(3)[y] for _ in range(4)]
    settings = [each / each.sum(axis=1, keepdims=True) for each in settings]
    counts = random.integers(0, 4, 60)
    again = np.repeat(np.arange(60), counts)
    weights = (counts / counts.mean()).astype(np.float32)
    assert greedy_weights(settings, y, weights) == greedy_weights([each[again] for each in settings], y[again])
    logits = np.log(settings[0])
    found = fit_temperature(Predictions(logits, y, weights))
    assert found == pytest.approx(fit_temperature(Predictions(logits[again], y[again])), rel=1e-4)

    def loss(temperature: float) -> float:
        scaled = np.exp(logits / temperature)
        scaled /= scaled.sum(axis=1, keepdims=True)
        return float((counts * -np.log(scaled[np.arange(60), y])).sum())

    assert found == pytest.approx(minimize_scalar(loss, bounds=(0.05, 20), method="bounded").x, rel=1e-3)
    assert log_loss(settings[0], y, weights) == pytest.approx(log_loss(settings[0][again], y[again]))
    assert estimate(settings[0], y, weights)["log_loss"] == pytest.approx(log_loss(settings[0][again], y[again]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "--weight: there is no column 'counts' beside the target. Did you mean 'count'?"),
        ({"counts": -1.0}, "--weight: column 'counts' holds -1 in row 1; each row needs a number, 0 or more."),
        ({"counts": [None] + [1.5] * 149}, "--weight: column 'counts' holds nothing in row 1"),
        ({"counts": ["x", "z", "w"] * 50}, "--weight: column 'counts' is read as texts"),
        ({"counts": 0.0}, "every row of the training part has zero weight"),
    ],
)
def test_what_is_no_weight_is_told(
    change: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table().assign(**change).to_csv(tmp_path / "data.csv", index=False)
    out = tmp_path / "run"
    given = ["--data", str(tmp_path / "data.csv"), "--target", "y", "--weight", "counts", "--out", str(out)]
    assert train(given) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_other_commands_find_the_rows_again_or_say_why_not(
    weighted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(weighted / "data.csv")
    assert predict([str(weighted / "run"), "--data", data, "--out", str(tmp_path / "p.csv"), "--explain", "1"]) == 0
    assert export([str(weighted / "run"), "--to", "numpy", "--out", str(tmp_path / "model.npz")]) == 0
    assert "30 test rows and 200 made-up rows have" in capsys.readouterr().out
    assert train(["--resume", str(weighted / "run"), "--trials", "4", "--quiet"]) == 0
    assert babysit(["start", "--from", str(weighted / "run"), "--out", str(tmp_path / "sat")]) == 2
    assert "a babysat training counts every row once" in capsys.readouterr().err
    accuracy = ["--objective", "val_accuracy", "--out", str(tmp_path / "new")]
    assert train(["--data", data, "--target", "y", "--weight", "count", *accuracy]) == 2
    assert "counts every row once; leave out --objective" in capsys.readouterr().err


def test_on_folds_equal_weights_count_alike(weighted: Path) -> None:
    prepared = prepare(DataOptions(str(weighted / "data.csv"), target="y", weight="count"))
    assert prepared.rows is not None
    assert prepared.weights is not None
    frame = pd.read_csv(weighted / "data.csv").set_index("a")["count"]
    given = frame[prepared.rows["a"]].to_numpy()
    np.testing.assert_allclose(prepared.weights, given / given.mean(), rtol=1e-6)


def test_retest_says_that_it_counts_otherwise(weighted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert retest([str(weighted / "run"), "--data", str(weighted / "data.csv")]) == 2
    assert "The run counts its rows by 'count' (--weight)" in capsys.readouterr().err
