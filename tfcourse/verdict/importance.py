r"""How much each hyperparameter decides, learned from the trials, with an interval.

A forest of extremely randomized trees learns the trials' *ranks* (a diverged trial ranks last, so no loss is too
large; where halving ended some early, all rank by the epochs that they all had) from their settings on the
hyperparameters' own scales. On trials that it has not seen, one hyperparameter's values are exchanged among those that
have it; half of what that adds to the mean squared error, as a part of the
ranks' variance, estimates the share of the variance that this hyperparameter decides, alone or together with others:
Jansen's estimator of the total Sobol index (Jansen 1999) with permutations (Breiman 2001) in place of new draws. A
forest that has seen few trials smooths, so the shares come out too low rather than too high.

The interval, 95 %, is over random cuts into seen and unseen trials, with Nadeau and Bengio's correction (2003) for
the cuts' overlap: :math:`\bar d \pm t_{0.975} \sqrt{(1/B + n_{unseen}/n_{seen})\, s^2}`. A hyperparameter matters
when its interval lies above zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.run.trials import TrialRecord
from tfcourse.space import Parameter, SearchSpace
from tfcourse.verdict.sentence import Finding, Sentence
from tfcourse.verdict.setting import comparable_costs, ended, epochs_said, free, is_scored, position
from tfcourse.words import listed

LEAST_TRIALS, MOST_TRIALS = 20, 500
CUTS, TREES, EXCHANGES, UNSEEN = 16, 40, 4, 0.3


def judge_importance(trials: Sequence[TrialRecord], space: SearchSpace, objective: str) -> Finding:
    """Say which hyperparameters decide the score, and which cannot be told from chance.

    Args:
        trials: all trials; the last :data:`MOST_TRIALS` that ended are looked at.
        space: what is searched.
        objective: ``val_loss`` or ``val_accuracy``.
    """
    looked_at = ended(trials)[-MOST_TRIALS:]
    parameters = free(space)
    until = comparable_costs(looked_at, objective)[1]
    numbers: dict[str, Any] = {
        "trials": len(looked_at), "least_trials": LEAST_TRIALS, "epochs": until, "hyperparameters": {},
    }  # fmt: skip
    if not parameters or (looked_at and not any(map(is_scored, looked_at))):
        return Finding([], numbers)
    if len(looked_at) < LEAST_TRIALS:
        text = f"Too few trials to tell which hyperparameters matter: {len(looked_at)} of {LEAST_TRIALS} needed."
        return Finding([Sentence("importance", "note", text)], numbers)
    ranks = ranks_of(looked_at, objective)
    if np.ptp(ranks) == 0:
        return Finding([Sentence("importance", "note", "All trials have the same score; nothing decides it.")], numbers)
    columns, groups = matrix(looked_at, parameters)
    found = shares(columns, groups, ranks)
    numbers["hyperparameters"] = {
        parameter.name: {"mean": mean, "low": low, "high": high, "matters": low > 0}
        for parameter, (mean, low, high) in zip(parameters, found, strict=True)
    }
    order = sorted(numbers["hyperparameters"], key=lambda name: -numbers["hyperparameters"][name]["mean"])
    mattering = [name for name in order if numbers["hyperparameters"][name]["matters"]]
    if not mattering:
        text = f"In {len(looked_at)} trials{epochs_said(until)} no hyperparameter's influence can be told from chance."
        return Finding([Sentence("importance", "note", text)], numbers)
    deciding = listed([_words(name, numbers) for name in mattering])
    text = f"What decides a trial's rank, as far as {len(looked_at)} trials{epochs_said(until)} tell: {deciding}."
    rest = [name for name in order if name not in mattering]
    if rest:
        text += f" Not to be told from chance: {listed(rest)}."
    return Finding([Sentence("importance", "note", text)], numbers)


def _words(name: str, numbers: dict[str, Any]) -> str:
    share = numbers["hyperparameters"][name]
    return f"{name} ({share['mean']:.0%} of the variance, {share['low']:.0%} to {min(1.0, share['high']):.0%})"


def ranks_of(trials: Sequence[TrialRecord], objective: str) -> NDArray[np.float64]:
    """Return the trials' ranks, 1 the best; equal scores share one, and diverged trials share the last ones."""
    from scipy.stats import rankdata

    costs, _ = comparable_costs(trials, objective)
    return np.asarray(rankdata([costs.get(trial.number, np.inf) for trial in trials]), float)


def matrix(
    trials: Sequence[TrialRecord], parameters: Sequence[Parameter]
) -> tuple[NDArray[np.float64], list[tuple[list[int], NDArray[np.bool_]]]]:
    """Return the settings as columns, and for each parameter its columns and the trials that have it.

    A number is one column, on its scale; choices of words are one 0/1 column each. Where a parameter is not active its
    column holds the middle of the scale.
    """
    columns: list[NDArray[np.float64]] = []
    groups: list[tuple[list[int], NDArray[np.bool_]]] = []
    for parameter in parameters:
        places = [position(parameter, trial) for trial in trials]
        has = np.array([place is not None for place in places])
        first = len(columns)
        if parameter.scale == "choice" and isinstance(parameter.values[0], str):
            columns += [np.array([float(t.values.get(parameter.name) == v) for t in trials]) for v in parameter.values]
        else:
            columns.append(np.array([0.5 if place is None else place for place in places]))
        groups.append((list(range(first, len(columns))), has))
    return np.column_stack(columns), groups


def shares(
    columns: NDArray[np.float64], groups: Sequence[tuple[list[int], NDArray[np.bool_]]], ranks: NDArray[np.float64]
) -> list[tuple[float, float, float]]:
    """Return for each group of columns the share of the ranks' variance that it decides, with its interval.

    Args:
        columns: shape (trials, columns).
        groups: the columns that are exchanged together, and the trials among which they are.
        ranks: shape (trials,).
    """
    from scipy.stats import t
    from sklearn.ensemble import ExtraTreesRegressor

    y = (ranks - ranks.mean()) / ranks.std()
    unseen = max(3, round(UNSEEN * len(y)))
    random = np.random.default_rng(0)
    added = np.empty((CUTS, len(groups)))
    for cut in range(CUTS):
        order = random.permutation(len(y))
        test, train = order[:unseen], order[unseen:]
        forest = ExtraTreesRegressor(TREES, min_samples_leaf=2, max_features=0.7, random_state=cut)
        forest.fit(columns[train], y[train])
        blocks = [columns[test]]
        for places, has in groups:
            blocks += [_exchanged(columns[test], places, has[test], random) for _ in range(EXCHANGES)]
        errors = ((forest.predict(np.concatenate(blocks)).reshape(len(blocks), unseen) - y[test]) ** 2).mean(axis=1)
        added[cut] = (errors[1:].reshape(len(groups), EXCHANGES).mean(axis=1) - errors[0]) / 2
    means = added.mean(axis=0)
    corrected = np.sqrt((1 / CUTS + unseen / (len(y) - unseen)) * added.var(axis=0, ddof=1))
    margins = float(t.ppf(0.975, CUTS - 1)) * corrected
    return [(float(m), float(m - margin), float(m + margin)) for m, margin in zip(means, margins, strict=True)]


def _exchanged(
    rows: NDArray[np.float64], places: list[int], has: NDArray[np.bool_], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the rows with the values of some columns exchanged among the rows that have them."""
    exchanged = rows.copy()
    own = np.flatnonzero(has)
    exchanged[own[:, None], places] = rows[random.permutation(own)[:, None], places]
    return exchanged
