"""Rounds, quasi-random points, own settings first, halving and repeats, in whole searches of small networks."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.run.trials import leaders, read_trials
from tfcourse.search.cohort_fit_tuner import CohortFitTuner
from tfcourse.search.fit import Schedule, TrainingData
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.halving import going_on, rungs
from tfcourse.search.pace import Pace
from tfcourse.search.rounds import leading, next_round
from tfcourse.search.rounds_oracle import RoundsOracle
from tfcourse.space import Parameter, Round, SearchSpace
from tfcourse.space.course import build_space
from tfcourse.space.known import limits_of
from tfcourse.space.names import values_from_hp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 6)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
EXAMPLES = TrainingData(X[:100], Y[:100], X[100:], Y[100:])
SPACE = build_space(
    {
        "units": Parameter("units", "integer", 4, 12),
        "layers": Parameter("layers", "integer", 1, 2),
        "dropout": Parameter("dropout", "choice", values=(0.0,)),
    }
)


def search(
    folder: Path,
    trials: int,
    schedule: Schedule,
    *,
    kind: type[FitTuner] = CohortFitTuner,
    at_once: int | None = None,
    **options: Any,
) -> FitTuner:
    """Run a search and return its tuner."""
    oracle = RoundsOracle("val_loss", trials, space=SPACE, seed=1, **options)
    tuner = kind(oracle, MLPHyperModel(6, 2, rows=100, batch_size=50, space=SPACE), directory=folder)
    tuner.at_once = at_once or tuner.at_once
    tuner.search(EXAMPLES, schedule)
    return tuner


def values(tuner: FitTuner) -> list[dict[str, Any]]:
    return [values_from_hp(trial.hyperparameters.values) for trial in tuner.oracle.trials.values()]


SHORT = Schedule(epochs=2, patience=9)


def test_the_second_round_lies_in_the_region_of_the_leading_trials(tmp_path: Path) -> None:
    told: list[list[Round]] = []
    tuner = search(tmp_path, 20, SHORT, starts=(0, 12), on_round=lambda rounds: told.append(list(rounds)))
    first, second = tuner.oracle.rounds
    assert told == [[first, second]]
    assert second.first_trial == 12
    records = read_trials(tmp_path, SPACE)
    assert [record.round for record in records] == [0] * 12 + [1] * 8
    best = leaders(records[:12], "val_loss")[: leading(12)]
    assert second.space == SPACE.zoomed([record.values for record in best], limits_of(SPACE))[0]
    for record in records[12:]:
        assert all(second.space[name].contains(value) for name, value in record.values.items())
    assert second.space != SPACE


def test_a_resumed_search_goes_on_in_its_round_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", 20, SHORT, starts=(0, 12))
    part = search(tmp_path / "part", 16, SHORT, starts=(0, 12))
    kept = [Round.from_json(json.loads(json.dumps(each.to_json()))) for each in part.oracle.rounds]
    more = search(tmp_path / "part", 20, SHORT, starts=(0, 12), rounds=kept)
    assert values(more) == values(whole)
    assert [t.score for t in more.oracle.trials.values()] == [t.score for t in whole.oracle.trials.values()]


def test_the_cohort_and_model_fit_draw_the_same_rounds(tmp_path: Path) -> None:
    schedule = Schedule(epochs=1, patience=9)
    slow = search(tmp_path / "fit", 9, schedule, kind=FitTuner, starts=(0, 6))
    fast = search(tmp_path / "cohort", 9, schedule, starts=(0, 6))
    assert [each.first_trial for each in slow.oracle.rounds] == [0, 6]
    assert values(slow)[:6] == values(fast)[:6]
    for a, b in zip(slow.oracle.trials.values(), fast.oracle.trials.values(), strict=True):
        if int(a.trial_id) < 6:
            assert a.score == pytest.approx(b.score, rel=1e-3)


def test_quasi_random_points_fill_every_scale_evenly_and_go_on(tmp_path: Path) -> None:
    def drawn(count: int, seed: int) -> list[dict[str, Any]]:
        oracle = RoundsOracle("val_loss", 99, space=SPACE, seed=seed, sampler="quasi-random")
        return [oracle.values_of(trial) for trial in range(count)]

    settings = drawn(16, 3)
    decades = [np.log10(setting["learning_rate"]) for setting in settings]
    assert sorted(int((decade + 4) * 4) for decade in decades) == list(range(16)), "one in each sixteenth of the scale"
    assert drawn(40, 3)[:16] == settings
    assert drawn(16, 4) != settings


def test_a_second_round_scrambles_its_own_sequence(tmp_path: Path) -> None:
    tuner = search(tmp_path, 16, SHORT, starts=(0, 8), sampler="quasi-random")
    second = tuner.oracle.rounds[1].space["learning_rate"]
    p = sorted(int(8 * second.to_unit(each["learning_rate"])) for each in values(tuner)[8:])
    assert p == list(range(8))


def test_own_settings_come_first_with_the_middle_of_what_they_leave_out(tmp_path: Path) -> None:
    mine = [{"optimizer": "adam", "learning_rate": 0.004, "layers": 1}, {"optimizer": "sgd", "momentum": 0.95}]
    tuner = search(tmp_path, 3, SHORT, first=mine)
    first, second, third = values(tuner)
    assert first == {
        "learning_rate": 0.004, "optimizer": "adam", "beta_1": pytest.approx(0.99), "layers": 1, "units_1": 8,
        "learning_rate_decay": pytest.approx(10**-1.5), "dropout": 0.0,
    }  # fmt: skip
    assert (second["momentum"], second["learning_rate"]) == (0.95, 0.01)
    assert third == RoundsOracle("val_loss", 3, space=SPACE, seed=1).values_of(2)


# 9 trials: 3 go on at the first rung, 1 at the second.
def test_halving_gives_most_epochs_to_the_better_third(tmp_path: Path) -> None:
    schedule = Schedule(epochs=9, patience=99, halving=True)
    assert rungs(9) == [1, 3, 9]
    tuner = search(tmp_path / "halved", 9, schedule)
    full = search(tmp_path / "full", 9, Schedule(epochs=9, patience=99))
    after_one = {int(name): full.oracle.curve(name, "val_loss")[0] for name in full.oracle.trials}
    after_three = {int(name): min(full.oracle.curve(name, "val_loss")[:3]) for name in full.oracle.trials}
    stay = sorted(after_one, key=lambda trial: after_one[trial])[:3]
    last = min(stay, key=lambda trial: after_three[trial])
    epochs = {int(name): len(tuner.oracle.curve(name, "val_loss")) for name in tuner.oracle.trials}
    assert epochs == {trial: 9 if trial == last else 3 if trial in stay else 1 for trial in range(9)}
    for name in tuner.oracle.trials:  # going on from a rung is the same as never having stopped, to the last bit
        curve = tuner.oracle.curve(name, "val_loss")
        assert curve == full.oracle.curve(name, "val_loss")[: len(curve)]
    assert tuner.oracle.get_best_trials(1)[0].trial_id == str(last)


def test_halving_decides_by_the_whole_bracket_also_when_part_of_it_ended_before(tmp_path: Path) -> None:
    schedule = Schedule(epochs=9, patience=99, halving=True)
    whole = search(tmp_path / "whole", 9, schedule)
    search(tmp_path / "part", 9, schedule)
    again = [name for name in whole.oracle.trials if int(name) % 2]
    for name in again:  # as a kill in the middle of the bracket leaves them
        path = tmp_path / "part" / "search" / f"trial_{name}" / "trial.json"
        state = json.loads(path.read_text())
        state["tfcourse"].pop("halved_at", None)
        path.write_text(json.dumps({**state, "status": "RUNNING", "score": None, "metrics": {"metrics": {}}}))
    part = search(tmp_path / "part", 9, schedule)
    for name in whole.oracle.trials:
        assert part.oracle.curve(name, "val_loss") == whole.oracle.curve(name, "val_loss")


@pytest.mark.parametrize("stop_after", [10, 20, 30])
def test_halving_of_several_brackets_ends_alike_after_an_interrupt(tmp_path: Path, stop_after: int) -> None:
    calls = iter([False] * stop_after + [True] * 99)
    schedule = Schedule(epochs=9, patience=99, halving=True)
    whole = search(tmp_path / "whole", 18, schedule, at_once=9)
    interrupted = Schedule(epochs=9, patience=99, halving=True, interrupted=lambda: next(calls))
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "part", 18, interrupted, at_once=9)
    part = search(tmp_path / "part", 18, schedule, at_once=9)
    assert epochs_of(part) == epochs_of(whole)
    assert sum(count == 9 for count in epochs_of(whole).values()) == 2, "one of nine trains to the end"
    assert [trial.score for trial in part.oracle.trials.values()] == [t.score for t in whole.oracle.trials.values()]


def test_halving_ends_alike_after_a_kill_in_the_middle_of_drawing(tmp_path: Path) -> None:
    schedule = Schedule(epochs=9, patience=99, halving=True)
    oracle = RoundsOracle("val_loss", 9, space=SPACE, seed=1)
    hypermodel = MLPHyperModel(6, 2, rows=100, batch_size=50, space=SPACE)
    CohortFitTuner(oracle, hypermodel, directory=tmp_path / "part").draw(5)
    part, whole = search(tmp_path / "part", 9, schedule), search(tmp_path / "whole", 9, schedule)
    assert epochs_of(part) == epochs_of(whole)


def test_a_trial_that_diverged_after_a_rung_still_was_among_those_compared_at_it(tmp_path: Path) -> None:
    """As a search finds it that was stopped after the divergence, and decides the rung again."""
    schedule = Schedule(epochs=9, patience=99, halving=True)
    whole = search(tmp_path / "whole", 9, schedule)
    search(tmp_path / "part", 9, schedule)
    [second, _] = sorted((name for name in whole.oracle.trials if epochs_of(whole)[name] == 3), key=int)
    for name, count in epochs_of(whole).items():
        path = tmp_path / "part" / "search" / f"trial_{name}" / "trial.json"
        state = json.loads(path.read_text())
        if name == second:  # it went on from the first rung, and diverged then
            path.write_text(json.dumps({**state, "status": "FAILED", "score": None, "message": "diverged: so"}))
        elif count == 1:
            state["tfcourse"].pop("halved_at")
            path.write_text(json.dumps({**state, "status": "RUNNING", "score": None, "metrics": {"metrics": {}}}))
    part = search(tmp_path / "part", 9, schedule)
    assert epochs_of(part) == epochs_of(whole), "its place among the better third is not free"


def epochs_of(tuner: FitTuner) -> dict[str, int]:
    return {name: len(tuner.oracle.curve(name, "val_loss")) for name in tuner.oracle.trials}


def test_who_goes_on() -> None:
    curves = {number: [1.0 - number / 10] for number in range(9)}
    assert going_on(curves, 0, 1, higher_is_better=False) == {6, 7, 8}
    assert going_on(curves, 0, 1, higher_is_better=True) == {0, 1, 2}
    assert going_on(curves, 1, 1, higher_is_better=False) == {8}
    assert going_on({0: [], 1: []}, 0, 1, higher_is_better=False) == set(), "nobody of those that diverged"


@pytest.mark.parametrize("kind", [FitTuner, CohortFitTuner])
def test_repeats_are_ranked_by_their_mean_and_keep_the_first_seeds_model(tmp_path: Path, kind: type[FitTuner]) -> None:
    one = search(tmp_path / "one", 3, SHORT, kind=kind)
    three = search(tmp_path / "three", 3, Schedule(epochs=2, patience=9, repeats=3), kind=kind)
    assert len(three.oracle.end_order) == 3, "each trial ends once"
    for name, trial in three.oracle.trials.items():
        scores = three.oracle.notes[name]["repeats"]
        assert len(set(scores)) == 3
        assert trial.score == pytest.approx(np.mean(scores))
        assert scores[0] == pytest.approx(one.oracle.trials[name].score, rel=1e-6)
        np.testing.assert_allclose(three.load_model(trial).get_weights()[0], one.load_model(trial).get_weights()[0])
    best = leaders(read_trials(tmp_path / "three", SPACE), "val_loss")[0]
    assert best.repeats == tuple(three.oracle.notes[three.oracle.get_best_trials(1)[0].trial_id]["repeats"])


def test_a_limited_time_is_shared_by_the_rounds_and_planned_by_what_a_trial_costs() -> None:
    now = [0.0]
    pace = Pace(100.0, 2, lambda: now[0])
    assert pace.room(64) == 8, "nothing is known yet"
    now[0] = 8.0
    pace.ended(8)
    assert pace.room(64) == 16, "no more than twice those that ended"
    now[0] = 24.0
    pace.ended(16)
    assert pace.room(64) == 26, "a second each, and 26 s of the round's 50 s are left"
    now[0] = 50.5
    pace.ended(26)
    assert pace.room(64) == 0, "the round is over"
    pace.begin_round()
    assert pace.room(64) == 49, "49.5 s at 50.5 / 50 s each"
    assert pace.room(20) == 20
    assert Pace(math.inf, 2, lambda: now[0]).room(64) == 64


def test_a_round_after_few_or_diverged_trials_keeps_the_space() -> None:
    last = Round(0, SPACE)
    assert next_round(last, 4, []) == Round(4, SPACE)
    assert next_round(last, 4, [{"learning_rate": 0.1}, {"learning_rate": 0.2}]).space == SPACE


def test_units_that_move_outward_are_trained(tmp_path: Path) -> None:
    wide = SearchSpace(
        tuple(
            Parameter(p.name, "integer", 30, 40, parent=p.parent, parent_values=p.parent_values)
            if p.name.startswith("units_")
            else p
            for p in SPACE
        )
    )
    tuner = search(tmp_path, 4, SHORT, starts=(0, 2), rounds=[Round(0, SPACE), Round(2, wide)])
    assert all(30 <= each["units_1"] <= 40 for each in values(tuner)[2:])
    assert tuner.load_model(tuner.oracle.get_best_trials(1)[0]).count_params() > 0
