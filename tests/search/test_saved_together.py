"""The trials of a batch are written in one go: the same files, in the order that a power cut may not turn around."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pytest

from tfcourse.files import write_batch
from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.search.cohort_fit_tuner import CohortFitTuner
from tfcourse.search.fit import Schedule, TrainingData
from tfcourse.search.oracle import RandomOracle
from tfcourse.search.sampler import unit_draw
from tfcourse.space import Parameter, SearchSpace
from tfcourse.tuning.search import BestSoFar

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)
DATA = TrainingData(X[:40], Y[:40], X[40:], Y[40:])
SPACE = SearchSpace(
    (
        Parameter("learning_rate", "log", 1e-3, 1e-1),
        Parameter("optimizer", "choice", values=("sgd",)),
        Parameter("layers", "choice", values=(1,)),
        Parameter("units_1", "integer", 4, 8),
    )
)
TRIALS = 6


def tuner_in(folder: Path, on_trial: Callable[[Any], None] = lambda trial: None) -> CohortFitTuner:
    oracle = RandomOracle(max_trials=TRIALS)
    return CohortFitTuner(oracle, MLPHyperModel(4, 2, rows=40, space=SPACE), directory=folder, on_trial=on_trial)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """Return what is asked of the disk from now on, in order."""
    found: list[tuple[str, Path]] = []
    fsync, replace = os.fsync, os.replace

    def recording_fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)
        found.append(("fsync", path))

    def recording_replace(old: Path, new: Path) -> None:
        found.append(("replace", Path(new)))
        replace(old, new)

    monkeypatch.setattr(os, "fsync", recording_fsync)
    monkeypatch.setattr(os, "replace", recording_replace)
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to name what is open")
def test_weights_are_on_the_disk_before_the_file_that_tells_of_them_and_that_before_anybody_is_told(
    tmp_path: Path, asked: list[tuple[str, Path]]
) -> None:
    told: list[tuple[str, int]] = []
    tuner = tuner_in(tmp_path, lambda trial: told.append((trial.trial_id, len(asked))))
    tuner.search(DATA, Schedule(2, 2))
    assert len(told) == TRIALS
    for trial_id, moment in told:
        folder = Path(tuner.project_dir) / f"trial_{trial_id}"
        weights, trial = folder / "best_epoch.npz", folder / "trial.json"
        replaced = [number for number, each in enumerate(asked) if each in (("replace", weights), ("replace", trial))]
        assert [asked[number][1].name for number in replaced] == ["trial.json", "best_epoch.npz", "trial.json"]
        for number in replaced:
            temporary = folder / f".{os.getpid()}.{asked[number][1].name}"
            assert ("fsync", temporary) in asked[:number]
        began, kept, ended = replaced
        assert ("fsync", folder) in asked[began:kept]
        assert ("fsync", folder) in asked[kept:ended]
        assert ("fsync", folder) in asked[ended:moment]


def test_who_is_told_of_a_trial_finds_it_on_the_disk_and_what_was_broken_off_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tuner_in(tmp_path / "whole")
    whole.search(DATA, Schedule(2, 2))
    told: list[str] = []
    tuner = tuner_in(tmp_path / "broken", lambda trial: told.append(trial.trial_id))
    replace, count = os.replace, [0]

    def fails(old: Path, new: Path) -> None:
        count[0] += Path(new).name == "best_epoch.npz"
        if count[0] > 3:
            raise OSError(28, "No space left on device")
        replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        with pytest.raises(OSError, match="No space left"):
            tuner.search(DATA, Schedule(2, 2))
    states = {
        each.parent.name: json.loads(each.read_bytes())["status"] for each in tmp_path.glob("broken/*/*/trial.json")
    }
    assert {states[f"trial_{trial_id}"] for trial_id in told} <= {"COMPLETED"}
    assert "RUNNING" in states.values()
    assert not list(tmp_path.glob("broken/search/trial_*/.*"))
    again = tuner_in(tmp_path / "broken")
    again.search(DATA, Schedule(2, 2))
    assert outcome(tmp_path / "broken") == outcome(tmp_path / "whole")


@pytest.mark.parametrize("call", ["replace", "fsync", "write"])
def test_where_the_disk_fails_for_one_trial_the_others_of_its_batch_are_kept(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tuner_in(tmp_path / "whole")
    whole.search(DATA, Schedule(2, 2))
    failed: list[Path] = []

    def failing(original: Callable[..., Any], file_of: Callable[..., Path]) -> Callable[..., Any]:
        def once(*words: Any) -> Any:
            path = file_of(*words)
            if "trial_3" in str(path) and path.name.endswith("best_epoch.npz"):
                failed.append(path)
                raise OSError(28, "No space left on device")
            return original(*words)

        return once

    with monkeypatch.context() as patch:
        if call == "replace":
            patch.setattr(os, "replace", failing(os.replace, lambda old, new: Path(new)))
        elif call == "fsync":
            patch.setattr(os, "fsync", failing(os.fsync, lambda file: Path(os.readlink(f"/proc/self/fd/{file}"))))
        else:
            opening = failing(open, lambda path, mode: Path(path))
            patch.setattr(write_batch, "open", opening, raising=False)
        best: list[list[Any]] = []
        tuner = tuner_in(tmp_path / "broken", lambda trial: best.append(tuner.oracle.get_best_trials(1)))
        with pytest.raises(OSError, match="No space left"):
            tuner.search(DATA, Schedule(2, 2))
    assert len(failed) == 1
    assert len(best) == TRIALS - 1, "who is told of the others can rank them"
    states = {
        each.parent.name: json.loads(each.read_bytes())["status"] for each in tmp_path.glob("broken/*/*/trial.json")
    }
    assert [name for name, status in sorted(states.items()) if status != "COMPLETED"] == ["trial_3"]
    assert not list(tmp_path.glob("broken/search/trial_*/.*"))
    again = tuner_in(tmp_path / "broken")
    again.search(DATA, Schedule(2, 2))
    assert outcome(tmp_path / "broken") == outcome(tmp_path / "whole")


def outcome(folder: Path) -> dict[str, Any]:
    """Return all that came of the trials, but for when and how often they ran."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("search/trial_*/*")):
        if path.name == "trial.json":
            trial = json.loads(path.read_text(encoding="utf-8"))
            notes = {key: value for key, value in trial["tfcourse"].items() if key not in ("ended_at", "runs")}
            found[f"{path.parent.name}/trial"] = {**trial, "tfcourse": notes}
        elif path.suffix == ".npz":
            found[f"{path.parent.name}/weights"] = path.read_bytes()
    return found


def test_a_number_that_a_power_cut_left_out_is_drawn_again_and_no_other_is_lost(tmp_path: Path) -> None:
    whole = tuner_in(tmp_path / "whole")
    whole.search(DATA, Schedule(2, 2))
    cut = tuner_in(tmp_path / "cut")
    cut.save()
    cut.draw(TRIALS)
    (tmp_path / "cut" / "search" / "trial_2" / "trial.json").unlink()
    again = tuner_in(tmp_path / "cut")
    assert list(again.oracle.trials) == ["0", "1"]
    again.search(DATA, Schedule(2, 2))
    assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")


def test_a_trials_file_is_the_one_that_keras_tuners_own_hyperparameters_write(tmp_path: Path) -> None:
    tuner = tuner_in(tmp_path)
    (trial, *_) = tuner.draw(TRIALS)
    trial.hyperparameters.Float("later", 0.0, 1.0)  # its own alone
    assert "later" not in tuner.oracle.hyperparameters.values
    plain = keras_tuner.HyperParameters.from_config(trial.hyperparameters.get_config())
    assert plain.get_config() == trial.hyperparameters.get_config()
    assert [each["config"]["name"] for each in plain.get_config()["space"]][-1] == "later"
    other = tuner.oracle.trials["1"].hyperparameters
    assert other.get_config() == keras_tuner.HyperParameters.from_config(other.get_config()).get_config()
    assert "later" not in [each.name for each in other.space]
    written = [json.loads(path.read_bytes()) for path in sorted(tmp_path.glob("search/trial_*/trial.json"))]
    states = [
        {**each.get_state(), "tfcourse": tuner.oracle.notes.get(key, {})} for key, each in tuner.oracle.trials.items()
    ]
    assert written[1:] == json.loads(json.dumps(states[1:]))  # the first was changed after it was written


def test_the_best_epoch_is_keras_tuners(tmp_path: Path) -> None:
    tuner = tuner_in(tmp_path)
    trials = tuner.draw(3)
    curves = ([3.0, 1.0, 1.0, 2.0], [float("nan"), 5.0], [float("nan")])
    for trial, curve in zip(trials, curves, strict=True):
        tuner.oracle.record_curves(trial.trial_id, {"val_loss": curve})
        tuner.oracle.score_trial(trial)
    best = [(trial.score, trial.best_step) for trial in trials]
    theirs = [
        (trial.metrics.get_best_value("val_loss"), trial.metrics.get_best_step("val_loss")) for trial in trials[:2]
    ]
    assert best[:2] == theirs == [(1.0, 1), (5.0, 1)]
    assert np.isnan(best[2][0])
    assert tuner.oracle.diverged(trials[2].trial_id)


@pytest.mark.parametrize("sampler_seed", [0, 5, 2**32, 2**70])
def test_a_draw_is_that_of_numpys_default_generator(sampler_seed: int) -> None:
    for trial, name in ((0, "a"), (7, "units_1"), (10**6, "learning_rate")):
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        assert unit_draw(sampler_seed, trial, name) == np.random.default_rng([sampler_seed, trial, 0, key]).random()


def test_the_trials_of_a_bracket_are_those_of_its_number_also_where_one_was_removed(tmp_path: Path) -> None:
    tuner = tuner_in(tmp_path)
    tuner.draw(TRIALS)
    oracle = tuner.oracle
    oracle.bracket_size = 4
    assert [oracle.trials_of_bracket(bracket) for bracket in (0, 4)] == [["0", "1", "2", "3"], ["4", "5"]]
    del oracle.trials["1"]
    assert [oracle.trials_of_bracket(bracket) for bracket in (0, 4)] == [["0", "2", "3"], ["4", "5"]]


def test_the_best_in_words_is_keras_tuners_best_after_each_trial(tmp_path: Path) -> None:
    tuner = tuner_in(tmp_path)
    best = BestSoFar(tuner.oracle)
    assert best.in_words() == "none yet"
    scores = (3.0, None, 1.0, 2.0, 0.5, None)
    for trial, score in zip(tuner.draw(TRIALS), scores, strict=True):
        trial.score, trial.status = score, "FAILED" if score is None else "COMPLETED"
        best.take(trial)
        (theirs,) = tuner.oracle.get_best_trials(1)
        assert best.in_words() == f"val_loss {theirs.score:.4f}" == BestSoFar(tuner.oracle).in_words()
