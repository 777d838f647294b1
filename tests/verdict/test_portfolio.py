"""What is said of the settings that were tried first, and that the rules for draws leave them out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.verdict.synthetic import TWO, noise, ranked, search
from tfcourse.run.trials import TrialRecord
from tfcourse.verdict.edges import judge_edges
from tfcourse.verdict.enough import judge_enough
from tfcourse.verdict.portfolio import judge_portfolio


def trial(number: int, score: float | None, given: str = "") -> TrialRecord:
    return TrialRecord(number, "diverged" if score is None else "completed", {}, score=score, given=given)


@pytest.mark.parametrize(
    ("trials", "text", "behind"),
    [
        ([trial(0, 0.5), trial(1, 0.6, "own")], None, None),
        ([trial(0, None, "portfolio")], None, None),
        (
            [trial(0, 0.5, "portfolio"), trial(1, 0.3, "portfolio"), trial(2, 0.4)],
            "The best trial, 1, is of the 2 settings that were good on many tables; the best other is 0.1000 worse.",
            -0.1,
        ),
        (
            [trial(0, 0.5, "portfolio"), trial(1, 0.45, "own"), trial(2, None, "portfolio")],
            "Of the 2 settings that were good on many tables the best, trial 0, is 0.0500 worse than the best trial.",
            0.05,
        ),
        (
            [trial(0, None, "portfolio"), trial(1, 0.45)],
            "No trial of the setting that was good on many tables completed here.",
            None,
        ),
    ],
)
def test_the_sentence(trials: list[TrialRecord], text: str | None, behind: float | None) -> None:
    found = judge_portfolio(trials, ranked(trials), "val_loss")
    assert [sentence.text for sentence in found.sentences] == ([] if text is None else [text])
    assert found.numbers["behind"] == (None if behind is None else pytest.approx(behind))


def test_accuracies_are_better_high() -> None:
    trials = [trial(0, 0.9, "portfolio"), trial(1, 0.8)]
    (sentence,) = judge_portfolio(trials, ranked(trials, "val_accuracy"), "val_accuracy").sentences
    assert sentence.text.startswith("The best trial, 0, is of the setting that was good")


def test_enough_is_told_by_the_draws_alone() -> None:
    draws = search(20, noise, space=TWO)
    given = [replace(each, number=20 + n, score=-1.0, given="portfolio") for n, each in enumerate(draws[:12])]
    found = judge_enough([*draws, *given], "val_loss")
    assert found.numbers == judge_enough(draws, "val_loss").numbers
    assert found.sentences[0].text.startswith("The second half of the 20 drawn trials made")
    (few,) = judge_enough([*draws[:7], *given], "val_loss").sentences
    assert few.text == "Too few drawn trials to tell whether more would help: 8 are needed in a round."


def test_good_settings_that_are_alike_crowd_no_border() -> None:
    """Twelve given ones of low dropout lead by something else; as draws they would raise an alarm."""
    random = np.random.default_rng(0)
    draws = search(52, noise, space=TWO)
    given = [
        replace(trial(52 + n, -1.0, "portfolio"), values={"learning_rate": 0.01, "dropout": 0.05 * random.random()})
        for n in range(12)
    ]
    assert judge_edges([*draws, *given], TWO, "val_loss").sentences[0].level == "good"
    unmarked = [replace(each, given="") for each in given]
    assert judge_edges([*draws, *unmarked], TWO, "val_loss").sentences[0].text.startswith("75% of the leaders")
