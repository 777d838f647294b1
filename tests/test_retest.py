"""The command: its three recommendations on tables with a known answer, its files, batches by time."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tfcourse import retest, train
from tfcourse.retesting.new_data import NewData
from tfcourse.retesting.old_run import open_old_run
from tfcourse.retesting.record import page
from tfcourse.retesting.words import RetestProgress
from tfcourse.run.folder import RunFolder

SPACE = """
layers = 1
units = 8
optimizer = "adam"
dropout = 0.0
beta_1 = 0.9
learning_rate_decay = 1e-3
batch_size = 16
[learning_rate]
low = 1e-5
high = 0.1
"""


def signals(rows: int, seed: int, rule: str = "x + y") -> pd.DataFrame:
    """Return a table whose label follows a rule of its columns, or is noise."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": random.normal(10, 2, rows), "y": random.normal(size=rows)})
    frame["side"] = random.choice(["left", "right"], rows)
    frame["day"] = pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d")
    rules = {"x + y": (frame["x"] - 10) / 2 + frame["y"], "noise": random.normal(size=rows)}
    frame["label"] = np.where(rules[rule] + 0.3 * random.normal(size=rows) > 0, "up", "down")
    return frame


def search(folder: Path, rule: str, *more: str) -> Path:
    """Return the folder of a finished run on such a table."""
    signals(300, 0, rule).to_csv(folder / f"{rule}.csv", index=False)
    (folder / "space.toml").write_text(SPACE)
    given = ["--data", str(folder / f"{rule}.csv"), "--target", "label", "--space", str(folder / "space.toml")]
    out = folder / f"run {rule}"
    assert train.main([*given, "--drop", "day", "--quiet", "--out", str(out), *more]) == 0
    return out


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run on data with a clear rule."""
    return search(tmp_path_factory.mktemp("clear"), "x + y", "--trials", "8", "--epochs", "10")


def retested(run: Path, frame: pd.DataFrame, place: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """Return the command's exit status and what it wrote."""
    frame.to_csv(place / "new.csv", index=False)
    given = [str(run), "--data", str(place / "new.csv"), "--quiet", "--repeats", "3", "--top", "4"]
    status = retest.main([*given, "--out", str(place / "out"), *more])
    return status, json.loads((place / "out" / "retest.json").read_text())


def test_unchanged_data_keep(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signals(300, 1).to_csv(tmp_path / "new.csv", index=False)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    status = retest.main([str(run), "--data", str(tmp_path / "new.csv"), "--repeats", "3", "--top", "4"])
    assert status == 0
    output = capsys.readouterr().out
    assert "Recommendation: keep the model" in output
    assert "repeat 3/3 trained" in output
    assert "None of 3 columns moved by more than chance and a small size." in output
    (written,) = (run / "retests").iterdir()
    assert sorted(path.name for path in written.iterdir()) == ["retest.html", "retest.json"]
    record = json.loads((written / "retest.json").read_text())
    (batch,) = record["batches"]
    assert record["recommendation"]["status"] == 0
    assert batch["rows"] == {"all": 300, "train": 180, "validation": 60, "held out": 180}
    assert [s["name"].split()[0] for s in batch["settings"]] == ["trial"] * 4 + ["fresh"] * 8
    assert sorted(s["rank"] for s in batch["settings"]) == list(range(1, 13))
    result = json.loads((run / "result.json").read_text())
    assert batch["settings"][0]["old_score"] == pytest.approx(result["best"]["validation"]["loss"])
    assert batch["settings"][0]["mean_cost"] == pytest.approx(np.mean(batch["settings"][0]["costs"]))
    assert all(path.read_bytes() == data for path, data in before.items())
    shutil.rmtree(run / "retests")


def test_a_shifted_column_is_named_and_the_model_retrained(run: Path, tmp_path: Path) -> None:
    frame = signals(300, 1)
    status, record = retested(run, frame.assign(x=frame["x"] + 6), tmp_path)
    batch = record["batches"][0]
    assert (status, record["recommendation"]["action"]) == (3, "retrain")
    assert [column["name"] for column in batch["columns"] if column["moved"]] == ["x"]
    assert batch["columns"][0]["mean_shift"] == pytest.approx(3, abs=0.3)
    assert [column["name"] for column in batch["misleading"]] == ["x"]
    assert batch["old_model"]["accuracy"] < 0.6 < 0.85 < batch["old_model"]["accuracy_retrained"]


def test_shuffled_values_keep_their_mean_and_are_named_all_the_same(run: Path, tmp_path: Path) -> None:
    frame = signals(300, 1)
    shuffled = frame.assign(y=np.random.default_rng(2).permutation(frame["y"]))
    status, record = retested(run, shuffled, tmp_path)
    batch = record["batches"][0]
    assert status == 3
    assert not any(column["moved"] for column in batch["columns"])
    assert [column["name"] for column in batch["misleading"]] == ["y"]


def test_an_unknown_class_asks_for_retraining_and_names_are_escaped(run: Path, tmp_path: Path) -> None:
    frame = signals(300, 1)
    frame.loc[(frame["label"] == "up") & (frame["side"] == "left"), "label"] = "sideways"
    frame.loc[0, "label"] = "once"
    frame.loc[:20, "side"] = "<i>up</i>"
    frame["<b>new</b>"] = 1
    status, record = retested(run, frame, tmp_path)
    batch = record["batches"][0]
    assert status == 3
    assert batch["recommendation"]["reasons"][-1] == "The old model cannot predict 1 class of the new data."
    count = int((frame["label"] == "sideways").sum())
    assert batch["notes"] == [
        "1 column that the run did not have is not used: '<b>new</b>'; a new search would use it",
        "1 row of classes with fewer than 3 is left out: 'once'",
        f"1 class that the run has never seen, in {count} rows ({count / 299:.1%}): 'sideways'",
    ]
    assert batch["classes"]["shares"]["sideways"] == {"training": 0.0, "now": pytest.approx(count / 299)}
    text = (tmp_path / "out" / "retest.html").read_text()
    assert "<b>new" not in text
    assert "<i>up" not in text
    assert "&lt;i&gt;up" in text


@pytest.fixture(scope="module")
def sluggish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run on noise: what learns least is best there, and its leaders have the lowest learning rates."""
    return search(tmp_path_factory.mktemp("noise"), "noise", "--trials", "16", "--epochs", "12", "--rounds", "1")


def test_hyperparameters_for_noise_are_not_right_for_a_signal(
    sluggish: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, record = retested(sluggish, signals(300, 1), tmp_path, "--json")
    assert json.loads(capsys.readouterr().out) == record
    batch = record["batches"][0]
    assert (status, batch["recommendation"]["action"]) == (4, "search again")
    rates = {s["name"]: s["hyperparameters"]["learning_rate"] for s in batch["settings"]}
    best = batch["regret"]["best_setting"]
    assert rates[best] > 10 * rates[batch["winner"]["setting"]]
    assert batch["regret"]["mean"] > 0.2
    assert batch["regret"]["chance"] < 0.05
    assert batch["regret"]["on_own_data"]["mean"] < batch["regret"]["mean"] / 2
    assert "So it is the data that have changed." in batch["recommendation"]["reasons"][1]


@pytest.fixture
def unlucky(run: Path, tmp_path: Path) -> Path:
    """Return the run with the worst of its completed trials as winner: as if a search had been that unlucky."""
    unlucky = tmp_path / "unlucky"
    shutil.copytree(run, unlucky)
    result = json.loads((unlucky / "result.json").read_text())
    worst = open_old_run(RunFolder.open(run), 8).settings[-1]
    result["best"]["trial_id"] = worst.name.removeprefix("trial ")
    (unlucky / "result.json").write_text(json.dumps(result))
    return unlucky


def stopping(monkeypatch: pytest.MonkeyPatch, after: str, number: signal.Signals) -> None:
    """Have the process get a signal when the first repeat of a kind is done, as from a terminal or a scheduler."""
    told = getattr(RetestProgress, after)

    def stop(self: RetestProgress, done: int) -> None:
        told(self, done)
        if done == 1:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(RetestProgress, after, stop)


def test_an_interrupted_control_is_told_and_what_was_found_is_kept(
    unlucky: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopping(monkeypatch, "own_repeat_done", signal.SIGINT)
    signals(300, 1).to_csv(tmp_path / "new.csv", index=False)
    given = [str(unlucky), "--data", str(tmp_path / "new.csv"), "--repeats", "3", "--out", str(tmp_path / "out")]
    assert retest.main(given) == 130
    output = capsys.readouterr()
    assert "repeat 1/3 trained on the run's own data" in output.out
    assert "repeat 2/3 trained on the run's own data" not in output.out
    reason = "Trying on the run's own data whether the search was to blame was interrupted; it "
    assert reason in output.out
    assert output.err.splitlines()[-1] == (
        f"Interrupted; what was found until then is in {tmp_path / 'out'}, by the rule without a control on the run's"
        f" own data. For the whole answer start again: {shlex.join(['python', '-m', 'tfcourse.retest', *given])} (with"
        " another --out)"
    )
    batch = json.loads((tmp_path / "out" / "retest.json").read_text())["batches"][0]
    assert batch["interrupted"]
    assert batch["regret"]["on_own_data"] is None
    assert batch["recommendation"]["reasons"][1].startswith(reason)
    assert np.shape([s["costs"] for s in batch["settings"]]) == (16, 3)
    assert "was interrupted" in (tmp_path / "out" / "retest.html").read_text()


def test_an_interrupt_before_there_is_an_answer(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopping(monkeypatch, "repeat_done", signal.SIGTERM)
    signals(120, 1).to_csv(tmp_path / "new.csv", index=False)
    given = [str(run), "--data", str(tmp_path / "new.csv"), "--repeats", "3", "--top", "1", "--quiet"]
    assert retest.main([*given, "--out", str(tmp_path / "out")]) == 130
    again = shlex.join(["python", "-m", "tfcourse.retest", *given, "--out", str(tmp_path / "out")])
    assert capsys.readouterr().err.splitlines() == [
        "Stopping after this epoch; press Ctrl-C again to stop at once.",
        f"Interrupted; nothing was written. For the whole answer start again: {again}",
    ]
    assert not (tmp_path / "out").exists()


def test_new_rows_that_stand_in_the_runs_own_data_are_counted(run: Path) -> None:
    old = open_old_run(RunFolder.open(run), 1)
    own = old.own_data
    assert own is not None
    seen = old.seen(own.rows(np.arange(7)))
    assert seen.tolist() == [True] * 7
    fresh = signals(50, 1)
    new = NewData("new", {name: fresh[name].to_numpy() for name in ("x", "y", "side")}, own.y[:50], ("a", "b"), 2)
    assert not old.seen(new).any()


def test_a_bad_find_is_not_blamed_on_the_data_while_the_own_data_can_tell(
    unlucky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signals(300, 1).to_csv(tmp_path / "new.csv", index=False)
    given = [str(unlucky), "--data", str(tmp_path / "new.csv"), "--repeats", "3", "--out"]
    assert retest.main([*given, str(tmp_path / "with")]) == 0
    assert "repeat 3/3 trained on the run's own data" in capsys.readouterr().out
    batch = json.loads((tmp_path / "with" / "retest.json").read_text())["batches"][0]
    regret = batch["regret"]
    assert regret["low"] > 0
    assert regret["on_own_data"]["mean"] > regret["mean"] / 2
    assert regret["on_own_data"]["rows"] == 300
    assert np.shape(regret["on_own_data"]["costs"]) == (len(batch["settings"]), 3)
    assert "not so much less that the data must have changed" in batch["recommendation"]["reasons"][1]
    assert "300 rows of the run" in (tmp_path / "with" / "retest.html").read_text()

    record = json.loads((unlucky / "run.json").read_text())
    record["data"]["fingerprint"] = "of another file"
    (unlucky / "run.json").write_text(json.dumps(record))
    retest.main([*given, str(tmp_path / "without")])
    batch = json.loads((tmp_path / "without" / "retest.json").read_text())["batches"][0]
    assert batch["regret"]["on_own_data"] is None
    assert "could not be tried on the run's own data" in batch["recommendation"]["reasons"][1]


def test_batches_by_time_and_their_page(run: Path, tmp_path: Path) -> None:
    """The rule turns round in the last of three batches; the rows stand in no order."""
    frame = signals(360, 3)
    late = frame["day"] >= frame["day"][240]
    frame.loc[late, "label"] = frame.loc[late, "label"].map({"up": "down", "down": "up"})
    status, record = retested(run, frame.sample(frac=1, random_state=0), tmp_path, "--since", "day", "--batches", "3")
    assert [b["label"] for b in record["batches"]] == [
        "2020-01-01 to 2020-04-29",
        "2020-04-30 to 2020-08-27",
        "2020-08-28 to 2020-12-25",
    ]
    assert [b["rows"]["all"] for b in record["batches"]] == [120, 120, 120]
    actions = [b["recommendation"]["action"] for b in record["batches"]]
    assert actions[2] == "retrain"
    assert actions[:2] == ["keep", "keep"]
    assert status == record["recommendation"]["status"] == 3
    text = (tmp_path / "out" / "retest.html").read_text()
    assert text == page(record)
    assert not re.search(r"https?://(?!www\.w3\.org)", text)  # w3.org is the name of SVG's namespace
    assert "<script" not in text
    assert text.count("<svg") == 2
    for words in ("Over 3 batches by day", "2020-08-28 to 2020-12-25", "Retrain with the same hyperparameters"):
        assert words in text


def test_a_run_that_did_not_keep_its_counts(run: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(run, old)
    record = json.loads((old / "run.json").read_text())
    del record["training"]
    (old / "run.json").write_text(json.dumps(record))
    status, found = retested(old, signals(300, 1), tmp_path)
    assert status == 0
    assert found["batches"][0]["classes"]["distance"] is None


def test_the_same_seed_gives_the_same_numbers(run: Path, tmp_path: Path) -> None:
    frame = signals(120, 4)
    records = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        records.append(retested(run, frame, tmp_path / name)[1]["batches"])
    assert records[0] == records[1]


def test_help_loads_no_tensorflow() -> None:
    code = "from tfcourse import retest\ntry:\n    retest.main(['--help'])\nexcept SystemExit:\n    pass\n"
    code += "import sys; print(sorted({'tensorflow', 'keras', 'keras_tuner', 'pandas', 'scipy'} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.splitlines()[-1] == "[]"
