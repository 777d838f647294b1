"""The leaders' curves: each rule on curves drawn for it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tfcourse.run.trials import TrialRecord
from tfcourse.verdict.curves import judge_curves, kinds_of

M = 20
STEPS = np.arange(M)
FALLING = 1.0 / (1 + STEPS)
LATE = np.concatenate([1 - 0.05 * STEPS[:15], 0.301 + 0.001 * STEPS[:5]])  # best in epoch 15 of 20, then level
RISING = np.concatenate([np.linspace(1, 0.3, 10), np.linspace(0.32, 0.6, 10)])
JUMPING = np.where(STEPS % 2, 0.5, 0.3) - 0.001 * np.minimum(STEPS, 14)
EARLY = np.concatenate([np.linspace(1, 0.3, 5), np.full(5, 0.31)])


def trial(val_loss: np.ndarray, loss: np.ndarray | None = None, number: int = 0) -> TrialRecord:
    train = np.linspace(1, 0.01, len(val_loss)) if loss is None else loss
    curves = {"val_loss": [float(v) for v in val_loss], "loss": [float(v) for v in train]}
    return TrialRecord(number, "completed", {}, curves, float(val_loss.min()), int(val_loss.argmin()))


def test_each_rule() -> None:
    assert kinds_of(trial(FALLING), M) == ["still_improving"]
    assert kinds_of(trial(LATE), M) == []
    assert kinds_of(trial(RISING), M) == ["overfitting"]
    assert kinds_of(trial(JUMPING), M) == ["noisy"]
    assert kinds_of(trial(EARLY), M) == ["too_long"]


def test_what_a_rule_is_not() -> None:
    assert kinds_of(trial(FALLING), 2 * M) == []  # stopped before the end
    assert (
        kinds_of(trial(RISING, loss=np.linspace(0.01, 1, M)), M) == []
    )  # the training loss rises as well: no overfitting
    assert kinds_of(trial(np.array([1, 0.8, 0.9])), 3) == []  # of so few epochs only the last is the end
    assert kinds_of(trial(np.linspace(0.3, 1, 5)), 5) == []  # and fewer than six are never too many
    assert kinds_of(trial(np.array([0.5])), 1) == []
    assert kinds_of(trial(np.full(M, 0.4)), M) == ["too_long"]  # constant from the first epoch on


def test_what_most_of_the_leaders_show_is_said_with_advice() -> None:
    leading = [trial(FALLING, number=n) for n in range(3)] + [trial(RISING, number=n) for n in (3, 4)]
    found = judge_curves(leading, leading, M)
    assert [(s.level, s.text) for s in found.sentences] == [
        ("warning", "3 of the 5 best trials still improved at the end of 20 epochs: give more, such as --epochs 40."),
    ]
    assert found.numbers["advised_epochs"] == 40
    assert found.numbers["counts"] == {"still_improving": 3, "overfitting": 2, "too_long": 0, "noisy": 0}
    assert found.numbers["leaders"][3] == {"trial": 3, "epochs": 20, "best_epoch": 10, "shows": ["overfitting"]}


def test_trained_too_long() -> None:
    leading = [trial(EARLY, number=n) for n in range(5)]
    found = judge_curves(leading, leading, M)
    assert found.numbers["advised_epochs"] == 8  # half as much again as the 5 that were needed
    assert found.sentences[0].text == (
        "5 of the 5 best trials were best in the first third of 20 epochs: --epochs 8 would do and takes less time."
    )


def test_the_epochs_that_were_given_are_no_advice_to_give_fewer() -> None:
    leading = [trial(EARLY, number=n) for n in range(4)] + [trial(LATE, number=4)]
    found = judge_curves(leading, leading, M)
    assert found.numbers["advised_epochs"] == M  # half as much again as 15, and no more than there were
    assert found.sentences[0].text == (
        "4 of the 5 best trials were best in the first third of 20 epochs, but one of the 5 at epoch 15."
    )


def test_curves_that_are_right() -> None:
    found = judge_curves([trial(LATE)], [trial(LATE)])  # without the plan the longest training's epochs are taken
    assert found.sentences[0].text == "The leaders were best at epoch 15 of 20: neither too short nor too long."
    assert judge_curves([], []).sentences == []


@pytest.mark.parametrize(("epochs", "advised"), [(2, 4), (4, 8)])
def test_a_short_training_that_still_improved_was_cut_short(epochs: int, advised: int) -> None:
    leading = [trial(FALLING[:epochs], number=n) for n in range(5)]
    (sentence,) = judge_curves(leading, leading, epochs).sentences
    assert (sentence.level, sentence.text) == (
        "warning",
        f"5 of the 5 best trials still improved at the end of {epochs} epochs: give more, such as --epochs {advised}.",
    )


@pytest.mark.parametrize(
    ("curves", "said"),
    [
        ([[0.5]], "epoch 1 of 1"),
        ([[0.5, 0.4, 0.45, 0.46]], "epoch 2 of 4"),
        ([[0.5, 0.4, 0.3, 0.2], [0.5, 0.4, 0.45, 0.46]], "epochs 2 to 4 of 4"),
        ([[0.5, 0.4, 0.3, 0.35, 0.4]], "epoch 3 of 5"),
    ],
)
def test_a_training_too_short_to_judge_is_not_called_right(curves: list[list[float]], said: str) -> None:
    leading = [trial(np.array(curve), number=n) for n, curve in enumerate(curves)]
    (sentence,) = judge_curves(leading, leading).sentences
    assert (sentence.level, sentence.text) == (
        "note",
        f"The leaders were best at {said}: too few epochs to tell whether more would help.",
    )


def test_leaders_that_differ_are_not_called_right() -> None:
    # Two still improved, two were trained too long, one is right: no kind has most of them, but neither has "right".
    leading = [trial(v, number=n) for n, v in enumerate([FALLING, FALLING, EARLY, EARLY, LATE])]
    (sentence,) = judge_curves(leading, leading, M).sentences
    assert (sentence.level, sentence.text) == (
        "note",
        "The leaders were best at epochs 5 to 20 of 20: too short for some and longer than others need.",
    )
    (sentence,) = judge_curves(leading[1:2] + leading[4:], leading[1:2] + leading[4:], M).sentences
    assert sentence.level == "good"  # one of two


def test_curves_that_halving_cut_short_say_nothing_about_epochs() -> None:
    halved = [dataclasses.replace(trial(EARLY[:6], number=n), halved_at=6) for n in range(4)]
    whole = trial(FALLING, number=4)
    found = judge_curves([*halved, whole], [*halved, whole], M)
    assert found.numbers["counts"] == {"still_improving": 1, "overfitting": 0, "too_long": 0, "noisy": 0}
    assert [leader["trial"] for leader in found.numbers["leaders"]] == [4]
    assert judge_curves(halved, halved, M).sentences == []
