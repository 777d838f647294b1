"""A run in an MLflow store, read back by MLflow."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from tfcourse.report.__main__ import main as report
from tfcourse.run.trials import read_trials
from tfcourse.space import SearchSpace


def test_what_is_logged_is_the_run(
    pets_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="needs MLflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    store = str(tmp_path / "store")
    for _ in range(2):  # the second time it is there already
        assert report([str(pets_run), "--mlflow", store]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == said[1]
    client = mlflow.MlflowClient(tracking_uri=store)
    (experiment,) = client.search_experiments(filter_string="name = 'pets'")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 4
    (top,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    result = json.loads((pets_run / "result.json").read_text())
    assert top.data.metrics["test_log_loss"] == result["test"]["log_loss"]
    assert top.data.params["learning_rate"] == str(result["best"]["hyperparameters"]["learning_rate"])
    assert {"report.html", "model.keras", "model-card.md"} <= {
        file.path for file in client.list_artifacts(top.info.run_id)
    }
    record = json.loads((pets_run / "run.json").read_text())
    trials = {f"trial {trial.number}": trial for trial in read_trials(pets_run, SearchSpace.from_json(record["space"]))}
    for run in runs:
        if run is not top:
            trial = trials[run.info.run_name]
            assert run.data.tags["mlflow.parentRunId"] == top.info.run_id
            history = client.get_metric_history(run.info.run_id, "val_loss")
            assert [point.value for point in sorted(history, key=lambda point: point.step)] == trial.curves["val_loss"]


def test_without_mlflow_it_is_one_sentence(
    pets_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "mlflow" else find(name, *more)
    )
    assert report([str(pets_run), "--mlflow"]) == 2
    assert "pip install mlflow" in capsys.readouterr().err
    assert report([str(pets_run), str(pets_run.parent), "--mlflow"]) == 2
    assert "--mlflow was given with several runs" in capsys.readouterr().err
