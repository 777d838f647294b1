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
RESAMPLES = 1000
LEAST_TO_RANK = 3


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
    from scipy import stats

    repeats = costs.shape[1]
    others = costs.sum(axis=1, keepdims=True) - costs
    chosen = others.argmin(axis=0)  # the first of equals, which the old winner is
    best = costs[chosen, np.arange(repeats)]
    difference = costs[0] - best
    mean = float(difference.mean())
    error = float(np.sqrt((1 / repeats + validation_share) * difference.var(ddof=1)))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, repeats - 1)) * error
    means = costs.mean(axis=1)
    return Regret(
        Interval(round(mean, 12), mean - reach, mean + reach),
        tuple(map(int, chosen)),
        float(best.mean()),
        float(means[0] - means.min()),
    )


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
    """What the old model costs more, on rows that no training saw, than a network of its hyperparameters trained now.

    Args:
        old: the old model's mean cost.
        retrained: the mean cost of the retrained networks.
        interval: of the difference.
    """

    old: float
    retrained: float
    interval: Interval


def excess_of_old(old: Costs, retrained: Costs) -> Excess:
    """Return the excess of the old model.

    The old model is one training among others: where nothing has changed, its own luck too sets it apart from the mean
    of the retrained ones. So the variance is that over rows, s²_rows / n, plus that of one more training, (1 + 1/R) s²
    between the R retrained ones, with Student's t on Welch's (1947) degrees of freedom.

    Args:
        old: the old model's cost on each row, shape (rows,).
        retrained: that of each retrained network, shape (repeats, rows), at least 2 repeats.
    """
    from scipy import stats

    repeats, rows = retrained.shape
    difference = old - retrained.mean(axis=0)
    by_rows = float(difference.var(ddof=1)) / rows
    by_training = float(retrained.mean(axis=1).var(ddof=1)) * (1 + 1 / repeats)
    variance = by_rows + by_training
    mean, reach = float(difference.mean()), 0.0
    if variance > 0:
        freedom = variance**2 / (by_rows**2 / (rows - 1) + by_training**2 / (repeats - 1))
        reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * variance**0.5
    return Excess(float(old.mean()), float(retrained.mean()), Interval(mean, mean - reach, mean + reach))
