"""The winner's curse: intervals against SciPy, outcomes by hand, and the rates over many simulated searches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from tfcourse.verdict.winner import Candidate, difference, judge_winner

A = (0.30, 0.31, 0.29, 0.30, 0.32)
CLOSE = (0.31, 0.30, 0.33, 0.29, 0.30)
WORSE = (0.50, 0.52, 0.51, 0.49, 0.50)


def candidate(name: str, scores: tuple[float | None, ...], parameters: int = 100) -> Candidate:
    return Candidate(name, int(name.split()[1]) if name.startswith("trial") else None, parameters, scores)


def texts(*candidates: Candidate, best: float = 0.25, objective: str = "val_loss") -> list[tuple[str, str]]:
    found = judge_winner(candidates, best, objective)
    return [(sentence.level, sentence.text) for sentence in found.sentences]


def test_the_interval_is_scipys() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0, 1, 5), random.normal(1, 3, 7)
    gap, low, high = difference(list(a), list(b))
    theirs = ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert gap == pytest.approx(b.mean() - a.mean())
    assert (low, high) == pytest.approx((theirs.low, theirs.high))
    assert difference([1.0, 1.0], [2.0, 2.0]) == (1.0, 1.0, 1.0)


def test_a_winner_that_leads_and_was_too_good() -> None:
    assert texts(candidate("trial 3", A), candidate("trial 5", WORSE), candidate("softmax regression", WORSE)) == [
        (
            "warning",
            "Trial 3, trained again from 5 fresh seeds, has a validation loss of 0.3040 ± 0.0114; the search's best"
            " score of 0.2500 was 0.0540 better than that.",
        ),
        ("good", "Trial 3 leads trial 5 (0.5040) and softmax regression (0.5040) beyond the spread of the seeds."),
    ]


def test_ties_prefer_the_simplest() -> None:
    winner = candidate("trial 3", A, 1000)
    assert texts(winner, candidate("trial 5", CLOSE, 400), best=0.31)[-1] == (
        "note",
        "Trial 3 and trial 5 (0.3060) tie: their differences are within the spread of the seeds. Prefer the simplest,"
        " trial 5: it has 400 weights, trial 3 has 1,000.",
    )
    level, text = texts(winner, candidate("trial 5", CLOSE, 400), candidate("softmax regression", CLOSE, 65))[-1]
    assert level == "warning"
    assert text.endswith("Prefer the simplest, softmax regression: it has 65 weights, trial 3 has 1,000.")
    bagged = judge_winner([winner, candidate("softmax regression", CLOSE, 65)], 0.25, "val_loss", 0.35)
    assert (bagged.sentences[-1].level, bagged.sentences[-1].text) == (
        "note",
        "Trial 3 and softmax regression (0.3060) tie: their differences are within the spread of the seeds. The"
        " simplest, softmax regression, has 65 weights, trial 3 has 1,000. The saved model takes of it what helps out"
        " of fold: 35%.",
    )
    own = judge_winner([candidate("trial 3", A, 9), candidate("trial 5", CLOSE, 400)], 0.31, "val_loss")
    assert own.sentences[-1].text.endswith("Trial 3 is also the simplest: 9 weights.")
    assert own.numbers["prefer"] == "trial 3"
    assert own.sentences[0].text.endswith("the search's best score of 0.3100 was not too good.")


def test_a_winner_that_falls_behind() -> None:
    level, text = texts(candidate("trial 3", WORSE), candidate("trial 5", A))[-1]
    assert (level, text) == ("warning", "Trial 3 falls behind trial 5 (0.3040) beyond the spread of the seeds.")


@pytest.mark.parametrize("others", [(), (candidate("trial 5", WORSE),), (candidate("trial 5", A),)])
def test_a_winner_that_is_worse_than_softmax_regression_comes_with_advice(others: tuple[Candidate, ...]) -> None:
    rivals = [candidate("trial 3", WORSE, 1000), *others, candidate("softmax regression", A, 65)]
    level, text = next(each for each in texts(*rivals) if "falls behind" in each[1])
    assert level == "warning"
    assert text.endswith(
        "The search found no network that is worth its weights, and the saved one is worse than softmax regression:"
        " give it more trials or epochs."
    )
    bagged = judge_winner(rivals, 0.25, "val_loss", 0.8).sentences
    share = " The saved model takes of softmax regression what helps out of fold: 80%."
    assert [share in sentence.text for sentence in bagged if "falls behind" in sentence.text] == [True]


def test_accuracies_are_better_high() -> None:
    found = judge_winner([candidate("trial 3", WORSE), candidate("trial 5", A)], 0.55, "val_accuracy")
    assert [sentence.text for sentence in found.sentences] == [
        "Trial 3, trained again from 5 fresh seeds, has a validation accuracy of 50.40% ± 1.14 percentage points; the"
        " search's best score of 55.00% was 4.60 percentage points better than that.",
        "Trial 3 leads trial 5 (30.40%) beyond the spread of the seeds.",
    ]
    assert found.numbers["search_best_too_good_by"] == pytest.approx(0.046)
    assert found.numbers["comparisons"][0]["ahead_by"] == pytest.approx(0.2)


def test_retrainings_that_diverged_are_said_and_left_out() -> None:
    lost = candidate("trial 3", (0.3, None, 0.3, None, 0.3))
    found = judge_winner([lost, candidate("trial 5", (None, None, None, 0.3, 0.4))], 0.3, "val_loss")
    assert [sentence.text for sentence in found.sentences] == [
        "Trial 3, trained again from 3 fresh seeds, has a validation loss of 0.3000 ± 0; the search's best score"
        " of 0.3000 was not too good.",
        "Trial 3 diverged in 2 of its 5 retrainings.",
        "Trial 5 diverged in 3 of its 5 retrainings.",
    ]
    assert found.numbers["comparisons"] == []
    assert found.numbers["candidates"][0]["scores"] == [0.3, None, 0.3, None, 0.3]
    gone = judge_winner([candidate("trial 3", (None,) * 5), candidate("trial 5", A)], 0.3, "val_loss")
    assert [sentence.text for sentence in gone.sentences] == ["Trial 3 diverged in 5 of its 5 retrainings."]
    assert gone.numbers["candidates"][0]["mean"] is None


def test_losses_near_zero_keep_their_digits() -> None:
    tiny = tuple(1e-5 * score for score in (2.30, 2.31, 2.32, 2.31, 2.31))
    # The mean is 2.31e-5, the standard deviation 1e-5 · sqrt((0.01² + 0.01²)/4) = 7.07e-8.
    assert texts(candidate("trial 3", tiny), candidate("trial 5", A), best=2.2e-5)[0][1] == (
        "Trial 3, trained again from 5 fresh seeds, has a validation loss of 2.31e-05 ± 7.07e-08; the search's best"
        " score of 2.2e-05 was 1.1e-06 better than that."
    )


def test_what_rounding_makes_of_equal_scores_is_no_difference() -> None:
    assert texts(candidate("trial 3", (0.1 + 0.2,) * 5), candidate("trial 5", WORSE), best=0.3)[0] == (
        "note",
        "Trial 3, trained again from 5 fresh seeds, has a validation loss of 0.3000 ± 0; the search's best score of"
        " 0.3000 was not too good.",
    )


def test_in_noise_the_best_score_is_too_good_and_nearly_all_candidates_tie() -> None:
    # 32 settings that are equal in truth: the search's best is luck, and it leads a fresh runner-up by chance only.
    random, searches = np.random.default_rng(1), 1500
    too_good, outcomes = [], []
    for _ in range(searches):
        scores = np.sort(random.normal(0.3, 0.05, 32))
        fresh = [tuple(random.normal(0.3, 0.05, 5)) for _ in range(2)]
        found = judge_winner([candidate("trial 0", fresh[0]), candidate("trial 1", fresh[1])], scores[0], "val_loss")
        too_good.append(found.numbers["search_best_too_good_by"])
        outcomes.append(found.numbers["comparisons"][0]["outcome"])
    # The expected lowest of 32 normal draws lies 2.07 standard deviations below the mean (Harter 1961).
    assert np.mean(too_good) == pytest.approx(2.07 * 0.05, abs=4 * 0.025 / np.sqrt(searches))
    rates = {outcome: outcomes.count(outcome) / searches for outcome in ("leads", "ties", "trails")}
    assert 0.93 < rates["ties"] < 0.98  # the stated rate is 95 %; Welch's interval is a little wide at n = 5
    assert rates["leads"] < 0.04
    assert rates["trails"] < 0.04
