"""The trials of a run, read back from the files that the oracle wrote."""

from __future__ import annotations

import json
from pathlib import Path

import keras_tuner
import pytest

from tfcourse.errors import UserError
from tfcourse.models.hypermodels import declare
from tfcourse.run.trials import leaders, read_trials
from tfcourse.search.oracle import RandomOracle, Status
from tfcourse.space.course import default_space
from tfcourse.space.names import values_from_hp


def write_trials(run: Path) -> RandomOracle:
    """Write three trials: 0 completed with 0.5, 1 diverged, 2 completed with 0.3 in epoch 2."""
    space = keras_tuner.HyperParameters()
    declare(default_space(), space)
    oracle = RandomOracle("val_loss", 3, seed=4, hyperparameters=space)
    oracle._set_project_dir(str(run), "search")
    oracle.verbose, oracle.clock = 0, lambda: 12.5
    for curve in ([0.9, 0.5], None, [0.4, 0.3, 0.6]):
        trial = oracle.create_trial("one")
        if curve is None:
            trial.status, trial.message = Status.FAILED, "diverged: in epoch 1"
            oracle.note(trial.trial_id, diverged=True)
        else:
            oracle.record_curves(trial.trial_id, {"val_loss": curve, "val_accuracy": curve})
            trial.status = Status.COMPLETED
        oracle.note(trial.trial_id, round=1)
        oracle.end_trial(trial)
    return oracle


def test_what_was_written_is_read(tmp_path: Path) -> None:
    oracle = write_trials(tmp_path)
    first, second, third = read_trials(tmp_path, default_space())
    assert [first.status, second.status, third.status] == ["completed", "diverged", "completed"]
    assert (first.score, first.best_epoch, first.epochs) == (0.5, 1, 2)
    assert (third.score, third.best_epoch, third.curves["val_loss"]) == (0.3, 1, [0.4, 0.3, 0.6])
    assert second.score is None
    assert second.message == "diverged: in epoch 1"
    assert (third.round, third.ended_at) == (1, 12.5)
    kept = values_from_hp(oracle.trials["2"].hyperparameters.values)
    assert third.values == kept
    assert [trial.number for trial in leaders([first, second, third], "val_loss")] == [2, 0]
    assert [trial.number for trial in leaders([first, second, third], "val_accuracy")] == [0, 2]


def test_a_damaged_trial_is_named(tmp_path: Path) -> None:
    write_trials(tmp_path)
    path = next((tmp_path / "search").glob("trial_1/trial.json"))
    path.write_text("{}")
    with pytest.raises(UserError, match=r"trial_1/trial.json' is damaged"):
        read_trials(tmp_path, default_space())


def test_an_empty_run_has_no_trials(tmp_path: Path) -> None:
    assert read_trials(tmp_path, default_space()) == []


def test_the_field_says_what_diverged_and_in_older_folders_the_message(tmp_path: Path) -> None:
    write_trials(tmp_path)
    path = tmp_path / "search" / "trial_1" / "trial.json"
    state = json.loads(path.read_text())
    found = []
    for notes, message in [
        ({"diverged": True}, "in epoch 1"),
        ({"diverged": False}, "diverged"),
        ({}, "diverged"),
        ({}, None),
    ]:
        path.write_text(json.dumps({**state, "tfcourse": notes, "message": message}))
        found.append(read_trials(tmp_path, default_space())[1].status)
    assert found == ["diverged", "failed", "diverged", "failed"]
