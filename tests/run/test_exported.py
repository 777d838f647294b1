"""The exported model is asked for the test score, and refused when it is not the network that was trained."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from tfcourse import train
from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.models.builders import build_mlp, with_softmax
from tfcourse.models.spec import NetworkSpec
from tfcourse.run import exported
from tfcourse.run.exported import check_same, export
from tfcourse.run.measure import measure


def test_export_gives_the_probabilities_of_the_file(tmp_path: Path) -> None:
    prepared = prepare(DataOptions("digits"))
    network = build_mlp(NetworkSpec(64, 10, (8,)), seed=0)
    given = export(tmp_path / "model.keras", prepared.features, network, prepared.test_rows, prepared.test.x)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(given, loaded.predict(prepared.test_rows, batch_size=4096, verbose=0))
    expected = with_softmax(network).predict(prepared.test.x, verbose=0)
    np.testing.assert_allclose(given, expected, atol=1e-6)


@pytest.mark.parametrize("wrong", [0.6, np.nan])
def test_other_probabilities_are_refused_with_the_first_row(wrong: float, tmp_path: Path) -> None:
    expected = np.array([[0.25, 0.75], [0.5, 0.5], [0.125, 0.875]], np.float32)
    check_same(expected + np.float32(1e-6), expected, tmp_path / "model.keras")
    given = expected.copy()
    given[1:, 0] = wrong
    with pytest.raises(exported.UserError) as caught:
        check_same(given, expected, tmp_path / "model.keras")
    assert str(caught.value) == (
        "The exported model is not the network that was trained: in 2 of 3 test rows its probabilities differ, in test"
        f" row 2 {wrong:.4g} instead of 0.5. model.keras was not written, and no test score is given; the run"
        f" {str(tmp_path)!r} is kept. This is a fault of this program or of the installed Keras: please report it, with"
        " run.json. Once it is mended, going on with the run exports the model again."
    )


def test_a_faulty_export_ends_a_run_that_goes_on_when_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The fault: columns are fed to the model in another order than it was trained on, as a mixed-up file would."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=150), "b": random.normal(50, 5, 150)})
    frame.assign(y=np.where(frame["a"] + random.normal(size=150) > 0, "up", "down")).to_csv(
        tmp_path / "t.csv", index=False
    )
    given = ["--data", str(tmp_path / "t.csv"), "--target", "y", "--trials", "1", "--epochs", "2", "--quiet"]
    right = exported.model_inputs

    def exchanged(rows: object, features: object) -> object:
        inputs = right(rows, features)  # type: ignore[arg-type]
        return {"a": inputs["b"], "b": inputs["a"]}

    run = tmp_path / "run"
    with monkeypatch.context() as faulty:
        faulty.setattr(exported, "model_inputs", exchanged)
        assert train.main([*given, "--out", str(run)]) == 2
    assert "error: The exported model is not the network that was trained: in " in capsys.readouterr().err
    assert not (run / "model.keras").exists()
    assert not (run / "result.json").exists()
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    assert train.main(["--resume", str(run), "--quiet"]) == 0
    result = json.loads((run / "result.json").read_text())
    prepared = prepare(DataOptions(str(tmp_path / "t.csv"), target="y"))
    model = keras.saving.load_model(run / "model.keras")
    columns = {name: column.astype("float32") for name, column in prepared.test_rows.items()}  # type: ignore[union-attr]
    assert result["test"] == measure(model.predict(columns, verbose=0), prepared.test.y, prepared.classes)
