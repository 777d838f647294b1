"""A journal trained again gives the same curve and weights; one that was tampered with does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.babysitting.tiny import Person, asks
from tests.conftest import pets
from tfcourse import babysit, predict
from tfcourse.babysitting import beginning
from tfcourse.babysitting.babysitter import Babysitter
from tfcourse.babysitting.journal import NAME, read_journal
from tfcourse.babysitting.lineage import epochs_of, surviving
from tfcourse.babysitting.training import finish, open_training, repeatable, run
from tfcourse.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a training with five changes in the middle of epochs, two reverts and an interruption."""
    place = tmp_path_factory.mktemp("replay")
    pets().to_csv(place / "pets.csv", index=False)
    out = place / "out"
    arguments = babysit.build_parser().parse_args(
        ["start", "--out", str(out), "--data", str(place / "pets.csv"), "--target", "kind", "--set", "units=8,4",
         "dropout=0.2", "learning_rate=0.02", "learning_rate_decay=0.1", "optimizer=sgd", "batch_size=16"]
    )  # fmt: skip
    beginning._begin(out, {"data": str(place / "pets.csv"), "target": "kind"}, arguments, [])
    acts = {
        7: asks(out, "set", values={"learning_rate": 0.05, "momentum": 0.9}),
        13: asks(out, "set", values={"batch_size": 24}, note="a good idea?"),
        22: asks(out, "revert", to="1", values={"dropout": 0.4}),
        30: asks(out, "set", values={"weight_decay": 0.01, "learning_rate_decay": 0.5}),
        34: asks(out, "revert", to="best"),
        41: asks(out, "set", values={"epochs": 9}),
    }
    repeatable()
    steps = iter(range(10**6))
    person = Person(acts)
    training = open_training(out)
    with pytest.raises(KeyboardInterrupt):
        run_with(training, person, lambda: next(steps) == 45)
    run_with(training, person, lambda: False)
    return out


def run_with(training: Any, person: Person, interrupted: Any) -> None:
    sitter = Babysitter(
        training.folder.path, minibatches=training.minibatches(), say=lambda line: None, interrupted=interrupted,
        learning_rate_decay=training.start.optimizer.decay_rate, **training.start.limits,
    )  # fmt: skip
    sitter.train(training.model(), callbacks=[person], **training.fit_arguments())


def test_the_same_weights_and_curve_come_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = read_journal(folder).events
    kinds = [event["kind"] for event in events]
    assert kinds.count("change") == 5
    assert kinds.count("revert") == 2
    assert kinds.count("restart") == 1
    data = folder.parent / "pets.csv"
    moved = data.rename(data.with_name("moved.csv"))
    assert babysit.main(["replay", str(folder)]) == 2
    assert (
        capsys.readouterr().err == f"error: The data is no longer at {str(data)!r}; give its new place with --data.\n"
    )
    assert babysit.main(["replay", str(folder), "--data", str(moved)]) == 0
    moved.rename(data)
    said = capsys.readouterr().out
    assert "The same to the last bit: curve, weights and optimizer." in said
    epochs = len(epochs_of(surviving(events)))
    assert f"compared {epochs} epochs" in said
    assert epochs == 9


@pytest.mark.parametrize("what", ["weight_decay", "dropout", "loss"])
def test_a_journal_that_was_tampered_with_is_told(
    folder: Path, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    lines = []
    for line in (copy / NAME).read_text().splitlines():
        event = json.loads(line)
        if what in event.get("values", {}) and event["kind"] == "change":
            event["values"][what] = 1.01 * event["values"][what]
        if what == "loss" and event["kind"] == "epoch" and event["epoch"] == 9:
            event["logs"]["loss"] += 1e-7
        lines.append(json.dumps(event))
    (copy / NAME).write_text("\n".join(lines) + "\n")
    assert babysit.main(["replay", str(copy)]) == 1
    assert "They differ" in capsys.readouterr().err


def test_finishing_exports_the_best_epoch_and_counts_the_looks_at_the_test_split(folder: Path) -> None:
    went: dict[str, Any] = {"changes": {}, "say": print, "interrupted": lambda: False}
    finished = run(open_training(folder), **went)  # it had ended, but nothing was left yet
    with pytest.raises(UserError, match="This training has ended: 9 epochs were asked for"):
        run(open_training(folder), **went)
    best = min(epochs_of(surviving(read_journal(folder).events)), key=lambda epoch: epoch["logs"]["val_loss"])
    for looks, result in ((1, finished), (2, finish(open_training(folder)))):
        assert (result["epoch"], result["test_looks"]) == (best["epoch"], looks)
    # The saved model gives, through the command, the test accuracy that the result has.
    training = open_training(folder)
    data = training.folder.record["options"]["data"]
    assert predict.main([str(folder), "--data", data, "--out", str(folder / "labels.csv")]) == 0
    labels = pd.read_csv(folder / "labels.csv")["label"].to_numpy()
    right = labels == pd.read_csv(data)["kind"].to_numpy()
    assert right.mean() > 0.6
    part = training.prepared.test
    assert result["test"]["n"] == len(part)
    assert (folder / "report.html").stat().st_size > 1000
