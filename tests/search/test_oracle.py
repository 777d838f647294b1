"""The oracle's draws are independent, its files whole, and its failures keep their reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pytest
from scipy import stats

from tfcourse.course_space import build_space, default_space
from tfcourse.errors import UserError
from tfcourse.models.hypermodels import declare
from tfcourse.search.oracle import DIVERGED, RandomOracle, Status, trial_seed, unit_draw
from tfcourse.space import Parameter, SearchSpace


def make_oracle(folder: Path, *, trials: int = 20, seed: int = 0, space: SearchSpace | None = None) -> RandomOracle:
    hp = keras_tuner.HyperParameters()
    declare(space or default_space(), hp)
    oracle = RandomOracle("val_loss", trials, seed=seed, hyperparameters=hp)
    oracle._set_project_dir(str(folder), "search")
    oracle.verbose = 0
    return oracle


def end(oracle: RandomOracle, trial: Any, score: float = 1.0) -> None:
    oracle.record_curves(trial.trial_id, {"val_loss": [score + 1, score], "val_accuracy": [0.5, 0.75]})
    trial.status = Status.COMPLETED
    oracle.end_trial(trial)


def fail(oracle: RandomOracle, message: str) -> None:
    trial = oracle.create_trial("tuner0")
    trial.status, trial.message = Status.INVALID, message
    oracle.end_trial(trial)


def all_values(oracle: RandomOracle, count: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(count):
        trial = oracle.create_trial("tuner0")
        end(oracle, trial)
        found.append(dict(trial.hyperparameters.values))
    return found


def test_seed_zero_is_a_seed_and_two_seeds_share_no_trial(tmp_path: Path) -> None:
    first = all_values(make_oracle(tmp_path / "a", seed=0), 20)
    again = all_values(make_oracle(tmp_path / "b", seed=0), 20)
    other = all_values(make_oracle(tmp_path / "c", seed=1), 20)
    assert first == again
    rates = {values["learning_rate"] for values in first}
    assert len(rates) == 20
    assert rates.isdisjoint(values["learning_rate"] for values in other)


def test_a_trial_is_the_same_whatever_runs_beside_it(tmp_path: Path) -> None:
    alone = all_values(make_oracle(tmp_path / "a"), 6)
    oracle = make_oracle(tmp_path / "b")
    together = [oracle.create_trial(f"tuner{number}") for number in range(6)]
    for trial in reversed(together):
        end(oracle, trial)
    assert [dict(trial.hyperparameters.values) for trial in together] == alone


def test_a_new_hyperparameter_changes_no_other(tmp_path: Path) -> None:
    wider = build_space({"l2": Parameter("l2", "log", 1e-6, 1e-2)})
    for plain, more in zip(
        all_values(make_oracle(tmp_path / "a"), 5), all_values(make_oracle(tmp_path / "b", space=wider), 5), strict=True
    ):
        assert {name: value for name, value in more.items() if name != "l2"} == plain


def test_draws_are_uniform_and_do_not_follow_one_another() -> None:
    draws = np.array([[unit_draw(seed, trial, "learning_rate") for trial in range(200)] for seed in range(5)])
    assert stats.kstest(draws.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(draws[0, 1:], draws[1, :-1])[0, 1]) < 0.25  # KerasTuner's seeds are one stream, shifted
    assert abs(np.corrcoef(draws[0], [unit_draw(0, trial, "dropout") for trial in range(200)])[0, 1]) < 0.25
    assert len({trial_seed(seed, trial) for seed in range(20) for trial in range(20)}) == 400


def test_a_space_with_few_settings_ends_the_search(tmp_path: Path) -> None:
    space = SearchSpace((Parameter("learning_rate", "choice", values=(0.1, 0.2, 0.3)),))
    oracle = make_oracle(tmp_path, space=space)
    values = all_values(oracle, 3)
    assert sorted(v["learning_rate"] for v in values) == [0.1, 0.2, 0.3]
    assert oracle.create_trial("tuner0").status == Status.STOPPED


def test_scores_curves_and_reload(tmp_path: Path) -> None:
    oracle = make_oracle(tmp_path)
    for score in (0.3, 0.1, 0.2):
        end(oracle, oracle.create_trial("tuner0"), score)
    running = oracle.create_trial("tuner0")
    oracle.save(now=True)
    (tmp_path / "search" / "oracle.json").write_text("{ torn")  # the trials' own files are what counts
    again = make_oracle(tmp_path)
    again.reload()
    assert [trial.score for trial in again.trials.values()] == [0.3, 0.1, 0.2, None]
    best = again.get_best_trials(1)[0]
    assert (best.trial_id, best.best_step) == ("01", 1)
    assert [point.value for point in best.metrics.metrics["val_loss"].get_history()] == [[1.1], [0.1]]
    resumed = again.create_trial("tuner0")
    assert resumed.trial_id == running.trial_id
    assert resumed.hyperparameters.values == running.hyperparameters.values
    end(again, resumed)
    following = oracle.populate_space("04")["values"]
    assert again.create_trial("tuner0").hyperparameters.values == following


def test_a_damaged_trial_is_named(tmp_path: Path) -> None:
    oracle = make_oracle(tmp_path)
    end(oracle, oracle.create_trial("tuner0"))
    path = tmp_path / "search" / "trial_00" / "trial.json"
    path.write_text("")
    with pytest.raises(UserError, match=r"trial\.json' is damaged"):
        make_oracle(tmp_path).reload()
    path.write_text("{}")
    with pytest.raises(UserError, match=r"trial\.json' is damaged"):
        make_oracle(tmp_path).reload()


def test_divergence_never_ends_the_search_but_three_failures_in_a_row_do(tmp_path: Path) -> None:
    oracle = make_oracle(tmp_path)
    for number in range(8):
        fail(oracle, f"{DIVERGED}: in epoch 1" if number % 3 else "ValueError: broken")
    assert oracle.trials["01"].message == "diverged: in epoch 1"
    for _ in range(2):
        fail(oracle, "no memory")
    with pytest.raises(RuntimeError, match=r"^3 trials in a row failed\. The last reason: no memory$"):
        fail(oracle, "no memory")
    saved = json.loads((tmp_path / "search" / "trial_10" / "trial.json").read_text())
    assert (saved["status"], saved["message"]) == ("FAILED", "no memory")
