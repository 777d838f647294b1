"""Importance: what decides alone is found, noise is not, conditional and chosen hyperparameters have their share."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.verdict.synthetic import TWO, noise, search, thinned
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import default_space
from tfcourse.verdict.importance import judge_importance, matrix, ranks_of

CHOICES = SearchSpace(
    (
        Parameter("optimizer", "choice", values=("sgd", "rmsprop", "adam")),
        Parameter("momentum", "one_minus_log", 0.9, 0.999, parent="optimizer", parent_values=("sgd",)),
        Parameter("dropout", "linear", 0.0, 0.5),
    )
)


def test_what_decides_alone_has_it_all() -> None:
    trials = search(300, lambda point, values, random: math.exp(5 * point["learning_rate"]))
    found = judge_importance(trials, default_space(), "val_loss")
    shares = found.numbers["hyperparameters"]
    assert shares["learning_rate"]["mean"] == pytest.approx(1.0, abs=0.1)
    assert shares["learning_rate"]["low"] > 0.8
    assert max(share["mean"] for name, share in shares.items() if name != "learning_rate") < 0.02
    assert found.sentences[0].text.startswith("What decides a trial's rank, as far as 300 trials tell: learning_rate (")


def test_two_that_add_up_share_by_their_variances() -> None:
    # a·u + b·v of uniform u, v has variances in the ratio a² : b², here 4 : 1; ranks of the sum nearly so.
    trials = search(500, lambda point, values, random: 2 * point["learning_rate"] + point["dropout"], space=TWO)
    shares = judge_importance(trials, TWO, "val_loss").numbers["hyperparameters"]
    assert shares["learning_rate"]["mean"] == pytest.approx(0.8, abs=0.08)
    assert shares["dropout"]["mean"] == pytest.approx(0.2, abs=0.06)


def test_accuracy_and_loss_rank_alike() -> None:
    up = search(40, lambda point, values, random: point["dropout"], space=TWO)
    down = search(40, lambda point, values, random: -point["dropout"], space=TWO)
    assert (ranks_of(up, "val_loss") == ranks_of(down, "val_accuracy")).all()


def test_noise_is_not_told_from_chance() -> None:
    # 11 hyperparameters a search; each interval misses zero upwards in at most 2.5 % of searches, it is said.
    claims = [
        share["matters"]
        for seed in range(5)
        for share in judge_importance(search(32, noise, seed=seed), default_space(), "val_loss")
        .numbers["hyperparameters"]
        .values()
    ]
    assert np.mean(claims) <= 0.04  # 0.012 over 60 seeds


def test_a_choice_and_a_hyperparameter_that_only_one_choice_has() -> None:
    def by_choice(point: dict[str, float], values: dict[str, object], random: np.random.Generator) -> float:
        return {"sgd": 0.5, "rmsprop": 0.0, "adam": 1.0}[str(values["optimizer"])]

    shares = judge_importance(search(80, by_choice, space=CHOICES), CHOICES, "val_loss").numbers["hyperparameters"]
    assert shares["optimizer"]["low"] > 0.5
    assert not shares["momentum"]["matters"]

    def by_momentum(point: dict[str, float], values: dict[str, object], random: np.random.Generator) -> float:
        return point["momentum"] if "momentum" in values else 0.5

    shares = judge_importance(search(200, by_momentum, space=CHOICES), CHOICES, "val_loss").numbers["hyperparameters"]
    assert shares["momentum"]["matters"]
    assert shares["momentum"]["mean"] > 10 * abs(shares["dropout"]["mean"])


def test_columns_by_hand() -> None:
    trials = search(3, noise, space=CHOICES, seed=5)
    columns, groups = matrix(trials, CHOICES.parameters)
    assert [places for places, _ in groups] == [[0, 1, 2], [3], [4]]
    for row, trial in zip(columns, trials, strict=True):
        assert list(row[:3]) == [float(trial.values["optimizer"] == name) for name in ("sgd", "rmsprop", "adam")]
        beta = trial.values.get("momentum")
        assert row[3] == pytest.approx(0.5 if beta is None else (-1 - np.log10(1 - float(beta))) / 2)  # type: ignore[arg-type]
        assert row[4] == pytest.approx(float(trial.values["dropout"]) / 0.5)
    assert list(groups[1][1]) == ["momentum" in trial.values for trial in trials]


def test_trials_that_halving_ended_are_ranked_by_the_epochs_that_all_had() -> None:
    """Early losses go by the learning rate; the 20 trials that went on end by their dropout, far below the others."""
    trials = search(60, lambda point, values, random: point["dropout"], space=TWO)
    thin = thinned(trials, lambda trial: TWO["learning_rate"].to_unit(trial.values["learning_rate"]))
    ranks = ranks_of(thin, "val_loss")
    rates = [float(trial.values["learning_rate"]) for trial in thin]
    assert ranks.tolist() == (np.argsort(np.argsort(rates)) + 1).tolist()
    found = judge_importance(thin, TWO, "val_loss")
    assert found.numbers["epochs"] == 4
    assert not found.numbers["hyperparameters"]["dropout"]["matters"]
    assert found.sentences[0].text.startswith(
        "What decides a trial's rank, as far as 60 trials, compared by their first 4 epochs, tell: learning_rate ("
    )


def test_diverged_trials_rank_last_together() -> None:
    trials = search(
        30, lambda point, values, random: math.inf if point["dropout"] > 0.5 else random.random(), space=TWO
    )
    ranks = ranks_of(trials, "val_accuracy")
    lost = np.array([trial.status == "diverged" for trial in trials])
    assert len(set(ranks[lost])) == 1
    assert ranks[lost][0] > ranks[~lost].max()
    assert judge_importance(trials, TWO, "val_accuracy").numbers["hyperparameters"]["dropout"]["matters"]


@pytest.mark.parametrize(("count", "score"), [(0, 0.1), (1, 0.1), (2, 0.1), (19, 0.1)])
def test_too_few_trials_say_so(count: int, score: float) -> None:
    (sentence,) = judge_importance(search(count, lambda p, v, r: score, space=TWO), TWO, "val_loss").sentences
    assert sentence.text == f"Too few trials to tell which hyperparameters matter: {count} of 20 needed."


def test_equal_scores_and_all_diverged() -> None:
    (sentence,) = judge_importance(search(25, lambda p, v, r: 0.1, space=TWO), TWO, "val_loss").sentences
    assert sentence.text == "All trials have the same score; nothing decides it."
    assert judge_importance(search(25, lambda p, v, r: math.inf, space=TWO), TWO, "val_loss").sentences == []


def test_one_free_hyperparameter_and_none() -> None:
    one = SearchSpace((TWO["learning_rate"], Parameter("optimizer", "choice", values=("adam",))))
    trials = search(40, lambda point, values, random: point["learning_rate"], space=one)
    assert list(judge_importance(trials, one, "val_loss").numbers["hyperparameters"]) == ["learning_rate"]
    none = SearchSpace((Parameter("optimizer", "choice", values=("adam",)),))
    assert judge_importance(search(40, noise, space=none), none, "val_loss").sentences == []
