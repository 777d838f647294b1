"""Which events led to the present weights, by an independent simulation, and how states are found by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.babysitting.lineage import best_epoch, epochs_of, find_state, named_by_interventions, surviving
from tfcourse.errors import UserError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def epoch(number: int, of: int, loss: float | None, minutes: float = 0.0) -> dict[str, Any]:
    time = (NOON + timedelta(minutes=minutes)).isoformat()
    return {"number": number, "kind": "epoch", "epoch": of, "logs": {"val_loss": loss}, "time": time}


START = {"number": 0, "kind": "start", "epoch": 0, "time": NOON.isoformat()}


@given(st.lists(st.one_of(st.just("epoch"), st.just("change"), st.just("pause"), st.floats(0, 1)), max_size=30))
def test_states_are_those_of_a_simulated_training(steps: list[Any]) -> None:
    # The simulation keeps, for every state, the whole history that a copy of the weights would carry.
    events: list[dict[str, Any]] = [START]
    saved = {0: [0]}
    present = [0]
    for step in steps:
        number = len(events)
        if isinstance(step, float):  # to any state that there ever was, also one that was left behind
            target = sorted(saved)[int(step * (len(saved) - 1))]
            events.append({"number": number, "kind": "revert", "to": target})
            present = list(saved[target])
            continue
        events.append({"number": number, "kind": step})
        if step != "pause":
            present = [*present, number]
            saved[number] = list(present)
    assert [event["number"] for event in surviving(events)] == present


def test_the_best_epoch_is_of_the_present_past_and_finite() -> None:
    path = [START, epoch(1, 1, 0.5), epoch(2, 2, None), epoch(3, 3, 0.2), epoch(4, 4, 0.2)]
    assert best_epoch(path) == path[3]
    assert best_epoch(surviving([*path, {"number": 5, "kind": "revert", "to": 2}])) == path[1]
    assert best_epoch([START, epoch(1, 1, None)]) is None
    assert len(epochs_of(path)) == 4


def test_what_the_journal_names_is_kept() -> None:
    change = {"number": 2, "kind": "change"}
    assert named_by_interventions([START, epoch(1, 1, 0.5), change, {"number": 3, "kind": "revert", "to": 1}]) == {
        0,
        1,
        2,
    }


PATH = [START, epoch(1, 1, 0.5, 10), epoch(2, 2, 0.3, 20), epoch(3, 3, 0.4, 30)]
NOW = NOON + timedelta(minutes=31)


@pytest.mark.parametrize(
    ("to", "number"),
    [("#3", 3), ("0", 0), ("1", 1), ("best", 2), ("-60s", 3), ("-2m", 2), ("-0.2h", 1), ("-31m", 0)],
)
def test_states_are_found(to: str, number: int) -> None:
    assert find_state(PATH, to, {0, 1, 2, 3}, NOW)["number"] == number


def test_the_best_is_the_best_that_is_still_kept() -> None:
    assert find_state(PATH, "best", {0, 1, 3}, NOW)["number"] == 3


@pytest.mark.parametrize(
    ("to", "kept", "message"),
    [
        ("9", {0, 1, 2, 3}, "--to: epoch 9 was given, but there is no such epoch; the nearest are 1, 2, 3."),
        ("2", {0, 1, 3}, "--to: epoch 2 was given, but its checkpoint was thinned out; the nearest are 0, 1, 3."),
        ("-1d", {0, 1}, "--to: -1d was given, but the oldest checkpoint is of 2026-03-01 12:00:00; --to 0 goes back to"
         " it."),
        ("-xm", {0}, "--to: '-xm' was given; allowed are times back such as -90s, -10m, -2h or -1d."),
        ("yesterday", {0}, "--to: 'yesterday' was given; allowed are an epoch's number, best, a time back such as -10m"
         " or -1d, or a number in the journal such as #41."),
        ("#9", {0}, "--to: #9 was given, but the journal has no state of that number."),
        ("#2", {0}, "--to: #2 was given, but its checkpoint was thinned out."),
        ("best", {0}, "No epoch with a finite loss has ended yet, so none is the best; --to 0 is the beginning."),
        ("1", set(), "No checkpoint is there to go back to; the folder's checkpoints were removed."),
    ],
)  # fmt: skip
def test_states_that_are_not_there_are_refused(to: str, kept: set[int], message: str) -> None:
    with pytest.raises(UserError) as raised:
        find_state(PATH, to, kept, NOW)
    assert str(raised.value) == message
