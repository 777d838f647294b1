"""``python -m tfcourse.train`` from data to report, through its real command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from tfcourse import predict, train
from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.space import SearchSpace


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_result_holds_what_is_promised(pets_run: Path) -> None:
    result = read(pets_run / "result.json")
    assert set(result["best"]) >= {"trial_id", "hyperparameters", "epoch", "validation"}
    assert set(result["best"]["validation"]) == {"loss", "accuracy"}
    assert set(result["test"]) >= {"accuracy", "accuracy_interval", "log_loss", "macro_f1", "n"}
    assert result["trials"] == {"completed": 3, "diverged": 0, "failed": 0}
    assert result["seconds"]["total"] > result["seconds"]["search"] > 0
    assert result["classes"] == ["cat", "dog"]
    values = result["best"]["hyperparameters"]
    assert 1e-4 <= values["learning_rate"] <= 1
    assert {"sgd": "momentum", "rmsprop": "rho", "adam": "beta_1"}[values["optimizer"]] in values
    record = read(pets_run / "run.json")
    assert record["status"] == "completed"
    assert record["data"]["split"] == {"train": 72, "validation": 24, "test": 24}
    assert SearchSpace.from_json(record["space"])["learning_rate"].high == 1.0
    assert record["command"].startswith("python -m tfcourse.train --data ")


def test_the_best_trial_is_the_best_by_its_whole_curve(pets_run: Path) -> None:
    result = read(pets_run / "result.json")
    trials = [read(path) for path in sorted(pets_run.glob("search/trial_*/trial.json"))]
    curves = {
        t["trial_id"]: [p["value"][0] for p in t["metrics"]["metrics"]["val_loss"]["observations"]] for t in trials
    }
    assert all(1 <= len(curve) <= 4 for curve in curves.values())
    best = min(curves, key=lambda name: min(curves[name]))
    assert result["best"]["trial_id"] == best
    assert result["best"]["epoch"] == int(np.argmin(curves[best])) + 1
    assert result["best"]["validation"]["loss"] == min(curves[best])


def test_the_models_numbers_are_scikit_learns_on_the_rows_never_trained_on(pets_run: Path, pets_csv: Path) -> None:
    result = read(pets_run / "result.json")["test"]
    data = prepare(DataOptions(str(pets_csv), target="kind"))
    frame = pd.read_csv(pets_csv, keep_default_na=False)
    used = data.features.names  # type: ignore[union-attr]
    assert set(used) == {"weight", "colour", "born"}
    model = keras.saving.load_model(pets_run / "model.keras")
    columns = {name: frame[name].to_numpy(object) for name in used}
    columns["weight"] = pd.to_numeric(frame["weight"]).to_numpy("float32")
    probabilities = model.predict(columns, verbose=0)
    labels = (frame["kind"] == "dog").to_numpy(int)
    from tfcourse.data.groups import equal_rows
    from tfcourse.data.sources import load
    from tfcourse.data.split import split_stratified

    groups = equal_rows(load(str(pets_csv), target="kind").x)
    rows = split_stratified(groups, labels, ["cat", "dog"], seed=0, test=0.2, validation=0.2).test
    truth, predicted = labels[rows], probabilities[rows]
    assert result["n"] == len(rows) == 24
    assert result["accuracy"] == pytest.approx(accuracy_score(truth, predicted.argmax(axis=1)))
    assert result["log_loss"] == pytest.approx(log_loss(truth, predicted), rel=1e-4)
    assert result["macro_f1"] == pytest.approx(f1_score(truth, predicted.argmax(axis=1), average="macro"))


@pytest.mark.filterwarnings("ignore")  # KerasTuner's own
def test_kerastuners_own_tuner_reads_the_project(pets_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result, record = read(pets_run / "result.json"), read(pets_run / "run.json")
    features = prepare(DataOptions(record["options"]["data"], target="kind")).features
    tuner = keras_tuner.RandomSearch(
        MLPHyperModel(features.width, 2, rows=72, space=SearchSpace.from_json(record["space"])),
        objective="val_loss", max_trials=3, directory=pets_run, project_name="search",
    )  # fmt: skip
    best = tuner.get_best_hyperparameters()[0]
    assert best["learning_rate"] == result["best"]["hyperparameters"]["learning_rate"]
    assert tuner.get_best_models()[0].output_shape == (None, 2)
    tuner.results_summary()
    assert "Trial" in capsys.readouterr().out


def test_json_alone_goes_to_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = tmp_path / "space.toml"
    space.write_text('optimizer = "adam"\nlayers = 1\nunits = 8\nlearning_rate = 0.01\n')
    arguments = ["--trials", "1", "--epochs", "2", "--batch-size", "64", "--space", str(space)]
    assert train.main([*arguments, "--json", "--seed", "4", "--out", str(tmp_path / "run")]) == 0
    output = capsys.readouterr()
    result = json.loads(output.out)
    assert result == read(tmp_path / "run" / "result.json")
    values = result["best"]["hyperparameters"]
    assert (values["optimizer"], values["units_1"], values["learning_rate"], values["batch_size"]) == (
        "adam",
        8,
        0.01,
        64,
    )
    assert "trials 1/1" in output.err


def test_the_same_seed_gives_the_same_result_and_another_another(pets_csv: Path, tmp_path: Path) -> None:
    results = []
    for number, seed in enumerate((1, 1, 2)):
        out = tmp_path / str(number)
        arguments = ["--data", str(pets_csv), "--target", "kind", "--trials", "2", "--epochs", "2", "--quiet"]
        assert train.main([*arguments, "--no-portfolio", "--seed", str(seed), "--out", str(out)]) == 0
        results.append({key: value for key, value in read(out / "result.json").items() if key != "seconds"})
    assert results[0] == results[1]
    assert results[0]["best"]["hyperparameters"] != results[2]["best"]["hyperparameters"]


def test_trials_that_diverge_are_counted_and_a_run_of_only_such_says_what_to_change(
    pets_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = tmp_path / "space.toml"
    space.write_text('optimizer = "sgd"\nactivation = "linear"\nl2 = 10.0\n[learning_rate]\nlow = 1e20\nhigh = 1e30\n')
    out = tmp_path / "run"
    arguments = ["--data", str(pets_csv), "--target", "kind", "--trials", "4", "--epochs", "2", "--space", str(space)]
    assert train.main([*arguments, "--quiet", "--out", str(out)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: All 4 trials diverged, at learning rates of ")
    assert "Search lower ones: give --space a file with [learning_rate] low = " in message
    trials = [read(path) for path in sorted(out.glob("search/trial_*/trial.json"))]
    assert len(trials) == 4
    assert all(trial["message"].startswith("diverged: the loss was no longer finite") for trial in trials)


def test_a_budget_ends_the_search_with_a_valid_result(pets_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["--data", str(pets_csv), "--target", "kind", "--quiet", "--folds", "2"]
    assert train.main([*arguments, "--budget", "6s", "--out", str(out)]) == 0
    result = read(out / "result.json")
    assert result["trials"]["completed"] >= 1
    assert 0 < result["test"]["accuracy"] <= 1
    before = result["trials"]["completed"]
    assert train.main(["--resume", str(out), "--budget", "1s", "--quiet"]) == 0  # and goes on when given more
    assert read(out / "result.json")["trials"]["completed"] >= before


def test_a_budget_too_short_for_one_trial_is_told_and_can_be_raised(
    pets_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    start = ["--data", str(pets_csv), "--target", "kind", "--epochs", "2", "--quiet", "--single", "--out", str(out)]
    assert train.main([*start, "--budget", "0.01s"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: --budget: the time was over before a first trial could train. What was")
    assert f"python -m tfcourse.train --resume {out} --budget 2m" in message
    assert train.main(["--resume", str(out), "--budget", "4s", "--quiet"]) == 0
    assert read(out / "result.json")["trials"]["completed"] >= 1


def test_every_way_to_search_at_once(pets_csv: Path, tmp_path: Path) -> None:
    out, first = tmp_path / "run", tmp_path / "first.toml"
    first.write_text('[[setting]]\noptimizer = "adam"\nlearning_rate = 0.004\nunits = 60\n')
    ways = "--trials 18 --epochs 3 --rounds 2 --sampler quasi-random --halving --repeats 2 --folds 2"
    given = [*ways.split(), "--first", str(first)]
    arguments = ["--data", str(pets_csv), "--target", "kind", "--quiet", "--out", str(out), *given]
    assert train.main(arguments) == 0
    record, trials = read(out / "run.json"), [read(path) for path in sorted(out.glob("search/trial_*/trial.json"))]
    assert [each["first_trial"] for each in record["rounds"]] == [0, 9]
    assert [trial["tfcourse"]["round"] for trial in trials] == [0] * 9 + [1] * 9
    mine = trials[0]["hyperparameters"]["values"]
    assert (mine["optimizer"], mine["learning_rate"], mine["units_1"]) == ("adam", 0.004, 60)
    done = [trial for trial in trials if trial["status"] == "COMPLETED"]
    assert all(trial["score"] == pytest.approx(np.mean(trial["tfcourse"]["repeats"])) for trial in done)
    assert any("halved_at" in trial["tfcourse"] for trial in done)
    best = min(done, key=lambda trial: trial["score"])
    assert read(out / "result.json")["best"]["trial_id"] == best["trial_id"]


def test_an_interrupt_keeps_what_is_done_and_says_how_to_go_on(pets_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "tfcourse.train", "--data", str(pets_csv), "--target", "kind", "--trials", "500",
         "--epochs", "3", "--engine", "keras", "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    for _ in range(600):
        if process.poll() is not None or list(out.glob("search/trial_*/best_epoch.npz")):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    resume = f"Interrupted; the trials that ended are kept. Go on with: python -m tfcourse.train --resume {out}"
    assert errors.strip().splitlines()[-2:] == [
        "Stopping after this epoch; press Ctrl-C again to stop at once.",
        resume,
    ]
    assert "Traceback" not in errors
    assert read(out / "run.json")["status"] == "interrupted"


def test_a_table_with_every_kind_of_reading_is_known_again(tmp_path: Path) -> None:
    random, rows = np.random.default_rng(0), 300
    days = pd.Timestamp("2021-01-01") + pd.to_timedelta(random.integers(0, 700, rows), unit="D")
    frame = pd.DataFrame(
        {
            "born": [f"{day.day} {day:%b %Y}" for day in days],
            "price": [f"{value:.2f} €".replace(".", ",") for value in random.normal(50, 9, rows)],
            "share": [f"{value:.1f}%" for value in random.uniform(0, 100, rows)],
            "town": [f"town {number}" for number in random.integers(0, 140, rows)],
            "said": random.choice(["a very good day", "no good at all", "so it was fine"], rows),
            "flag": random.choice(["TRUE", "FALSE"], rows),
            "y": random.integers(0, 2, rows),
        }
    )
    frame.to_csv(tmp_path / "all.csv", index=False, sep=";")
    out = str(tmp_path / "run")
    given = ["--data", str(tmp_path / "all.csv"), "--target", "y", "--trials", "2", "--epochs", "1", "--out", out]
    assert train.main([*given, "--single", "--quiet"]) == 0
    readings = {
        each["name"]: each for each in json.loads((tmp_path / "run" / "run.json").read_text())["features"]["readings"]
    }
    assert (readings["born"]["order"], readings["price"]["unit"], readings["share"]["unit"]) == ("words", "€", "%")
    assert train.main(["--resume", out, "--quiet"]) == 0
    labels = tmp_path / "labels.csv"
    assert predict.main([out, "--data", str(tmp_path / "all.csv"), "--out", str(labels)]) == 0
    assert len(pd.read_csv(labels)) == rows
