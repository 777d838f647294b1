"""Best of k: by counting all draws, by SciPy's bootstrap, and what is said of it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from tests.verdict.synthetic import TWO, noise, search
from tfcourse.run.trials import TrialRecord
from tfcourse.verdict.enough import best_of, judge_enough


def scored(scores: list[float], number: int = 0) -> list[TrialRecord]:
    return [TrialRecord(i, "completed", {}, score=score, round=number) for i, score in enumerate(scores)]


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_expected_best_is_that_of_all_draws_counted(k: int) -> None:
    costs = np.array([0.1, 0.2, 0.2, 0.7])
    lowest = sorted(min(draw) for draw in itertools.product(costs, repeat=k))
    mean, low, high = best_of(costs, k)
    assert mean == pytest.approx(np.mean(lowest))
    assert low == lowest[math.ceil(0.025 * len(lowest)) - 1]
    assert high == lowest[math.ceil(0.975 * len(lowest)) - 1]


def test_the_expected_best_of_all_is_scipys_bootstrap_of_the_minimum() -> None:
    costs = np.sort(np.random.default_rng(0).gamma(2, size=30))
    drawn = bootstrap((costs,), np.min, n_resamples=20_000, rng=np.random.default_rng(1), method="percentile")
    mean, low, high = best_of(costs, 30)
    assert mean == pytest.approx(drawn.bootstrap_distribution.mean(), abs=0.003)
    assert (low, high) == pytest.approx(tuple(drawn.confidence_interval))


def test_numbers_of_a_search() -> None:
    numbers = judge_enough(search(20, noise, space=TWO), "val_loss").numbers
    assert numbers["k"] == [1, 2, 4, 8, 16, 20]
    scores = [float(trial.score or 0) for trial in search(20, noise, space=TWO)]
    assert numbers["expected"][0] == pytest.approx(np.mean(scores))
    assert numbers["expected"] == sorted(numbers["expected"], reverse=True)
    assert numbers["low"][-1] == min(scores)
    assert all(
        low <= mean <= high for low, mean, high in zip(*(numbers[n] for n in ("low", "expected", "high")), strict=True)
    )
    assert numbers["doubling"] == pytest.approx(best_of(np.sort(scores), 10)[0] - numbers["expected"][-1])


def test_accuracies_grow() -> None:
    numbers = judge_enough(search(16, noise, space=TWO), "val_accuracy").numbers
    assert numbers["expected"] == sorted(numbers["expected"])
    assert numbers["high"][-1] == max(float(trial.score or 0) for trial in search(16, noise, space=TWO))
    assert all(low <= high for low, high in zip(numbers["low"], numbers["high"], strict=True))
    assert numbers["doubling"] > 0


def test_a_flat_search_is_enough_and_a_lucky_one_is_not() -> None:
    flat = judge_enough(scored([0.3, 0.301, 0.302, 0.303] * 8), "val_loss", spread=0.01).sentences[0]
    assert flat.level == "good"
    assert flat.text.endswith("which is little: the spread of the seeds is 0.0100.")
    lucky = judge_enough(scored([0.3, *np.linspace(0.5, 1, 31)]), "val_loss", spread=0.01).sentences[0]
    assert lucky.level == "note"
    # 0.3 is missed by 32 draws with probability (31/32)^32, by 16 with (31/32)^16: about 0.2 × 0.24 more, and the rest.
    assert lucky.text.startswith("The second half of the 32 trials made the expected best 0.0")
    assert "which is worth trying" in lucky.text


def test_without_a_spread_the_middling_trial_is_the_measure() -> None:
    sentence = judge_enough(scored([0.3, *np.linspace(0.5, 1, 31)]), "val_loss").sentences[0]
    assert sentence.text.endswith("the middling trial is 0.4417 behind the best.")


def test_the_last_round_with_enough_trials_is_looked_at() -> None:
    trials = [*scored([1.0] * 10), *scored([0.5] * 9, number=1), *scored([0.1] * 3, number=2)]
    found = judge_enough(trials, "val_loss")
    assert (found.numbers["round"], found.numbers["expected"][-1]) == (1, 0.5)
    assert found.sentences[0].text.startswith("The second half of the 9 trials of round 2 made")


def test_trials_that_halving_ended_are_compared_by_what_all_had_until_then() -> None:
    early = [1.0 - n / 100 for n in range(9)]
    trials = [
        TrialRecord(n, "completed", {}, {"val_loss": [2.0, value]}, value, halved_at=2) for n, value in enumerate(early)
    ]
    last = TrialRecord(9, "completed", {}, {"val_loss": [2.0, 0.91, 0.5, 0.1]}, 0.1)
    found = judge_enough([*trials, last], "val_loss", spread=0.5)
    costs = np.sort([*early, 0.91])
    assert found.numbers["expected"][0] == pytest.approx(np.mean(costs)), "0.1 is of twice the epochs"
    assert found.numbers["doubling"] == pytest.approx(best_of(costs, 5)[0] - best_of(costs, 10)[0])
    assert (found.numbers["epochs"], found.numbers["spread"]) == (2, None)
    assert found.sentences[0].text.startswith(
        "The second half of the 10 trials, compared by their first 2 epochs, made the"
    )
    accuracies = [
        TrialRecord(n, "completed", {}, {"val_accuracy": [0.1, n / 10, 1.0]}, 1.0, halved_at=2) for n in range(8)
    ]
    assert judge_enough(accuracies, "val_accuracy").numbers["expected"][0] == pytest.approx(0.3625)


def test_diverged_trials_count_as_the_worst() -> None:
    lost = [TrialRecord(9, "diverged", {}), TrialRecord(8, "diverged", {})]
    trials = [*scored([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), *lost]
    assert judge_enough(trials, "val_loss").numbers["expected"][0] == pytest.approx((2.1 + 0.6 * 2) / 8)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_too_few(count: int) -> None:
    (sentence,) = judge_enough(scored([0.1] * count), "val_loss").sentences
    assert sentence.text == "Too few trials to tell whether more would help: 8 are needed in a round."
    assert judge_enough([], "val_loss").sentences == []
