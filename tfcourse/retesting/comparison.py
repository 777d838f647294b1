r"""Compare settings by their costs over repeats: rank, regret, rank correlation, and the old model's excess.

A *cost* is what is better low: the log-loss, or the share of wrong labels. ``costs`` has the shape
(settings, repeats); the winner of the run is setting 0.

The best of many settings is in part the luckiest one, so its cost on the repeats that it was chosen by is too low. Here
each repeat is compared with the setting that is best *on the other repeats*. The repeats' validation rows are disjoint,
so no row takes part in both choice and comparison:

.. math:: d_r = cost_{w,r} - cost_{s(r),r}, \qquad s(r) = \arg\min_s \sum_{q \ne r} cost_{s,q}

The regret is the mean of d. On data where the winner is as good as any it is 0 on average, not above. It says what
searching with this many settings and repeats would gain, which is at most the distance to the true best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]
CONFIDENCE = 0.95
RESAMPLES, SIMULATIONS = 1000, 10_000
LEAST_TO_RANK = 3
TINY = 1e-12


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return the fields JSON-ready."""
        return asdict(self)


@dataclass(frozen=True)
class Regret:
    """What the old winner costs more than the best now.

    Args:
        interval: over the repeats.
        chosen: for each repeat, the setting that was the best on the other repeats.
        best_cost: the mean cost of those settings on the repeats that did not choose them.
        lucky: the winner's mean cost minus the lowest mean cost, which is too large.
    """

    interval: Interval
    chosen: tuple[int, ...]
    best_cost: float
    lucky: float


def cross_fitted_regret(costs: Costs, validation_share: float) -> Regret:
    """Return the regret of setting 0.

    The repeats share training rows and so are not independent; the variance of their mean is taken as
    (1/R + n_validation / n_training) s² (Nadeau & Bengio 2003), with Student's t on R − 1 degrees of freedom.

    Args:
        costs: shape (settings, repeats), at least 2 repeats.
        validation_share: n_validation / n_training.

    >>> cross_fitted_regret(np.array([[0.5, 0.6], [0.3, 0.4]]), 0.25).interval.mean
    0.2
    """
    repeats = costs.shape[1]
    others = costs.sum(axis=1, keepdims=True) - costs
    chosen = others.argmin(axis=0)  # the first of equals, which the old winner is
    best = costs[chosen, np.arange(repeats)]
    means = costs.mean(axis=1)
    return Regret(
        _interval(costs[0] - best, validation_share),
        tuple(map(int, chosen)),
        float(best.mean()),
        float(means[0] - means.min()),
    )


def regret_against(chosen: Sequence[int], costs: Costs, validation_share: float) -> Interval:
    """Return what setting 0 costs more than settings that were chosen on other data; see :func:`cross_fitted_regret`.

    Args:
        chosen: the settings; those that are named more often count for more.
        costs: shape (settings, repeats), at least 2 repeats.
        validation_share: n_validation / n_training.

    >>> regret_against([1, 1], np.array([[0.5, 0.6], [0.3, 0.4]]), 0.25).mean
    0.2
    """
    return _interval(costs[0] - costs[list(chosen)].mean(axis=0), validation_share)


def growth(now: Interval, before: Interval) -> Interval:
    """Return the difference of two independent means, from their intervals (Zou & Donner 2008).

    >>> growth(Interval(0.5, 0.2, 0.8), Interval(0.1, -0.3, 0.5))
    Interval(mean=0.4, low=-0.1, high=0.9)
    """
    below = float(np.hypot(now.mean - now.low, before.high - before.mean))
    above = float(np.hypot(now.high - now.mean, before.mean - before.low))
    mean = now.mean - before.mean
    return Interval(round(mean, 12), round(mean - below, 12), round(mean + above, 12))


def _interval(difference: Costs, validation_share: float) -> Interval:
    from scipy import stats

    repeats, mean = len(difference), float(difference.mean())
    error = float(np.sqrt((1 / repeats + validation_share) * difference.var(ddof=1)))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, repeats - 1)) * error
    return Interval(round(mean, 12), mean - reach, mean + reach)


def chance_of_regret(
    costs: Costs, regret: float, fresh: int, trials: int, variance_factor: float = 1.0, seed: int = 0
) -> float:
    """Return how probable it is that a search leaves such a regret, or more, on data that has not changed.

    A search is no perfect judge even of its own data: it has tried only some settings, and has picked the winner by one
    training and one validation part. Where nothing has changed, its trials and the fresh settings are draws from the
    same space, so each of the ``trials + fresh`` settings is as likely as any other to be among the fresh ones. So: let
    chance say which settings the search has not tried, let it pick the best of the others by their mean cost plus the
    noise of one repeat, and count how often the regret against the best of all is as large. Trials that are not among
    the leaders are taken as too bad to be picked. The noise is known from R repeats only, so what one more would show
    follows Student's t on R − 1 degrees of freedom, 1 + 1/R times as wide in variance, for each difference of settings.

    Args:
        costs: shape (settings, repeats): the leaders of the run, its winner first, then the fresh settings.
        regret: the winner's, cross-fitted: the one against the luckiest setting would be too large.
        fresh: number of fresh settings.
        trials: number of trials of the run, at least the number of leaders.
        variance_factor: the variance of the run's one repeat over that between these repeats.
        seed: of the simulation.

    >>> alike = np.array([[0.3, 0.3], [0.29, 0.29], [0.5, 0.5]])
    >>> round(chance_of_regret(alike, 0.005, fresh=1, trials=2), 1)
    0.3
    """
    random = np.random.default_rng([seed, 3])
    count, repeats = costs.shape
    means = costs.mean(axis=1)
    residuals = (costs - means[:, None]) / np.sqrt(repeats - 1)
    noise = random.normal(size=(SIMULATIONS, repeats)) @ residuals.T * (variance_factor * (1 + 1 / repeats)) ** 0.5
    noise *= np.sqrt((repeats - 1) / random.chisquare(repeats - 1, size=(SIMULATIONS, 1)))
    untried = random.hypergeometric(count, trials + fresh - count, fresh, size=SIMULATIONS)
    place = random.random((SIMULATIONS, count)).argsort(axis=1).argsort(axis=1)
    picked = np.where(place < untried[:, None], np.inf, means + noise).argmin(axis=1)
    return float((means[picked] - means.min() >= regret - TINY).mean())


def rank_of_winner(costs: Costs, seed: int = 0) -> tuple[int, int, int]:
    """Return setting 0's rank by mean cost, 1 for the best, and its 95 % interval by resampling the repeats.

    >>> rank_of_winner(np.array([[0.5, 0.6], [0.3, 0.4], [0.7, 0.8]]))
    (2, 2, 2)
    """
    random = np.random.default_rng(seed)
    repeats = costs.shape[1]
    ranks = [_rank(costs[:, random.integers(repeats, size=repeats)]) for _ in range(RESAMPLES)]
    low, high = np.quantile(ranks, _tails(), method="inverted_cdf")
    return _rank(costs), int(low), int(high)


def _rank(costs: Costs) -> int:
    means = costs.mean(axis=1)
    return 1 + int((means < means[0]).sum())


@dataclass(frozen=True)
class Correlation:
    """How alike two orders of the same settings are: Spearman's ρ and Kendall's τ, −1 to 1, with 95 % intervals."""

    settings: int
    spearman: Interval
    kendall: Interval

    def to_json(self) -> dict[str, Any]:
        """Return the fields JSON-ready."""
        return asdict(self)


def rank_correlation(old: Sequence[float], costs: Costs, seed: int = 0) -> Correlation | None:
    """Return the rank correlation of old costs, one a setting, with the mean new ones.

    The intervals come from resampling settings and repeats at once: both are samples. None where fewer than three
    settings, or only equal ones, leave nothing to rank.
    """
    before = np.asarray(old, dtype=np.float64)
    whole = _both(before, costs.mean(axis=1))
    if whole is None:
        return None
    random = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        rows = random.integers(len(before), size=len(before))
        columns = random.integers(costs.shape[1], size=costs.shape[1])
        resampled = _both(before[rows], costs[rows][:, columns].mean(axis=1))
        if resampled is not None:
            found.append(resampled)
    bounds = np.quantile(found, _tails(), axis=0) if found else np.array([[-1.0, -1.0], [1.0, 1.0]])
    intervals = [Interval(whole[k], float(bounds[0, k]), float(bounds[1, k])) for k in range(2)]
    return Correlation(len(before), *intervals)


def _both(before: Costs, now: Costs) -> tuple[float, float] | None:
    """Return Spearman's ρ and Kendall's τ, or None where there is nothing to rank."""
    from scipy import stats

    if len(before) < LEAST_TO_RANK or min(len(np.unique(before)), len(np.unique(now))) < 2:
        return None
    return float(stats.spearmanr(before, now).statistic), float(stats.kendalltau(before, now).statistic)


def _tails() -> list[float]:
    return [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]


@dataclass(frozen=True)
class Excess:
    """What the old model costs more, on held-out rows, than networks of its hyperparameters trained now.

    Args:
        old: the old model's mean cost.
        retrained: the mean cost of the retrained networks.
        interval: of the difference.
    """

    old: float
    retrained: float
    interval: Interval


def variance_of_training(costs: Costs) -> tuple[float, int]:
    """Return the variance of one training's cost, and its degrees of freedom.

    It is the residual of a two-way analysis of variance: what is left when each setting's mean and each repeat's mean
    are taken off. Whether a network does well by its weights or by the chance of its rows is not told apart, so it is
    rather too large.

    Args:
        costs: shape (settings, repeats), of settings that do about as well; at least 2 of each.

    >>> variance_of_training(np.array([[1.0, 2.0], [3.0, 6.0]]))
    (1.0, 1)
    """
    residuals = costs - costs.mean(axis=1, keepdims=True) - costs.mean(axis=0) + costs.mean()
    freedom = (costs.shape[0] - 1) * (costs.shape[1] - 1)
    return float((residuals**2).sum()) / freedom, freedom


def excess_of_old(old: Sequence[Costs], retrained: Sequence[Costs], training: tuple[float, int]) -> Excess:
    """Return the excess of the old model, from each repeat's held-out rows.

    The old model is one training among others: where nothing has changed, its own luck too sets it apart from the mean
    of the retrained ones. So the variance of the mean difference is that over n rows, s² / n, plus (1 + 1/R) times that
    of a training, with Student's t on Welch's (1947) degrees of freedom.

    Args:
        old: the old model's cost on each held-out row, one array a repeat.
        retrained: that of the repeat's retrained network on the same rows.
        training: from :func:`variance_of_training`.
    """
    from scipy import stats

    differences = [before - now for before, now in zip(old, retrained, strict=True)]
    rows, repeats = np.concatenate(differences), len(differences)
    by_rows = float(rows.var(ddof=1)) / len(rows)
    by_training = training[0] * (1 + 1 / repeats)
    variance, mean, reach = by_rows + by_training, float(rows.mean()), 0.0
    if variance > 0:
        freedom = variance**2 / (by_rows**2 / (len(rows) - 1) + by_training**2 / training[1])
        reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * variance**0.5
    costs = [float(np.concatenate(each).mean()) for each in (old, retrained)]
    return Excess(costs[0], costs[1], Interval(mean, mean - reach, mean + reach))
