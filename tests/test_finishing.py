"""The end of a run through the command line: leaders trained again, ensemble, temperature, what the verdict says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from tfcourse import train
from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import network_from_values
from tfcourse.run.trials import leaders, read_trials
from tfcourse.space import SearchSpace


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(pets_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run whose model is the average of three trials at a fitted temperature."""
    out = tmp_path_factory.mktemp("finishing") / "run"
    given = ["--trials", "5", "--epochs", "3", "--ensemble", "3", "--calibrate", "--quiet"]
    assert train.main(["--data", str(pets_csv), "--target", "kind", "--out", str(out), *given]) == 0
    return out


def logits_of_leaders(run: Path, csv: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the log of the mean probabilities of the three leading trials, and the classes, worked out with NumPy."""
    space = SearchSpace.from_json(read(run / "run.json")["space"])
    data = prepare(DataOptions(str(csv), target="kind"))
    rows = getattr(data, part)
    probabilities = []
    for trial in leaders(read_trials(run, space), "val_loss")[:3]:
        model = build_mlp(network_from_values(trial.values, inputs=data.features.width, classes=2))
        with np.load(run / "search" / f"trial_{trial.number}" / "best_epoch.npz") as arrays:
            model.set_weights([arrays[name] for name in arrays.files])
        probabilities.append(softmax(model.predict(rows.x, verbose=0).astype(float), axis=1))
    return np.log(np.mean(probabilities, axis=0)), rows.y


def test_the_saved_model_is_the_average_at_the_fitted_temperature(run: Path, pets_csv: Path) -> None:
    result = read(run / "result.json")
    logits, y = logits_of_leaders(run, pets_csv, "validation")
    nll = minimize_scalar(
        lambda r: -log_softmax(logits / np.exp(r), axis=1)[np.arange(len(y)), y].mean(), bounds=(-3, 3)
    )
    temperature = result["model"]["temperature"]
    assert temperature == pytest.approx(np.exp(nll.x), rel=0.02)
    logits, y = logits_of_leaders(run, pets_csv, "test")
    expected = softmax(logits / temperature, axis=1)
    assert result["test"]["accuracy"] == pytest.approx((expected.argmax(axis=1) == y).mean())
    assert result["test"]["log_loss"] == pytest.approx(-np.log(expected[np.arange(len(y)), y]).mean(), rel=1e-4)
    model = keras.saving.load_model(run / "model.keras")
    frame = pd.read_csv(pets_csv, keep_default_na=False)
    columns = {name: frame[name].to_numpy(object) for name in ("weight", "colour", "born")}
    columns["weight"] = pd.to_numeric(frame["weight"]).to_numpy("float32")
    raw = model.predict(columns, verbose=0)
    for row in expected:  # every row of the test split is among the file's
        assert np.abs(raw - row).max(axis=1).min() < 1e-5


def test_the_single_models_own_test_score_stands_beside_the_averages(run: Path) -> None:
    result = read(run / "result.json")
    assert len(result["model"]["trials"]) == 3
    assert result["model"]["saved"].startswith("the average of trials ")
    assert 0 <= result["best"]["test"]["accuracy"] <= 1
    topics = {sentence["topic"] for sentence in result["verdict"]["sentences"]}
    assert topics >= {"winner", "test", "model", "edges", "diverged", "importance", "enough", "curves", "calibration"}


def test_the_leaders_and_the_baseline_are_trained_again_from_five_seeds_once(run: Path) -> None:
    kept = read(run / "repeats.json")
    candidates = read(run / "result.json")["verdict"]["numbers"]["winner"]["candidates"]
    trials = {f"trial {each['trial']}" for each in candidates if each["trial"] is not None}
    assert set(kept["scores"]) == trials | {"softmax regression"}
    assert len(trials) == 3
    assert all(len(scores) == 5 for scores in kept["scores"].values())
    before = (run / "repeats.json").read_bytes()
    assert train.main(["--resume", str(run), "--ensemble", "1", "--quiet"]) == 0
    assert (run / "repeats.json").read_bytes() == before
    assert read(run / "result.json")["model"]["trials"] == [int(read(run / "result.json")["best"]["trial_id"])]
