"""The numbers of a retest against hand-worked ones, SciPy's, closed forms and simulations with a known answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from tfcourse.retesting.comparison import (
    Interval,
    chance_of_regret,
    cross_fitted_regret,
    excess_of_old,
    rank_correlation,
    rank_of_winner,
    variance_of_training,
)


def test_regret_by_hand() -> None:
    """Repeat 0 is judged by the others' best, setting 2 (0.2 + 0.2); repeats 1 and 2 by setting 1 (0.1 + ...)."""
    costs = np.array([[0.50, 0.60, 0.70], [0.10, 0.40, 0.40], [0.60, 0.20, 0.20]])
    # sums of the other repeats: without 0: 1.3, 0.8, 0.4; without 1: 1.2, 0.5, 0.8; without 2: 1.1, 0.5, 0.8
    regret = cross_fitted_regret(costs, 0.0)
    assert regret.chosen == (2, 1, 1)
    differences = [0.50 - 0.60, 0.60 - 0.40, 0.70 - 0.40]
    assert regret.interval.mean == pytest.approx(np.mean(differences))
    assert regret.best_cost == pytest.approx((0.60 + 0.40 + 0.40) / 3)
    assert regret.lucky == pytest.approx(0.60 - 0.30)
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert_allclose([regret.interval.low, regret.interval.high], expected)


def test_shared_training_rows_widen_the_interval() -> None:
    """By (1/R + n_validation / n_training) / (1/R): 1 + 4 · 1/3 for R = 4."""
    costs = np.random.default_rng(0).normal(size=(3, 4))
    narrow, wide = (cross_fitted_regret(costs, share).interval for share in (0.0, 1 / 3))
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(math.sqrt(1 + 4 / 3))


def test_the_winner_has_no_regret_where_it_is_the_best() -> None:
    regret = cross_fitted_regret(np.array([[0.1, 0.2, 0.1], [0.3, 0.3, 0.3]]), 0.3)
    assert (regret.interval, regret.chosen) == (Interval(0.0, 0.0, 0.0), (0, 0, 0))


def test_regret_is_not_biased_upward_where_all_settings_are_alike() -> None:
    """The naive difference to the luckiest of 16 settings is, on average, 1.77 standard errors; ours is none."""
    random = np.random.default_rng(1)
    regrets = [cross_fitted_regret(random.normal(size=(16, 5)), 0.0) for _ in range(1500)]
    means = np.array([regret.interval.mean for regret in regrets])
    assert abs(means.mean()) < 3 * means.std() / math.sqrt(len(means))
    lucky = np.mean([regret.lucky for regret in regrets])
    expected_highest = np.mean(random.normal(size=(100_000, 16)).max(axis=1)) / math.sqrt(5)
    assert lucky == pytest.approx(expected_highest, rel=0.05)
    assert np.mean([regret.interval.low > 0 for regret in regrets]) < 0.05


def test_a_real_regret_is_found_and_covered() -> None:
    """Setting 1 is better by 1 in every repeat but for noise of 0.3."""
    random, covered = np.random.default_rng(2), 0
    for _ in range(400):
        costs = random.normal(scale=0.3 / math.sqrt(2), size=(6, 5)) + np.array([1, 0, 2, 2, 2, 2])[:, None]
        interval = cross_fitted_regret(costs, 0.0).interval
        covered += interval.low <= 1 <= interval.high
    assert covered / 400 == pytest.approx(0.95, abs=0.03)


def test_rank_and_its_interval() -> None:
    steady = np.array([[2.0] * 5, [1.0] * 5, [3.0] * 5, [1.5] * 5])
    assert rank_of_winner(steady) == (3, 3, 3)
    rank, low, high = rank_of_winner(np.random.default_rng(3).normal(size=(10, 5)))
    assert 1 <= low <= rank <= high <= 10
    assert high > low


def test_rank_correlation_is_scipys() -> None:
    old = [0.1, 0.2, 0.3, 0.4, 0.5]
    costs = np.array([[0.3, 0.5], [0.1, 0.3], [0.5, 0.5], [0.6, 0.8], [0.4, 0.4]])
    found = rank_correlation(old, costs)
    assert found is not None
    means = [0.4, 0.2, 0.5, 0.7, 0.4]
    assert found.spearman.mean == pytest.approx(stats.spearmanr(old, means).statistic)
    assert found.kendall.mean == pytest.approx(stats.kendalltau(old, means).statistic)
    assert -1 <= found.spearman.low <= found.spearman.mean <= found.spearman.high <= 1


def test_the_same_order_correlates_fully_and_two_settings_not_at_all() -> None:
    costs = np.arange(12.0)[:, None] + np.zeros(4)
    found = rank_correlation(list(range(12)), costs)
    assert found is not None
    for interval in (found.spearman, found.kendall):
        assert_allclose([interval.mean, interval.low, interval.high], 1.0)
    assert rank_correlation([0.1, 0.2], costs[:2]) is None
    assert rank_correlation([0.1, 0.1, 0.1], costs[:3]) is None


@pytest.mark.parametrize("better", [1, 2, 3])
def test_chance_without_noise_is_that_of_not_having_tried_the_better_ones(better: int) -> None:
    """Π (k − i) / (T + k − i): each better setting must be among the k of T + k that the search did not try."""
    trials, fresh = 16, 8
    means = np.array([1.0, *[0.1 * i for i in range(1, better + 1)], *[2.0] * (15 - better)])
    exact = math.prod((fresh - i) / (trials + fresh - i) for i in range(better))
    chance = chance_of_regret(means[:, None] + np.zeros(5), 0.9, fresh, trials)
    assert chance == pytest.approx(exact, abs=4 * math.sqrt(exact / 10_000))


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_chance_of_noise_alone_is_that_of_one_more_repeat(factor: float) -> None:
    """Two trials, nothing fresh: the worse one is picked when one more repeat turns their order round.

    A prediction of one more value from R has variance (1 + 1/R) s² and Student's t on R − 1 degrees of freedom.
    """
    costs = np.array([[1.0, 1.4, 1.2, 1.6], [1.0, 1.0, 1.2, 1.2]])
    difference = costs[0] - costs[1]
    error = difference.std(ddof=1) * math.sqrt(1 + 1 / 4) * math.sqrt(factor)
    exact = stats.t.sf(difference.mean() / error, 3)
    assert chance_of_regret(costs, 0.2, 0, 2, variance_factor=factor) == pytest.approx(exact, abs=0.02)


def test_no_regret_is_left_surely() -> None:
    assert chance_of_regret(np.array([[0.1, 0.1], [0.5, 0.5]]), 0.0, 1, 4) == 1.0


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_false_alarms_are_rare_where_nothing_changed(noise: float) -> None:
    """Searches of 16 trials by one noisy repeat, retested with 8 leaders and 8 fresh settings from the same space."""
    random, alarms = np.random.default_rng(4), 0
    for _ in range(150):
        truth = random.exponential(size=24)
        leaders = np.argsort(truth[:16] + noise * random.normal(size=16))[:8]
        costs = np.concatenate([truth[leaders], truth[16:]])[:, None] + noise * random.normal(size=(16, 5))
        regret = cross_fitted_regret(costs, 0.0).interval
        alarms += regret.low > 0 and chance_of_regret(costs, regret.mean, 8, 16) < 0.05
    assert alarms / 150 < 0.07


def test_a_winner_that_fell_behind_is_no_luck() -> None:
    """The order is turned round: the winner is the last of its leaders, behind all fresh settings."""
    truth = np.concatenate([np.linspace(1.0, 0.5, 8), np.linspace(0.1, 0.9, 8)])
    costs = truth[:, None] + 0.05 * np.random.default_rng(7).normal(size=(16, 5))
    assert chance_of_regret(costs, cross_fitted_regret(costs, 0.0).interval.mean, 8, 16) < 0.001


def test_variance_of_training_is_that_of_the_noise() -> None:
    random = np.random.default_rng(8)
    settings, repeats = random.normal(size=(30, 1)), random.normal(size=(1, 40))
    variance, freedom = variance_of_training(settings + repeats + 0.3 * random.normal(size=(30, 40)))
    assert freedom == 29 * 39
    assert variance == pytest.approx(0.09, rel=0.1)


def test_excess_by_hand() -> None:
    """Differences 1, 3, 5, 7 in two repeats; a training's variance 2 on 3 degrees of freedom."""
    old = [np.array([2.0, 4.0]), np.array([6.0, 8.0])]
    excess = excess_of_old(old, [np.ones(2), np.ones(2)], (2.0, 3))
    assert (excess.old, excess.retrained, excess.interval.mean) == (5.0, 1.0, 4.0)
    by_rows, by_training = (20 / 3) / 4, (1 + 1 / 2) * 2.0
    freedom = (by_rows + by_training) ** 2 / (by_rows**2 / 3 + by_training**2 / 3)
    reach = stats.t.ppf(0.975, freedom) * math.sqrt(by_rows + by_training)
    assert_allclose([excess.interval.low, excess.interval.high], [4 - reach, 4 + reach])


def test_an_old_model_that_is_one_training_among_others_is_seldom_called_worse() -> None:
    """Trainings differ by 0.1 and rows by 1: 95 % intervals leave out 0 on this side in 2.5 % of the cases."""
    random, alarms, parts = np.random.default_rng(5), 0, [slice(i * 100, (i + 1) * 100) for i in range(5)]
    for _ in range(500):
        hard = random.exponential(size=500)
        old = hard + 0.1 * random.normal() + random.normal(size=500)
        new = [hard[part] + 0.1 * random.normal() + random.normal(size=100) for part in parts]
        training = variance_of_training(0.1 * random.normal(size=(8, 5)) + random.normal(size=5))
        alarms += excess_of_old([old[part] for part in parts], new, training).interval.low > 0
    assert alarms / 500 == pytest.approx(0.025, abs=0.02)


def test_a_worse_model_is_found() -> None:
    random = np.random.default_rng(6)
    parts = [random.exponential(size=100) for _ in range(5)]
    excess = excess_of_old([part + 0.5 for part in parts], parts, (0.0, 4))
    assert_allclose([excess.interval.mean, excess.interval.low, excess.interval.high], 0.5)


def test_intervals_go_to_json() -> None:
    assert Interval(1.0, 0.5, 1.5).to_json() == {"mean": 1.0, "low": 0.5, "high": 1.5}
