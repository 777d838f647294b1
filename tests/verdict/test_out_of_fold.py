"""What is said of a bagged model out of fold: hand-worked numbers, and an average that is no better told as such."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from tfcourse.verdict.out_of_fold import estimate, judge_out_of_fold


def test_the_estimate_is_mean_and_interval_by_hand() -> None:
    probabilities = np.array([[0.8, 0.2]] * 9 + [[0.1, 0.9]])
    found = estimate(probabilities, np.zeros(10, dtype=int))
    losses = np.array([-np.log(0.8)] * 9 + [-np.log(0.1)])
    half = norm.ppf(0.975) * losses.std(ddof=1) / np.sqrt(10)
    assert (found["n"], found["accuracy"]) == (10, 0.9)
    assert found["accuracy_interval"] == pytest.approx([0.5958, 0.9821], abs=1e-4)  # Wilson, R's prop.test
    assert found["log_loss"] == pytest.approx(losses.mean())
    assert found["log_loss_interval"] == pytest.approx([max(0, losses.mean() - half), losses.mean() + half], rel=1e-3)


def numbers(**changes: Any) -> dict[str, Any]:
    return {
        "n": 80, "folds": 8, "accuracy": 0.9, "accuracy_interval": [0.81, 0.95], "log_loss": 0.25,
        "log_loss_interval": [0.2, 0.3], "plain_log_loss": 0.26, "best": "trial 7", "best_log_loss": 0.28, "used": 2,
        "temperature": 1.5, **changes,
    }  # fmt: skip


def test_what_it_says_and_what_was_chosen_on_the_same_rows() -> None:
    whole, gain = judge_out_of_fold(numbers()).sentences
    assert whole.text.startswith("Out of fold (80 training and validation rows in 8 folds, each predicted by networks")
    assert "right in 90.00%, 95 % interval 81.00% to 95.00%, with a log-loss of 0.2500 (0.2000 to 0.3000)" in whole.text
    assert "weights and the temperature were chosen on these rows" in whole.text
    assert (gain.level, gain.text) == (
        "good",
        "Before the temperature its log-loss there is 0.2600; trial 7 alone has 0.2800.",
    )


@pytest.mark.parametrize(
    ("always", "said"),
    [
        (0, "(80 training and validation rows in 8 folds, each predicted by networks that did not train on it) the"),
        (
            22,
            "(80 of 102 training and validation rows in 8 folds, each predicted by networks that did not train on it;"
            " the other 22, left over where all folds are of one size, always train) the",
        ),
        (1, "(80 of 81 training and validation rows in 8 folds, each predicted by networks that did not train on it;"
            " the other 1, left over where all folds are of one size, always trains) the"),
    ],
)  # fmt: skip
def test_rows_in_no_fold_are_explained_beside_their_number(always: int, said: str) -> None:
    assert said in judge_out_of_fold(numbers(always=always)).sentences[0].text


def test_without_a_temperature_none_is_spoken_of() -> None:
    whole, gain = judge_out_of_fold(numbers(temperature=None)).sentences
    assert "The epochs and the settings' weights were chosen on these rows" in whole.text
    assert gain.text == "Its log-loss there is 0.2600; trial 7 alone has 0.2800."


def test_one_setting_alone_is_no_average_whatever_rounding_says() -> None:
    *_, gain = judge_out_of_fold(numbers(used=1, plain_log_loss=0.28 - 1e-17, best_log_loss=0.28)).sentences
    assert (gain.level, gain.text[:10]) == ("note", "No average")
    *_, gain = judge_out_of_fold(numbers(used=1, plain_log_loss=0.2799)).sentences
    assert gain.level == "note"


def test_an_average_that_is_no_better_than_its_best_setting_is_told_as_such() -> None:
    *_, gain = judge_out_of_fold(numbers(plain_log_loss=0.28)).sentences
    assert (gain.level, gain.text) == (
        "note",
        "No average of several settings is better there than trial 7 alone, with a log-loss of 0.2800.",
    )
