"""Splits: every row in one part, equal rows together, every class everywhere, shares as asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tfcourse.data.groups import equal_rows
from tfcourse.data.split import Split, split_stratified, split_time
from tfcourse.errors import UserError


@st.composite
def grouped_labels(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Groups and labels of rows in random order; each class has at least 3 groups, of one label each."""
    groups_of_class = draw(st.lists(st.integers(3, 40), min_size=2, max_size=4))
    group_class = np.repeat(np.arange(len(groups_of_class)), groups_of_class)
    sizes = draw(st.lists(st.integers(1, 4), min_size=len(group_class), max_size=len(group_class)))
    rows = np.random.default_rng(draw(st.integers(0, 99))).permutation(np.repeat(np.arange(len(sizes)), sizes))
    groups, names = pd.factorize(rows)
    return groups, group_class[names][groups]


@given(grouped_labels(), st.integers(0, 1000), st.sampled_from([0.0, 0.2, 0.3]), st.sampled_from([0.2, 0.25]))
def test_what_every_stratified_split_keeps(
    data: tuple[np.ndarray, np.ndarray], seed: int, test: float, validation: float
) -> None:
    groups, y = data
    classes = [str(number) for number in range(y.max() + 1)]
    split = split_stratified(groups, y, classes, seed=seed, test=test, validation=validation)
    parts = [split.train, split.validation, split.test]
    assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    assert sum(len(set(groups[part])) for part in parts) == len(set(groups))
    for number in range(len(classes)):
        total = len(set(groups[y == number]))
        counts = [len(set(groups[part][y[part] == number])) for part in parts]
        assert counts[1] == max(1, round(validation * total))
        assert counts[2] == (max(1, round(test * total)) if test else 0)
        assert counts[0] >= 1


def test_a_seed_is_a_split() -> None:
    groups, y = np.arange(300), np.arange(300) % 3

    def split(seed: int) -> Split:
        return split_stratified(groups, y, "abc", seed=seed, test=0.2, validation=0.2)

    assert_array_equal(split(0).test, split(0).test)
    assert len(np.intersect1d(split(0).test, split(1).test)) < 30  # 60 rows each; 12 are expected in both


def test_every_row_is_as_likely_in_the_test_part() -> None:
    groups, y = np.arange(10), np.zeros(10, np.int64)
    counts = np.zeros(10)
    for seed in range(1000):
        counts[split_stratified(groups, y, "a", seed=seed, test=0.2, validation=0.2).test] += 1
    assert np.abs(counts - 200).max() < 5 * np.sqrt(1000 * 0.2 * 0.8)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1, 2, 3, 4], "Class 'b' has only 2 rows; at least 3 different rows are needed, for training, validation"
         " and test. Leave the class's rows out, merge it with another class, or add rows."),
        ([0, 1, 2, 3, 3], "Class 'b' has only 2 rows, 1 of them different; at least 3 different rows are needed, for"
         " training, validation and test. Leave the class's rows out, merge it with another class, or add rows."),
    ],
)  # fmt: skip
def test_a_class_with_too_few_rows(groups: list[int], message: str) -> None:
    y = np.array([0, 0, 0, 1, 1])
    with pytest.raises(UserError) as caught:
        split_stratified(np.array(groups), y, "ab", seed=0, test=0.2, validation=0.2)
    assert str(caught.value) == message


@given(st.integers(3, 200), st.sampled_from([0.0, 0.2]), st.sampled_from([0.2, 0.25]))
def test_a_split_by_time_keeps_the_order(rows: int, test: float, validation: float) -> None:
    split = split_time(np.zeros(rows, np.int64), "a", test=test, validation=validation)
    assert_array_equal(np.concatenate([split.train, split.validation, split.test]), np.arange(rows))
    assert len(split.test) == round(test * rows)
    assert len(split.validation) == max(1, round(validation * rows))


def test_a_class_that_appears_late() -> None:
    with pytest.raises(UserError) as caught:
        split_time(np.array([0] * 6 + [1] * 4), ["dry", "wet"], test=0.2, validation=0.2)
    assert str(caught.value) == (
        "--split time: class 'wet' does not appear among the first 6 rows, which train. Use --split stratified, or"
        " leave the class's rows out."
    )


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=20))
def test_equal_rows_are_those_that_numpy_and_pandas_find(rows: list[tuple[int, int]]) -> None:
    array = np.array(rows, dtype=np.uint8)
    table = {"a": array[:, 0].astype(float), "b": array[:, 1].astype(str).astype(object)}
    expected = pd.factorize(np.unique(array, axis=0, return_inverse=True)[1].ravel())[0]
    assert_array_equal(equal_rows(array), expected)
    assert_array_equal(equal_rows(array.reshape(-1, 2, 1)), expected)
    assert_array_equal(equal_rows(table), expected)


def test_missing_values_are_equal_to_each_other() -> None:
    assert equal_rows({"a": np.array([1.0, np.nan, np.nan])}).tolist() == [0, 1, 1]
