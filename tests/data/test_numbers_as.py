"""Numbers scaled robustly and put into bins are those of the papers' formulas, whatever the column."""

from __future__ import annotations

import itertools
import json
import warnings

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.preprocessing import RobustScaler

from tfcourse.data.columns import NumberColumn
from tfcourse.data.features import TableFeatures, features_from_json
from tfcourse.data.numbers_as import (
    LEAST_ROWS_PER_BIN,
    MOST_BIN_COLUMNS,
    MOST_BINS,
    QUANTILE_BINS,
    WAYS,
    NumbersAs,
    bin_edges,
    numbers_as,
    robust_scale,
    way_of,
)
from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.errors import UserError

ROWS = 200
RANDOM = np.random.default_rng(0)
TABLE = {
    "plain": RANDOM.normal(5, 2, ROWS),
    "heavy": RANDOM.standard_cauchy(ROWS) * 1e3,
    "mostly zero": np.where(RANDOM.random(ROWS) < 0.8, 0.0, RANDOM.gamma(2, 3, ROWS)),
    "missing": np.where(RANDOM.random(ROWS) < 0.3, np.nan, RANDOM.normal(size=ROWS)),
    "two values": RANDOM.integers(0, 2, ROWS).astype(float),
    "day": np.arange(ROWS) + 0.0,
}
FEATURES = TableFeatures(
    tuple(
        NumberColumn(name, float(np.nanmean(x)), float(np.nanstd(x)), bool(np.isnan(x).any()), name == "day")
        for name, x in TABLE.items()
    ),
    (),
)
TRAIN = np.arange(0, ROWS, 2)


def column_of(way: NumbersAs, name: str) -> NumberColumn:
    return next(each for each in numbers_as(FEATURES, TABLE, TRAIN, way).numbers if each.name == name)


def bounded(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the numbers as RealMLP scales them (Holzmüller et al. 2024, appendix A)."""
    low, center, high = np.nanpercentile(train, [25, 50, 75])
    z = (x - center) / (high - low) if high > low else 2 * (x - center) / (np.nanmax(train) - np.nanmin(train))
    return np.asarray(z / np.sqrt(1 + (z / 3) ** 2))


@pytest.mark.parametrize("name", ["plain", "heavy", "mostly zero", "missing", "two values"])
def test_robust_numbers_are_those_of_the_formula(name: str) -> None:
    expected = bounded(TABLE[name], TABLE[name][TRAIN])
    found = column_of("robust", name).scaled(TABLE[name])
    np.testing.assert_allclose(found, np.nan_to_num(expected), rtol=1e-12)
    assert np.abs(found).max() < 3


def test_quartiles_are_those_of_scikit_learn() -> None:
    x = TABLE["heavy"]
    scaler = RobustScaler().fit(x[:, None])
    assert robust_scale(x) == pytest.approx((scaler.center_[0], scaler.scale_[0]))


@pytest.mark.parametrize(
    ("values", "scale"),
    [([7.0] * 5, (7.0, 1.0)), ([0.0] * 9 + [1e308], (0.0, 5e307)), ([0.0] * 9 + [-1e308, 1e308], (0.0, 1e308))],
    ids=["one value", "one far", "a range that overflows"],
)
def test_numbers_without_a_spread_have_a_scale(values: list[float], scale: tuple[float, float]) -> None:
    assert robust_scale(np.array(values)) == scale


def test_numbers_far_off_reach_the_bound_and_no_further() -> None:
    column = NumberColumn("n", 0.0, 1.0, False, robust=(0.0, 1e-300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the overflow
        assert column.scaled(np.array([-1e300, -1.0, 0.0, 1e-290, 1e300])).tolist() == [-3, -3, 0, 3, 3]


def through(x: float, edges: list[float]) -> list[float]:
    """Return the encoding as the paper writes it (Gorishniy et al. 2022, equation 1), bin by bin."""
    found = []
    for left, right in itertools.pairwise(edges):
        found.append(0.0 if x < left else 1.0 if x >= right else (x - left) / (right - left))
    return found


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=8, unique=True),
    st.lists(st.floats(-2e6, 2e6), min_size=1, max_size=9),
)
@example([0.0, 4.0, 2.2250738585072014e-308], [0.0])  # a bin that is hardly wider than nothing
def test_places_in_bins_are_those_of_the_formula(edges: list[float], values: list[float]) -> None:
    edges = sorted(edges)
    column = NumberColumn("n", 0.0, 1.0, False, edges=tuple(edges))
    expected = [through(x, edges) for x in [*values, *edges]]
    np.testing.assert_allclose(column.through_bins(np.array([*values, *edges])), expected, rtol=1e-12, atol=1e-12)


def test_missing_values_are_the_mean_in_every_bin() -> None:
    column = column_of("encoded", "missing")
    assert column.bins > 2
    found = column.through_bins(np.array([np.nan, column.mean]))
    assert found[0].tolist() == found[1].tolist()


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_bins_hold_so_many_values_and_are_few(seed: int, different: int) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(0, different, int(random.integers(1, 600))).astype(float)
    edges = bin_edges(values)
    distinct, counts = np.unique(values, return_counts=True)
    frequent = set(distinct[counts >= LEAST_ROWS_PER_BIN].tolist())
    if not edges:
        assert len(frequent | {values.min(), values.max()}) < 3
        return
    assert (np.diff(edges) > 0).all()
    assert 2 <= len(edges) - 1 <= MOST_BINS
    assert frequent <= set(edges)
    quantiles = len(set(edges) - frequent)
    assert quantiles <= 1 + max(1, min(QUANTILE_BINS, len(values) // LEAST_ROWS_PER_BIN))
    assert (edges[0], edges[-1]) == (values.min(), values.max())


def test_the_most_frequent_values_bound_bins_where_there_are_too_many() -> None:
    values = np.repeat(np.arange(200.0), np.concatenate([np.full(100, 20), np.full(100, 40)]))
    edges = bin_edges(values, 64)
    assert len(edges) == 65
    assert {*bin_edges(values, QUANTILE_BINS), *range(100, 140)} <= set(edges)
    assert len(bin_edges(values)) == MOST_BINS + 1


def test_what_frequent_values_mean_need_not_be_in_order() -> None:
    """A linear function of the columns of bins fits any outcome a value (as of capital gains), quantiles alone none."""
    random = np.random.default_rng(0)
    values = np.repeat(np.concatenate([[0.0], 5000 + np.arange(40.0) ** 2]), [2000, *[20] * 40])
    outcome = dict(zip(np.unique(values).tolist(), random.normal(size=41), strict=True))
    y = np.array([outcome[value] for value in values.tolist()])
    left = []
    for edges in (bin_edges(values, QUANTILE_BINS), bin_edges(values)):
        x = NumberColumn("gain", 0.0, 1.0, False, edges=edges).through_bins(values)
        x = np.column_stack([np.ones(len(x)), x])
        left.append(float(np.abs(x @ np.linalg.lstsq(x, y, rcond=None)[0] - y).max()))
    assert left[0] > 0.1 > 1e-9 > left[1]


def test_edges_are_quantiles() -> None:
    expected = np.percentile(TABLE["plain"], [0, 25, 50, 75, 100])
    assert bin_edges(TABLE["plain"], 4) == pytest.approx(expected)
    assert column_of("encoded", "plain").edges == bin_edges(TABLE["plain"][TRAIN])
    assert column_of("encoded", "two values").edges == ()


def test_a_frequent_value_counts_as_one_bins_worth_of_rows() -> None:
    others = np.arange(1.0, 111.0)
    counted = np.concatenate([np.zeros(40), others])  # 200 rows in five bins
    expected = np.percentile(counted, [0, 20, 40, 60, 80, 100])
    assert expected[1] == 0
    assert bin_edges(np.concatenate([np.zeros(90), others]), 5) == pytest.approx(np.unique(expected))
    assert bin_edges(np.concatenate([np.zeros(990), others[:10]])) == ()


def test_very_many_numbers_have_fewer_bins_together() -> None:
    wide = {f"c{number}": RANDOM.normal(size=400) for number in range(150)}
    features = TableFeatures(tuple(NumberColumn(name, 0.0, 1.0, False) for name in wide), ())
    encoded = numbers_as(features, wide, np.arange(400), "encoded")
    assert 150 < encoded.width - features.width <= MOST_BIN_COLUMNS


@pytest.mark.parametrize("way", WAYS)
def test_the_matrix_begins_as_the_columns_stand_and_ends_with_the_bins(way: NumbersAs) -> None:
    features = numbers_as(FEATURES, TABLE, TRAIN, way)
    assert way_of(features.numbers) == way
    matrix = features.transform(TABLE)
    assert matrix.shape == (ROWS, features.width)
    first = np.stack([number.scaled(TABLE[number.name]) for number in features.numbers], axis=1)
    np.testing.assert_array_equal(matrix[:, : len(TABLE)], first.astype(np.float32))
    bins = np.concatenate([number.through_bins(TABLE[number.name]) for number in features.numbers if number.bins] or
                          [np.zeros((ROWS, 0))], axis=1)  # fmt: skip
    np.testing.assert_array_equal(matrix[:, len(TABLE) + 1 :], bins.astype(np.float32))
    date = features.numbers[-1]
    assert (date.robust, date.edges) == (None, ())
    again = features_from_json(json.loads(json.dumps(features.to_json())))
    assert again == features


def test_a_column_of_an_earlier_version_is_standardized_and_written_as_it_was() -> None:
    given = {"name": "n", "mean": 1.0, "deviation": 2.0, "has_missing": False, "is_date": False, "cycles": []}
    column = NumberColumn.from_json(given)
    assert column.scaled(np.array([5.0])).tolist() == [2.0]
    assert column.to_json() == given


def test_bins_that_do_not_rise_are_refused() -> None:
    written = column_of("encoded", "plain").to_json()
    with pytest.raises(ValueError, match="the bins of column 'plain' do not rise"):
        NumberColumn.from_json({**written, "edges": written["edges"][::-1]})


def test_arrays_are_standardized_and_nothing_else() -> None:
    with pytest.raises(UserError, match="--numbers robust is for tables; arrays are standardized"):
        prepare(DataOptions("digits", numbers="robust"))
    assert prepare(DataOptions("digits", numbers="auto")).features == prepare(DataOptions("digits")).features
