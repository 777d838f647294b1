"""Which columns mislead the old model: without them it would do better.

A column can keep its mean and deviation and yet mean something else (its values shuffled, its unit or coding changed in
part, labels by another rule). Then the old model, which trusts it, does better when it does not know the column: when
its probabilities are the mean over values that the column might have had (partial dependence, Friedman 2001). For a
column that still means what it meant, and is of use, it does worse. (Of columns that never were of use, an overfitted
model can do better without some on unchanged data too.)

Columns are found one after the other, each without those before it: a model that one column has made sure of the wrong
class would do better without most others too. One typical value in place of the column would not do: where the mean
stands for one class, as in the middle of two tails, the model would be sure of that class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import (
    ArrayFeatures,
    CategoryColumn,
    Features,
    NumberColumn,
    TableFeatures,
    TextColumn,
)
from tfcourse.data.sources import X
from tfcourse.data.table import Column, rows_of, take
from tfcourse.retesting.drift import FALSE_DISCOVERIES, adjusted_p

MOST_ROWS, MOST_PREDICTIONS = 2000, 400_000
DRAWS = 8
"""Values that a column might have had, for each row."""
MOST_NAMED = 5
MOST_COLUMNS = 1000


@dataclass(frozen=True)
class Misleading:
    """A column that misleads the old model.

    Args:
        name: the column.
        gain: how much lower the model's mean cost is without it, when it is without those before it already.
        p: of no gain, adjusted for the number of columns.
    """

    name: str
    gain: float
    p: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields JSON-ready."""
        return asdict(self)


def misleading_columns(
    features: Features,
    x: X,
    predict: Callable[[X], NDArray[Any]],
    cost: Callable[[NDArray[Any], NDArray[np.int64]], NDArray[np.float64]],
    margin: float,
    seed: int = 0,
) -> list[Misleading]:
    """Return at most five columns without which the model does better by more than ``margin``, the worst first.

    Args:
        features: of the run.
        x: the new data.
        predict: gives the model's probabilities for some columns, shape (rows, classes).
        cost: gives the cost of each row from its probabilities and the row numbers.
        margin: the least gain that matters.
        seed: which rows are looked at, where there are many, and the values that a column might have had.
    """
    names = _names(features)
    if not 0 < len(names) <= MOST_COLUMNS:
        return []
    most = min(MOST_ROWS, max(100, MOST_PREDICTIONS // (DRAWS * len(names))))
    rows = np.sort(np.random.default_rng([seed, 2]).permutation(rows_of(x))[:most])

    def costs_of(part: X) -> NDArray[np.float64]:
        return cost(predict(part).reshape(DRAWS, len(rows), -1).mean(axis=0), rows)

    part = take(x, np.tile(rows, DRAWS))
    costs, left, found = costs_of(part), list(range(len(names))), list[Misleading]()
    while left and len(found) < MOST_NAMED:
        gains = [costs - costs_of(without(features, part, index, seed)) for index in left]
        judged = judged_gains([names[index] for index in left], gains, margin)
        if not judged:
            break
        found.append(max(judged, key=lambda column: column.gain))
        worst = names.index(found[-1].name)
        part = without(features, part, worst, seed)  # the same draws again
        costs = costs - gains[left.index(worst)]
        left.remove(worst)
    return found


def judged_gains(names: list[str], gains: list[NDArray[np.float64]], margin: float) -> list[Misleading]:
    """Return the columns whose mean gain over the rows is significant and above ``margin``."""
    from scipy import stats

    # A column that makes no difference on any row has no variance to test with.
    p_values = [float(stats.ttest_1samp(g, 0, alternative="greater").pvalue) if g.std() > 0 else 1.0 for g in gains]
    return [
        Misleading(name, float(gain.mean()), p)
        for name, gain, p in zip(names, gains, adjusted_p(p_values), strict=True)
        if p <= FALSE_DISCOVERIES and gain.mean() > margin
    ]


def _names(features: Features) -> list[str]:
    if isinstance(features, TableFeatures):
        return list(features.names)
    return [f"feature {index}" for index in range(features.width)] if len(features.mean) > 1 else []


def without(features: Features, x: X, index: int, seed: int) -> X:
    """Return the data with values in the column at ``index`` that it might have had, the same for the same seed."""
    random = np.random.default_rng([seed, 3, index])
    if isinstance(features, TableFeatures) and isinstance(x, dict):
        column = features.columns[index]
        return {**x, column.name: other_values(column, x[column.name], random)}
    assert isinstance(features, ArrayFeatures)
    assert isinstance(x, np.ndarray)
    changed = x.astype(np.float64)
    changed[:, index] = _as_in_training(changed[:, index], features.mean[index], features.deviation[index], random)
    return changed


def other_values(
    column: NumberColumn | CategoryColumn | TextColumn, values: Column, random: np.random.Generator
) -> Column:
    """Return values that a column might have had in training, in random order.

    The run keeps no rows. So they are the column's own values of other rows, missing ones among them: numbers moved and
    stretched to the mean and deviation of training, categories that training did not keep left out.

    >>> other_values(CategoryColumn("kind", ("a",)), np.array(["z", "a"], dtype=object), np.random.default_rng(0))
    array(['a', 'a'], dtype=object)
    """
    if isinstance(column, TextColumn):
        return random.choice(values, len(values))
    if isinstance(column, CategoryColumn):
        known = values[~column.unknown(values)]
        return random.choice(known, len(values)) if len(known) else np.full(len(values), "", dtype=object)
    numbers = _as_in_training(values, column.mean, column.deviation, random)
    if column.is_time_of_day:
        return np.mod(numbers, 1.0)
    return numbers.round() if column.is_date else numbers


def _as_in_training(
    numbers: NDArray[np.float64], mean: float, deviation: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the numbers of other rows, those present with the mean and deviation of training."""
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return np.full(len(numbers), mean)
    drawn = random.choice(numbers, len(numbers))
    return np.asarray(mean + deviation * (drawn - present.mean()) / (float(present.std()) or 1.0))
