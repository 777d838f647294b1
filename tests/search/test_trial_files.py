"""What a resume reads of a KerasTuner project: a trial's file that is not one is told in a sentence."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras_tuner
import pytest

from tfcourse.errors import UserError
from tfcourse.files.trial_file import read_trial_file
from tfcourse.run.trials import read_trials
from tfcourse.search.oracle import RandomOracle, Status
from tfcourse.space import Parameter, SearchSpace

OTHERS: list[Any] = [None, -1, 1.5, "x", [None], {"x": None}]


def oracle_in(folder: Path) -> RandomOracle:
    """Return an oracle of one hyperparameter whose project is ``folder/search``."""
    space = keras_tuner.HyperParameters()
    space.Float("rate", 0.1, 1.0)
    oracle = RandomOracle(max_trials=3, hyperparameters=space)
    oracle._set_project_dir(str(folder), "search")
    return oracle


@pytest.fixture
def trial_file(tmp_path: Path) -> Path:
    """The file of a trial that completed, as an oracle wrote it."""
    oracle = oracle_in(tmp_path)
    oracle.verbose = 0
    trial = oracle.create_trial("tuner0")
    oracle.record_curves(trial.trial_id, {"val_loss": [0.5, 0.25], "val_accuracy": [0.5, 1.0]})
    trial.status = Status.COMPLETED
    oracle.end_trial(trial)
    (path,) = (tmp_path / "search").glob("trial_*/trial.json")
    return path


def put(*place: Any, value: Any) -> Callable[[Any], None]:
    """Return what puts a value somewhere into a state."""

    def change(state: Any) -> None:
        for key in place[:-1]:
            state = state[key]
        state[place[-1]] = value

    return change


POINT = ("metrics", "metrics", "val_loss", "observations", 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda state: state.pop("hyperparameters"), "KeyError('hyperparameters')"),
        (put("trial_id", value="7"), "trial_id is '7', not '0'"),
        (put("trial_id", value=["0"]), "trial_id is ['0'], not '0'"),
        (put("status", value="DONE"), "status is 'DONE'"),
        (put("message", value=3), "message is no text"),
        (put("hyperparameters", "values", "rate", value=[0.1]), "the hyperparameter 'rate' is [0.1]"),
        (put("hyperparameters", "values", value=[]), "AttributeError(\"'list' object has no attribute 'items'\")"),
        (
            put("hyperparameters", "space", value=[{"class_name": "Lambda", "config": {"name": "rate"}}]),
            "the hyperparameter {'class_name': 'Lambda', 'config': {'name': 'rate'}} is of no kind",
        ),
        (put(*POINT, "value", value=["low"]), "the curve 'val_loss' holds {'value': ['low'], 'step': 0}"),
        (put(*POINT, "value", value=[]), "the curve 'val_loss' holds {'value': [], 'step': 0}"),
        (put(*POINT, "step", value="first"), "the curve 'val_loss' holds {'value': [0.5], 'step': 'first'}"),
        (put("score", value="good"), "score is 'good'"),
        (put("score", value=None), "score is None"),
        (put("best_step", value=0.5), "best_step is 0.5"),
        (put("tfcourse", value={"round": "first"}), "round is 'first'"),
        (put("tfcourse", value={"ended_at": []}), "ended_at is []"),
        (put("tfcourse", value={"repeats": ["a"]}), "repeats are no numbers"),
    ],
)
def test_a_state_of_other_types(change: Callable[[Any], None], problem: str, trial_file: Path) -> None:
    state = json.loads(trial_file.read_text())
    number = state["trial_id"]
    change(state)
    trial_file.write_text(json.dumps(state))
    with pytest.raises(UserError) as caught:
        read_trial_file(trial_file)
    expected = problem.replace("not '0'", f"not {number!r}")
    assert str(caught.value) == f"{str(trial_file)!r} is damaged ({expected}). Restore it from a copy, or remove it."


def changes(state: Any, *place: Any) -> Iterator[tuple[Any, ...]]:
    """Yield where something stands in a state."""
    for key in state if isinstance(state, dict) else range(len(state)):
        yield (*place, key)
        if isinstance(state[key], (dict, list)):
            yield from changes(state[key], *place, key)


def test_whatever_stands_in_a_file_a_search_goes_on_or_says_why_not(trial_file: Path) -> None:
    whole = json.loads(trial_file.read_text())
    space = SearchSpace((Parameter("rate", "linear", 0.1, 1.0),))
    folder = trial_file.parents[2]
    taken = refused = 0
    for place in list(changes(whole)):
        for value in OTHERS:
            state = copy.deepcopy(whole)
            put(*place, value=value)(state)
            trial_file.write_text(json.dumps(state))
            oracle = oracle_in(folder)
            try:
                oracle.reload()
                oracle.get_best_trials(1)
                read_trials(folder, space)
                taken += 1
            except UserError as error:
                assert "\n" not in str(error)  # noqa: PT017  # both outcomes are right
                refused += 1
    assert min(taken, refused) > 20
