"""How the new data differ from what the run kept of its training split, column by column.

The old rows may be gone: what ``run.json`` keeps is each number's μ and σ, each category's values, and counts. A column
has *moved* when a test says so, corrected for the number of columns (Benjamini & Hochberg 1995), and when the
difference is also large enough to matter: with many rows every difference is significant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
from tfcourse.data.table import Column, is_missing

FALSE_DISCOVERIES = 0.05
SMALL_SHIFT = 0.2
"""Cohen's (1988) small effect, in units of the training σ."""
SMALL_RATIO = 1.25
SMALL_SHARE = 0.05
MOST_EXAMPLES = 3


@dataclass(frozen=True)
class ColumnShift:
    """How one column differs.

    Args:
        name: the column.
        kind: ``number``, ``date``, ``category`` or ``pixels``.
        mean_shift: (new mean − μ) / σ.
        deviation_ratio: new standard deviation / σ.
        missing: share of missing values now.
        missing_before: in training; None if the run does not say.
        unseen: share of values now that training did not keep.
        examples: the most frequent of those.
        distance: total variation distance between the categories' shares, 0 to 1.
        p: the smallest p-value of the column's tests, times their number; None if nothing could be tested.
        moved: whether the difference is significant and large enough.
    """

    name: str
    kind: str
    mean_shift: float | None = None
    deviation_ratio: float | None = None
    missing: float = 0.0
    missing_before: float | None = None
    unseen: float = 0.0
    examples: tuple[str, ...] = ()
    distance: float | None = None
    p: float | None = None
    moved: bool = False

    @property
    def size(self) -> float:
        """How large the difference is: the largest of its parts, each over what counts as small."""
        ratio = self.deviation_ratio
        spread = 0.0 if ratio is None else abs(float(np.log(max(ratio, 1e-9)))) / float(np.log(SMALL_RATIO))
        missing = 0.0 if self.missing_before is None else abs(self.missing - self.missing_before) / SMALL_SHARE
        shares = (self.unseen if self.distance is None else self.distance) / SMALL_SHARE
        return max(abs(self.mean_shift or 0.0) / SMALL_SHIFT, spread, missing, shares)

    def to_json(self) -> dict[str, Any]:
        """Return the fields JSON-ready."""
        return {**asdict(self), "examples": list(self.examples)}


def column_shifts(
    features: Features, x: X, rows_before: int, counts: Mapping[str, Any] | None = None
) -> list[ColumnShift]:
    """Return how each column that the run uses differs, the largest difference first.

    Args:
        features: of the run.
        x: the new data.
        rows_before: rows of the run's training split.
        counts: what :func:`~tfcourse.data.training_counts.training_counts` gave; None for runs that do not keep it.
    """
    if isinstance(features, TableFeatures) and isinstance(x, dict):
        shifts = [number_shift(column, x[column.name], rows_before, counts) for column in features.numbers]
        shifts += [category_shift(column, x[column.name], counts) for column in features.categories]
        shifts += [text_shift(column, x[column.name]) for column in features.texts]
    else:
        assert isinstance(features, ArrayFeatures)
        assert isinstance(x, np.ndarray)
        shifts = array_shifts(features, x, rows_before)
    return sorted(judged(shifts), key=lambda shift: (not shift.moved, -shift.size))


def number_shift(
    column: NumberColumn, values: Column, rows_before: int, counts: Mapping[str, Any] | None = None
) -> ColumnShift:
    """Return how a column of numbers or dates differs, tested by its mean, its deviation and its missing values."""
    z = (values - column.mean) / column.deviation
    present = z[~np.isnan(z)]
    absent = len(z) - len(present)
    missing_before = 0 if not column.has_missing else counts["missing"].get(column.name) if counts else None
    shift = ColumnShift(
        column.name,
        "date" if column.is_date else "number",
        missing=absent / len(z),
        missing_before=None if missing_before is None else missing_before / rows_before,
    )
    p_values = []
    if missing_before is not None:
        p_values.append(shares_p([missing_before, rows_before - missing_before], [absent, len(present)]))
    if len(present) > 1:
        shift = replace(shift, mean_shift=float(present.mean()), deviation_ratio=float(present.std()))
        p_values += moments_p(present, rows_before - (missing_before or 0))
    return replace(shift, p=min(1.0, min(p_values) * len(p_values)) if p_values else None)


def moments_p(z: NDArray[np.float64], rows_before: int) -> list[float]:
    """Return the p-values of another mean than 0 and of another deviation than 1.

    The mean by Welch's test. The deviation by log s, whose variance is (κ − 1) / 4n with the kurtosis κ: the usual
    F-test would take heavy tails for a change.

    Args:
        z: new values in units of the training split: (x − μ) / σ.
        rows_before: values of the training split.
    """
    from scipy import stats

    deviation = float(z.std(ddof=1))
    if deviation == 0:
        return [0.0 if rows_before > 1 else 1.0]
    mean = stats.ttest_ind_from_stats(float(z.mean()), deviation, len(z), 0.0, 1.0, rows_before, equal_var=False)
    kurtosis = float((((z - z.mean()) / z.std()) ** 4).mean())
    error = max((kurtosis - 1) / 4, 1e-9) ** 0.5 * (1 / len(z) + 1 / rows_before) ** 0.5
    return [float(mean.pvalue), float(2 * stats.norm.sf(abs(np.log(deviation)) / error))]


def category_shift(column: CategoryColumn, values: Column, counts: Mapping[str, Any] | None = None) -> ColumnShift:
    """Return how a category differs, tested by the rows of each of its values if the run kept their numbers."""
    now = column.one_hot(values)[:, : column.ones].sum(axis=0, dtype=np.float64)
    unseen = values[column.unknown(values)].tolist()
    examples = tuple(text for text, _ in Counter(unseen).most_common(MOST_EXAMPLES))
    shift = ColumnShift(
        column.name, "category", missing=now[1] / len(values), unseen=now[0] / len(values), examples=examples
    )
    before = (counts or {}).get("categories", {}).get(column.name)
    if before is None:
        return shift
    return replace(
        shift,
        missing_before=before[1] / sum(before),
        distance=total_variation(before, now),
        p=shares_p(before, now),
    )


def text_shift(column: TextColumn, values: Column) -> ColumnShift:
    """Return how many texts of several words are missing, and how many hold none of the words that training kept."""
    none = (column.bag(values).sum(axis=1) == 0) & ~is_missing(values)
    return ColumnShift(column.name, "text", missing=float(is_missing(values).mean()), unseen=float(none.mean()))


def array_shifts(features: ArrayFeatures, x: NDArray[Any], rows_before: int) -> list[ColumnShift]:
    """Return how each feature of an array differs, or the pixels of images as one."""
    z = features.transform(x).astype(np.float64)
    if len(features.mean) == 1:
        from scipy import stats

        brightness = z.mean(axis=1)
        error = float(brightness.std()) * (1 / len(z) + 1 / rows_before) ** 0.5
        p = float(2 * stats.norm.sf(abs(float(brightness.mean())) / error)) if error > 0 else None
        return [ColumnShift("pixels", "pixels", float(z.mean()), float(z.std()), p=p)]
    shifts = []
    for index, values in enumerate(z.T):
        p_values = moments_p(values, rows_before)
        p = min(1.0, min(p_values) * len(p_values))
        shifts.append(ColumnShift(f"feature {index}", "number", float(values.mean()), float(values.std()), p=p))
    return shifts


def judged(shifts: Sequence[ColumnShift]) -> list[ColumnShift]:
    """Return the shifts with ``moved`` set, at a false discovery rate of 5 % over the columns that could be tested."""
    adjusted = adjusted_p([shift.p for shift in shifts])
    return [
        replace(shift, moved=shift.size >= 1 and (shift.p is None or p <= FALSE_DISCOVERIES))
        for shift, p in zip(shifts, adjusted, strict=True)
    ]


def adjusted_p(p_values: Sequence[float | None]) -> list[float]:
    """Return p-values adjusted after Benjamini & Hochberg; 1 where there is none.

    >>> adjusted_p([0.01, None, 0.02, 0.5])
    [0.03, 1.0, 0.03, 0.5]
    """
    from scipy import stats

    known = [p for p in p_values if p is not None]
    adjusted: Iterator[float] = iter(stats.false_discovery_control(known) if known else [])
    return [1.0 if p is None else float(next(adjusted)) for p in p_values]


def shares_p(before: Sequence[float], now: Sequence[float] | NDArray[Any]) -> float:
    """Return the p-value of Pearson's χ² test that two rows of counts have the same shares.

    >>> shares_p([50, 50], [50, 50])
    1.0
    """
    from scipy import stats

    table = np.array([before, now], dtype=np.float64)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def total_variation(before: Sequence[float] | NDArray[Any], now: Sequence[float] | NDArray[Any]) -> float:
    """Return half the sum of the differences between two rows of shares, 0 to 1.

    >>> total_variation([1, 1], [3, 1])
    0.25
    """
    p, q = np.asarray(before, np.float64), np.asarray(now, np.float64)
    return float(np.abs(p / p.sum() - q / q.sum()).sum() / 2)


@dataclass(frozen=True)
class ClassShift:
    """The classes' shares: name → (in training, now); the first is None if the run did not keep it."""

    shares: dict[str, tuple[float | None, float]]
    distance: float | None
    p: float | None

    @property
    def moved(self) -> bool:
        """Whether the difference is significant and large enough."""
        return self.p is not None and self.p <= FALSE_DISCOVERIES and (self.distance or 0.0) >= SMALL_SHARE

    def to_json(self) -> dict[str, Any]:
        """Return the fields JSON-ready."""
        shares = {name: {"training": before, "now": now} for name, (before, now) in self.shares.items()}
        return {"shares": shares, "distance": self.distance, "p": self.p, "moved": self.moved}


def class_shift(y: NDArray[np.int64], classes: Sequence[str], counts: Mapping[str, Any] | None) -> ClassShift:
    """Return how the classes' shares differ."""
    now = np.bincount(y, minlength=len(classes))
    if not counts:
        return ClassShift({name: (None, float(n / len(y))) for name, n in zip(classes, now, strict=True)}, None, None)
    before = np.array([counts["classes"].get(name, 0) for name in classes], dtype=np.float64)
    shares: dict[str, tuple[float | None, float]] = {
        name: (float(b / before.sum()), float(n / len(y))) for name, b, n in zip(classes, before, now, strict=True)
    }
    return ClassShift(shares, total_variation(before, now), shares_p(before.tolist(), now))
