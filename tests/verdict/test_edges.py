"""Leaders at a border: the probability by counting, an edge built on purpose, and how often noise raises an alarm."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import hypergeom

from tests.verdict.synthetic import TWO, noise, search, thinned
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import default_space
from tfcourse.verdict.edges import ALARM, chance, judge_edges


def test_the_probability_is_that_of_all_choices_counted() -> None:
    # Round one: 5 trials of which 0 and 1 lie outside, 2 lead; round two: 4 trials, 0 and 1 and 2 outside, 2 lead.
    counts = [
        sum(i < 2 for i in first) + sum(i < 3 for i in second)
        for first in itertools.combinations(range(5), 2)
        for second in itertools.combinations(range(4), 2)
    ]
    for count in range(5):
        expected = sum(found >= count for found in counts) / len(counts)
        assert chance([(5, 2, 2), (4, 3, 2)], count) == pytest.approx(expected)
    assert chance([(40, 9, 10)], 5) == pytest.approx(hypergeom.sf(4, 40, 9, 10))


def test_an_edge_built_on_purpose_is_found_and_nothing_else() -> None:
    trials = search(60, lambda point, values, random: point["learning_rate"] + 0.05 * random.random())
    found = judge_edges(trials, default_space(), "val_loss")
    assert [(s.level, s.topic) for s in found.sentences] == [("warning", "edges")]
    # The outer fifth of 1e-4 to 1 ends at 10^-3.2; its 10 trials are all among the 15 leaders.
    assert sum(float(trial.values["learning_rate"]) <= 10**-3.2 for trial in trials) == 10
    assert found.sentences[0].text == (
        "67% of the leaders that have learning_rate lie in the outer fifth of its scale at its low end, 0.0001; of all"
        " trials 17%. Better settings may lie beyond: widen the space there."
    )
    numbers = found.numbers["hyperparameters"]
    assert numbers["learning_rate"]["crowded"] == "low"
    assert (numbers["learning_rate"]["low"], numbers["learning_rate"]["high"]) == (10 / 15, 0.0)
    assert all(other["crowded"] is None for name, other in numbers.items() if name != "learning_rate")


def test_the_high_end_by_accuracy() -> None:
    trials = search(60, lambda point, values, random: point["learning_rate"], space=TWO)
    found = judge_edges(trials, TWO, "val_accuracy")
    assert found.numbers["hyperparameters"]["learning_rate"]["crowded"] == "high"


def test_leaders_are_those_of_the_epochs_that_all_trials_had() -> None:
    """Early losses go by dropout; those that went on end by their learning rate, which is no like with like."""
    trials = search(60, lambda point, values, random: point["learning_rate"], space=TWO)
    thin = thinned(trials, lambda trial: -float(trial.values["dropout"]))
    found = judge_edges(thin, TWO, "val_loss")
    assert found.numbers["epochs"] == 4
    numbers = found.numbers["hyperparameters"]
    # The 15 leaders are the 15 highest dropout rates, of which those from 0.4 on lie in the outer fifth.
    outer = sum(float(trial.values["dropout"]) >= 0.4 for trial in thin)
    assert (numbers["dropout"]["crowded"], numbers["dropout"]["high"]) == ("high", min(outer, 15) / 15)
    assert numbers["learning_rate"]["crowded"] is None
    share = f"{min(outer, 15) / 15:.0%}"
    assert found.sentences[0].text.startswith(
        f"{share} of the leaders that have dropout, compared by their first 4 epochs, lie in the outer"
    )


def test_a_border_that_cannot_move_is_only_noted() -> None:
    trials = search(60, lambda point, values, random: point["dropout"], space=TWO)
    (sentence,) = judge_edges(trials, TWO, "val_loss").sentences
    assert sentence.level == "note"
    assert sentence.text.endswith("at its low end, 0; of all trials 23%. It can go no further.")


def test_a_conditional_hyperparameter_is_judged_among_the_trials_that_have_it() -> None:
    def score(point: dict[str, float], values: object, random: np.random.Generator) -> float:
        return 1 - point["momentum"] if point["optimizer"] < 1 / 3 else 0.5 * random.random()

    trials = search(150, score)
    found = judge_edges(trials, default_space(), "val_loss").numbers["hyperparameters"]
    assert found["momentum"]["trials"] == sum("momentum" in trial.values for trial in trials) < 70
    # On the scale of 1 − β from 0.1 to 0.001 the outer fifth begins at 1 − β = 10^−2.6.
    outer = [1 - float(t.values["momentum"]) <= 10**-2.6 for t in trials if "momentum" in t.values]
    assert found["momentum"]["all_high"] == pytest.approx(np.mean(outer))
    assert found["momentum"]["crowded"] == "high"
    assert found["rho"]["crowded"] is None


def test_noise_raises_an_alarm_in_at_most_one_search_of_twenty() -> None:
    # Over 4000 seeds 1.5 % of searches of 32 trials, over 2000 each 1.6 % of 64 and 1.2 % of 100.
    alarms = 0
    for seed in range(300):
        trials = search(32, noise, seed=seed)
        alarms += judge_edges(trials, default_space(), "val_loss").sentences[0].level != "good"
    assert alarms / 300 <= ALARM


def test_a_second_round_beside_a_border_raises_no_alarm_by_itself() -> None:
    # All of round two lies in the outer fifth and is better than round one: leading says nothing about the border.
    corner = SearchSpace((replace(TWO["learning_rate"], high=5e-4), TWO["dropout"]))
    alarms = 0
    for seed in range(200):
        trials = search(20, lambda p, v, random: 1 + random.random(), space=TWO, seed=seed)
        trials += search(20, noise, space=corner, seed=1000 + seed, number=1, first=20)
        alarms += (
            judge_edges(trials, TWO, "val_loss").numbers["hyperparameters"]["learning_rate"]["crowded"] is not None
        )
    assert alarms / 200 <= ALARM


@pytest.mark.parametrize("count", [0, 1, 2, 19])
def test_too_few_trials(count: int) -> None:
    trials = search(count, noise, space=TWO)
    (sentence,) = judge_edges(trials, TWO, "val_loss").sentences
    assert sentence.text == "Too few trials to tell whether the leaders crowd a border of the space: 20 are needed."


def test_equal_scores_and_diverged_trials_claim_nothing() -> None:
    for score in (0.5, math.inf):
        trials = search(40, lambda point, values, random, score=score: score, space=TWO)
        assert judge_edges(trials, TWO, "val_loss").sentences == []


def test_choices_and_two_numbers_have_no_border() -> None:
    space = SearchSpace(
        (Parameter("optimizer", "choice", values=("sgd", "adam")), Parameter("layers", "integer", 1, 2))
    )
    trials = search(40, noise, space=space)
    found = judge_edges(trials, space, "val_loss")
    assert (found.sentences, found.numbers["hyperparameters"]) == ([], {})


def test_a_value_from_beyond_the_space_counts_as_outside() -> None:
    trials = search(40, lambda point, values, random: point["learning_rate"] + 1, space=TWO)
    given = [replace(t, values={**t.values, "learning_rate": 1e-6}, score=0.1) for t in trials[:10]]
    found = judge_edges([*given, *trials[10:]], TWO, "val_loss")
    assert found.numbers["hyperparameters"]["learning_rate"]["low"] == 1.0
