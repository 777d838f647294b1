"""The oracle's draws are independent, its files whole, and its failures keep their reasons."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pytest
from scipy import stats

from tfcourse.errors import UserError
from tfcourse.models.hypermodels import declare
from tfcourse.search.oracle import RandomOracle, Status, trial_seed, unit_draw
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import build_space, default_space


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


def fail(oracle: RandomOracle, message: str, *, diverged: bool = False) -> None:
    trial = oracle.create_trial("tuner0")
    oracle.note(trial.trial_id, diverged=diverged)
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
        fail(oracle, "in epoch 1" if number % 3 else "ValueError: broken", diverged=bool(number % 3))
    assert [oracle.diverged(f"0{number}") for number in range(4)] == [False, True, True, False]
    for _ in range(2):
        fail(oracle, "no memory")
    with pytest.raises(RuntimeError, match=r"failures exceeded the limit of 3\. The last reason: no memory$"):
        fail(oracle, "no memory")
    saved = json.loads((tmp_path / "search" / "trial_10" / "trial.json").read_text())
    assert (saved["status"], saved["message"]) == ("FAILED", "no memory")


@pytest.mark.filterwarnings("ignore:All-NaN")  # KerasTuner's own, of a curve without a number
@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_trial_without_a_finite_score_diverged_and_the_search_goes_on(tmp_path: Path, loss: float) -> None:
    oracle = make_oracle(tmp_path)
    for _ in range(5):
        trial = oracle.create_trial("tuner0")
        oracle.update_trial(trial.trial_id, {"val_loss": loss, "val_accuracy": 0.5})
        trial.status = Status.COMPLETED
        oracle.end_trial(trial)
    end(oracle, oracle.create_trial("tuner0"))
    assert [trial.status for trial in oracle.trials.values()] == ["FAILED"] * 5 + ["COMPLETED"]
    assert oracle.trials["00"].message == "diverged: val_loss was never a finite number"
    again = make_oracle(tmp_path)
    again.reload()
    assert [again.diverged(trial_id) for trial_id in again.trials] == [True] * 5 + [False]
    np.testing.assert_equal(again.curve("00", "val_loss"), [loss])
    assert again.get_best_trials(1)[0].trial_id == "05"


def test_a_trial_is_tried_again_as_often_as_keras_tuner_would(tmp_path: Path) -> None:
    oracle = make_oracle(tmp_path)
    oracle.max_retries_per_trial = 2
    fail(oracle, "crash")
    assert oracle.trials["00"].status == Status.INVALID
    again = make_oracle(tmp_path)  # a search that is taken up goes on with the tries that are left
    again.max_retries_per_trial = 2
    again.reload()
    assert again.cut_short == 1
    fail(again, "crash")
    trial = again.create_trial("tuner0")
    assert (trial.trial_id, again.trials["00"].status) == ("00", "RUNNING")
    end(again, trial)
    assert (again.trials["00"].status, again.end_order, again.diverged("00")) == ("COMPLETED", ["00"], False)
    for _ in range(3):
        fail(again, "crash", diverged=True)
    assert (again.trials["01"].status, again.end_order) == ("FAILED", ["00", "01"])


def test_a_space_that_is_found_while_trials_run_is_searched_also_after_a_reload(tmp_path: Path) -> None:
    oracle = RandomOracle("val_loss", 20)
    oracle._set_project_dir(str(tmp_path), "search")
    oracle.verbose = 0
    trial = oracle.create_trial("tuner0")
    trial.hyperparameters.Float("rate", 0.0, 1.0)
    end(oracle, trial)
    assert "rate" in oracle.create_trial("tuner0").hyperparameters.values
    again = RandomOracle("val_loss", 20)
    again._set_project_dir(str(tmp_path), "search")
    again.verbose = 0
    again.reload()
    end(again, again.create_trial("tuner0"))
    assert again.create_trial("tuner0").trial_id == "02"
    assert len({trial.hyperparameters.values["rate"] for trial in again.trials.values()}) == 3


def test_a_seed_of_none_draws_one_and_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    assert isinstance(RandomOracle("val_loss", 3, seed=None).seed, int)
    oracle = make_oracle(tmp_path)
    fail(oracle, "crash")
    fail(oracle, "crash")
    with pytest.raises(RuntimeError, match="exceeded the limit of 3"):
        fail(oracle, "crash")
    drawn: list[Any] = []
    thread = threading.Thread(target=lambda: drawn.append(oracle.create_trial("another")), daemon=True)
    thread.start()
    thread.join(20)
    assert drawn, "another thread waits for a lock that nobody holds"


def test_a_folder_of_an_older_version_tells_what_diverged_by_the_message(tmp_path: Path) -> None:
    oracle = make_oracle(tmp_path)
    fail(oracle, "diverged: the loss was no longer finite in epoch 1, at learning rate 0.3")
    fail(oracle, "ValueError: broken")
    for path in (tmp_path / "search").glob("trial_*/trial.json"):
        state = json.loads(path.read_text())
        state["tfcourse"] = {"ended_at": state["tfcourse"]["ended_at"]}
        path.write_text(json.dumps(state))
    again = make_oracle(tmp_path)
    again.reload()
    assert [again.diverged("00"), again.diverged("01")] == [True, False]
