"""How columns differ: against SciPy on the raw samples, by hand, and false alarms where nothing moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from tests.conftest import pets
from tfcourse.data.features import ArrayFeatures, CategoryColumn, NumberColumn, TableFeatures
from tfcourse.data.fit_table import fit_table
from tfcourse.data.reading.decide import decide
from tfcourse.data.training_counts import training_counts
from tfcourse.retesting.drift import (
    ColumnShift,
    adjusted_p,
    category_shift,
    class_shift,
    column_shifts,
    judged,
    moments_p,
    number_shift,
    shares_p,
)

RANDOM = np.random.default_rng(0)


def texts(*values: str) -> Any:
    return np.array(values, dtype=object)


def test_mean_shift_is_in_units_of_the_training_deviation_and_tested_as_by_welch() -> None:
    old, new = RANDOM.normal(10, 4, 300), RANDOM.normal(11, 2, 200)
    z = (new - old.mean()) / old.std(ddof=1)
    shift = number_shift(NumberColumn("a", old.mean(), old.std(ddof=1), False), new, 300)
    assert shift.mean_shift == pytest.approx(z.mean(), rel=1e-5)
    assert shift.deviation_ratio == pytest.approx(new.std() / old.std(ddof=1), rel=1e-5)
    assert moments_p(z, 300)[0] == pytest.approx(stats.ttest_ind(new, old, equal_var=False).pvalue)
    assert shift.p == pytest.approx(3 * min(moments_p(z, 300)), rel=1e-3)  # the third test is of missing values


@pytest.mark.parametrize("family", [stats.norm(), stats.t(8), stats.expon()])
def test_moments_seldom_differ_where_nothing_moved(family: Any) -> None:
    """5 % each by design; heavy tails may double it, where the F-test for deviations would be wrong in 30 %."""
    found = []
    for _ in range(400):
        old, new = family.rvs(size=(2, 400), random_state=RANDOM)
        found.append(moments_p((new - old.mean()) / old.std(), 400))
    rates = (np.array(found) < 0.05).mean(axis=0)
    assert rates[0] < 0.08
    assert rates[1] < 0.11


def test_a_wider_spread_alone_is_found() -> None:
    new = RANDOM.normal(0, 1.5, 400)
    shift = judged([number_shift(NumberColumn("a", 0.0, 1.0, False), new, 400)])[0]
    assert shift.moved
    assert shift.deviation_ratio == pytest.approx(1.5, rel=0.1)


def test_a_column_that_froze_has_moved() -> None:
    shift = judged([number_shift(NumberColumn("a", 5.0, 2.0, False), np.full(50, 5.0), 100)])[0]
    assert (shift.mean_shift, shift.deviation_ratio, shift.moved) == (0.0, 0.0, True)


def test_missing_values_are_compared_with_training() -> None:
    column = NumberColumn("a", 0.0, 1.0, True)
    values = RANDOM.normal(size=200)
    values[:80] = np.nan
    shift = number_shift(column, values, 400, {"missing": {"a": 20}})
    assert (shift.missing, shift.missing_before) == (0.4, 0.05)
    assert shift.p is not None
    assert shift.p <= 3 * stats.chi2_contingency([[20, 380], [80, 120]], correction=False).pvalue
    assert number_shift(column, values, 400).missing_before is None  # a run that did not keep its counts
    assert number_shift(NumberColumn("a", 0.0, 1.0, False), values, 400).missing_before == 0


def test_a_column_that_is_empty_now_has_no_mean() -> None:
    shift = judged([number_shift(NumberColumn("a", 0.0, 1.0, False), np.full(50, np.nan), 100)])[0]
    assert (shift.mean_shift, shift.missing, shift.moved) == (None, 1.0, True)


def test_dates_shift_by_days() -> None:
    column = NumberColumn("born", 0.0, 10.0, False, is_date=True)
    shift = number_shift(column, np.array([5.0, 15.0]), 100)
    assert (shift.kind, shift.mean_shift) == ("date", 1.0)


def test_categories_by_hand() -> None:
    """Before: 0 other, 0 missing, 50 a, 50 b; now 10 other, 10 missing, 60 a, 20 b of 100."""
    values = texts(*["z"] * 6, *["y"] * 4, *[""] * 10, *["a"] * 60, *["b"] * 20)
    column = CategoryColumn("kind", ("a", "b"))
    shift = category_shift(column, values, {"categories": {"kind": [0, 0, 50, 50]}})
    assert (shift.unseen, shift.missing, shift.examples) == (0.1, 0.1, ("z", "y"))
    assert shift.distance == pytest.approx((0.1 + 0.1 + 0.1 + 0.3) / 2)
    expected = stats.chi2_contingency([[0, 0, 50, 50], [10, 10, 60, 20]], correction=False).pvalue
    assert shift.p == pytest.approx(expected)
    assert judged([shift])[0].moved


def test_how_frequent_categories_are_is_no_category() -> None:
    column = CategoryColumn("kind", ("a",), ("b", "c"), 1, (-1.0, 0.0, 1.0, 0.5, 0.25))
    features = TableFeatures((), (column,))
    values = texts(*["a"] * 50, *["b"] * 30, *["c"] * 20)
    counts = training_counts(features, features.transform({"kind": values}), np.arange(100) % 2, ["no", "yes"])
    assert counts["categories"] == {"kind": [0, 0, 50, 50]}
    assert category_shift(column, values, counts).distance == 0


def test_without_counts_only_unseen_categories_tell() -> None:
    column = CategoryColumn("kind", ("a", "b"))
    new, old = (category_shift(column, texts(*values)) for values in ("abz", "aab"))
    assert (new.p, new.distance, old.p) == (None, None, None)
    assert [shift.moved for shift in judged([new, old])] == [True, False]


def test_many_columns_are_corrected_for() -> None:
    p_values = RANDOM.uniform(size=30).tolist()
    assert_allclose(adjusted_p(p_values), stats.false_discovery_control(p_values))
    alike = [ColumnShift(str(i), "number", 0.3, 1.0, p=p) for i, p in enumerate([0.04] + [0.5] * 29)]
    assert not any(shift.moved for shift in judged(alike))
    assert judged(alike[:1])[0].moved


def test_a_significant_but_small_difference_is_no_move() -> None:
    small, large = ColumnShift("a", "number", 0.1, 1.1, p=1e-9), ColumnShift("b", "number", 0.3, 1.0, p=1e-9)
    assert [shift.moved for shift in judged([small, large])] == [False, True]


def test_a_table_against_its_own_training_split_and_an_altered_one() -> None:
    frame = pets(600).drop(columns=["name", "legs"])
    y = (frame.pop("kind") == "dog").to_numpy(np.int64)
    raw = pa.Table.from_pandas(frame, preserve_index=False)
    decided = {name: decide(name, raw.column(name)) for name in raw.column_names}
    table = {name: each.values for name, each in decided.items()}
    features, _ = fit_table(table, np.arange(600), {name: each.reading for name, each in decided.items()})
    counts = training_counts(features, features.transform(table), y, ["cat", "dog"])
    assert counts["classes"] == {"cat": int((y == 0).sum()), "dog": int(y.sum())}
    assert counts["missing"] == {"weight": 60, "born": 0}
    shares = pd.Series(table["colour"]).value_counts()
    assert counts["categories"]["colour"] == [0, shares[""], shares["black"], shares["ginger"], shares["white"]]
    same = column_shifts(features, table, 600, counts)
    assert not any(shift.moved for shift in same)
    assert all(shift.size < 1e-4 for shift in same)
    altered = column_shifts(features, {**table, "weight": table["weight"] * 1000}, 600, counts)
    assert [shift.name for shift in altered if shift.moved] == ["weight"]
    assert altered[0].name == "weight"


def test_arrays_by_feature_and_images_as_a_whole() -> None:
    x = RANDOM.normal(size=(200, 3))
    features = ArrayFeatures.fit(x)
    moved = column_shifts(features, x + np.array([0.0, 1.0, 0.0]), 200)
    assert [shift.name for shift in moved if shift.moved] == ["feature 1"]
    images = RANDOM.uniform(size=(100, 4, 4))
    as_images = ArrayFeatures.fit(images)
    assert not column_shifts(as_images, images, 100)[0].moved
    (brighter,) = column_shifts(as_images, images + 0.5, 100)
    assert (brighter.name, brighter.moved) == ("pixels", True)
    assert brighter.mean_shift == pytest.approx(0.5 / images.std(), rel=1e-3)


def test_class_shares() -> None:
    y = np.array([0] * 30 + [1] * 60 + [2] * 10)
    shift = class_shift(y, ["a", "b", "c"], {"classes": {"a": 50, "b": 50}})
    assert shift.shares == {"a": (0.5, 0.3), "b": (0.5, 0.6), "c": (0.0, 0.1)}
    assert (shift.distance, shift.moved) == (pytest.approx(0.2), True)
    assert not class_shift(y[:90], ["a", "b"], {"classes": {"a": 300, "b": 600}}).moved
    unknown = class_shift(y, ["a", "b", "c"], None)
    assert (unknown.p, unknown.moved, unknown.shares["a"]) == (None, False, (None, 0.3))


def test_equal_counts_and_a_single_category_do_not_differ() -> None:
    assert shares_p([5, 0], [9, 0]) == 1.0
