r"""Which settings together are good on all tables, and what they are worth on a table that did not choose them.

A setting's regret on a split is the part of what can be learned there that it does not learn,
:math:`(\min(l, l_{prior}) - l_{best}) / (l_{prior} - l_{best})`: 0 for the best setting, 1 for one that diverged or is
no better than the shares of the classes. Losses themselves would let the hard tables decide, ranks the easy ones, where
all settings are alike. The validation parts choose; the test parts only judge what was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RANDOM_SETS = 400


@dataclass(frozen=True)
class Losses:
    """What all settings reach on all splits.

    Args:
        tables: the table of each split.
        validation: the best epoch's loss, shape (splits, settings), infinite where a setting diverged.
        test: the test log-loss there.
        prior: of the classes' shares, on validation and test, shape (splits, 2).
    """

    tables: tuple[str, ...]
    validation: Floats
    test: Floats
    prior: Floats

    @classmethod
    def of(cls, measured: Mapping[tuple[str, int], Mapping[str, Any]], settings: int) -> Losses:
        """Return the losses of the first ``settings`` settings that were measured."""
        each = [found for found in measured.values() if len(found["test"]) >= settings]
        return cls(
            tuple(found["table"] for found in each),
            np.array([[min(curve, default=np.inf) for curve in found["curves"][:settings]] for found in each]),
            np.array([found["test"][:settings] for found in each]),
            np.array([found["prior"] for found in each]),
        )

    @property
    def regret(self) -> Floats:
        """The regret of each setting on validation, shape (splits, settings); test rows are for judging the choice."""
        prior = self.prior[:, :1]
        loss = np.minimum(self.validation, prior)
        best = loss.min(axis=1, keepdims=True)
        return np.asarray((loss - best) / (prior - best))

    @property
    def weights(self) -> Floats:
        """How much each split counts: tables count alike."""
        return np.array([1 / self.tables.count(table) for table in self.tables])

    def left(self, split: int, chosen: NDArray[np.int64]) -> Floats:
        """Return what a search of some settings leaves of the prior's test log-loss: of the best on validation.

        Args:
            split: which.
            chosen: the settings, shape (..., settings).
        """
        best = np.take_along_axis(chosen, self.validation[split][chosen].argmin(axis=-1)[..., None], axis=-1)[..., 0]
        return np.asarray(np.minimum(self.test[split][best] / self.prior[split, 1], 1.0))


def greedy(regret: Floats, weights: Floats, count: int) -> list[int]:
    """Return settings, each one that lowers the mean regret of the best chosen most, the first one alone the best.

    >>> greedy(np.array([[0.0, 0.5, 0.1], [1.0, 0.2, 0.3]]), np.ones(2), 3)
    [2, 0, 1]
    """
    chosen: list[int] = []
    so_far = np.ones(len(regret))
    for _ in range(count):
        means = weights @ np.minimum(so_far[:, None], regret)
        means[chosen] = np.inf
        chosen.append(int(means.argmin()))
        so_far = np.minimum(so_far, regret[:, chosen[-1]])
    return chosen


def chosen_without(losses: Losses, table: str, count: int) -> list[int]:
    """Return the settings that all tables but one choose."""
    others = np.array([other != table for other in losses.tables])
    return greedy(losses.regret[others], losses.weights[others], count)


@dataclass(frozen=True)
class Worth:
    """What a way of searching leaves of the prior's test log-loss on each table, beside as many random draws."""

    tables: tuple[str, ...]
    ours: Floats
    random: Floats
    beats: Floats

    @property
    def gain(self) -> Floats:
        """By how much less ours leaves, a table each."""
        return self.random - self.ours


def left_out(losses: Losses, count: int, trials: int, seed: int = 0) -> Worth:
    """Return what ``count`` settings that the other tables choose, and random draws up to ``trials``, are worth.

    ``beats`` is the share of sets of random draws that ours is better than, ties counting half.
    """
    random = np.random.default_rng(seed)
    settings = losses.test.shape[1]
    found: dict[str, list[tuple[float, float, float]]] = {}
    for split, table in enumerate(losses.tables):
        portfolio = chosen_without(losses, table, count)
        rest = np.setdiff1d(np.arange(settings), portfolio)
        added = [[*portfolio, *random.permutation(rest)[: trials - count]] for _ in range(RANDOM_SETS)]
        drawn = [random.permutation(settings)[:trials] for _ in range(RANDOM_SETS)]
        ours, theirs = losses.left(split, np.array(added)), losses.left(split, np.array(drawn))
        wins = (ours < theirs).mean() + (ours == theirs).mean() / 2
        found.setdefault(table, []).append((float(ours.mean()), float(theirs.mean()), float(wins)))
    means = np.array([np.mean(each, axis=0) for each in found.values()])
    return Worth(tuple(found), means[:, 0], means[:, 1], means[:, 2])


def interval(values: Floats, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of a mean over tables, by the bootstrap."""
    random = np.random.default_rng(seed)
    means = values[random.integers(len(values), size=(4000, len(values)))].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def rows_of(losses: Losses, sizes: Sequence[int], trials: Sequence[int]) -> list[tuple[str, Worth]]:
    """Return what portfolios of several sizes are worth, alone and as the first of so many trials."""
    pairs = [*((size, size) for size in sizes), *((size, most) for most in trials for size in sizes if size < most)]
    return [(f"{size} of {most}", left_out(losses, size, most)) for size, most in pairs]
