"""Which columns mislead the old model: without their values it would do better.

A column can keep its mean and deviation and yet mean something else (its values shuffled, its unit or coding changed in
part, labels by another rule). Then the old model, which trusts it, does better when each value is replaced by a neutral
one: the training mean of a number, the most frequent known value of a category. For a column that still means what it
meant, it does worse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import ArrayFeatures, CategoryColumn, Features, NumberColumn, TableFeatures
from tfcourse.data.sources import X
from tfcourse.data.table import Column, as_text, is_missing, rows_of, take
from tfcourse.retesting.drift import FALSE_DISCOVERIES, adjusted_p

MOST_ROWS, MOST_PREDICTIONS = 2000, 200_000
MOST_COLUMNS = 1000


@dataclass(frozen=True)
class Misleading:
    """A column that misleads the old model.

    Args:
        name: the column.
        gain: how much lower the model's mean cost is with a neutral value in its place.
        p: of no gain, adjusted for the number of columns.
    """

    name: str
    gain: float
    p: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields JSON-ready."""
        return asdict(self)


def misleading_columns(
    features: Features, x: X, cost: Callable[[X, NDArray[np.int64]], NDArray[np.float64]], margin: float, seed: int = 0
) -> list[Misleading]:
    """Return the columns without which the model does better by more than ``margin``, the worst first.

    Args:
        features: of the run.
        x: the new data.
        cost: gives the model's cost on each of some rows, from their columns and their row numbers.
        margin: the least gain that matters.
        seed: which rows are looked at, where there are many.
    """
    names = _names(features)
    if not 0 < len(names) <= MOST_COLUMNS:
        return []
    most = min(MOST_ROWS, max(100, MOST_PREDICTIONS // len(names)))
    rows = np.sort(np.random.default_rng([seed, 2]).permutation(rows_of(x))[:most])
    part = take(x, rows)
    whole = cost(part, rows)
    gains = [whole - cost(changed, rows) for changed in _each_neutral(features, part)]
    return sorted(judged_gains(names, gains, margin), key=lambda column: -column.gain)


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


def _each_neutral(features: Features, x: X) -> Any:
    """Give the data once a column, with neutral values in that column."""
    if isinstance(features, TableFeatures) and isinstance(x, dict):
        for column in features.columns:
            yield {**x, column.name: neutral(column, x[column.name])}
        return
    assert isinstance(features, ArrayFeatures)
    assert isinstance(x, np.ndarray)
    for index, mean in enumerate(features.mean):
        changed = x.astype(np.float64)
        changed[:, index] = mean
        yield changed


def neutral(column: NumberColumn | CategoryColumn, values: Column) -> Column:
    """Return a column of neutral values.

    >>> neutral(CategoryColumn("kind", ("a", "b")), np.array(["b", "b", "a", "z"], dtype=object)).tolist()
    ['b', 'b', 'b', 'b']
    """
    if isinstance(column, CategoryColumn):
        known = Counter(text for text in as_text(values)[~is_missing(values)].tolist() if text in column.values)
        value = known.most_common(1)[0][0] if known else ""
        return np.array([value] * len(values), dtype=object)
    if column.date_format:
        import pandas as pd

        moment = pd.Timestamp("1970-01-01") + pd.Timedelta(days=round(column.mean))
        return np.array([moment.strftime(column.date_format)] * len(values), dtype=object)
    return np.full(len(values), column.mean)
