"""Splits: every row in one part, equal rows together, every class everywhere, shares as asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tfcourse.data.split import Split, split_stratified, split_time, uneven_words
from tfcourse.errors import UserError

Groups = tuple[np.ndarray, np.ndarray]


@st.composite
def grouped_labels(draw: st.DrawFn, largest: int = 4) -> Groups:
    """Groups and labels of rows in random order; each class has at least 3 groups, of one label each."""
    groups_of_class = draw(st.lists(st.integers(3, 40), min_size=2, max_size=4))
    group_class = np.repeat(np.arange(len(groups_of_class)), groups_of_class)
    sizes = draw(st.lists(st.integers(1, largest), min_size=len(group_class), max_size=len(group_class)))
    rows = np.random.default_rng(draw(st.integers(0, 99))).permutation(np.repeat(np.arange(len(sizes)), sizes))
    groups, names = pd.factorize(rows)
    return groups, group_class[names][groups]


def split_by_number(groups: np.ndarray, y: np.ndarray, seed: int, test: float, validation: float) -> list[np.ndarray]:
    """Return the parts of the first release: each class's groups in random order, shared out by their number."""
    random = np.random.default_rng([seed, 0])
    part = np.zeros(groups.max() + 1, dtype=int)
    group_class = y[np.unique(groups, return_index=True)[1]]
    for number in range(y.max() + 1):
        members = random.permutation(np.flatnonzero(group_class == number))
        tests = max(1, round(test * len(members))) if test else 0
        part[members[:tests]] = 2
        part[members[tests : tests + max(1, round(validation * len(members)))]] = 1
    return [np.flatnonzero(part[groups] == number) for number in range(3)]


SHARES = {"test": st.sampled_from([0.0, 0.2, 0.3]), "validation": st.sampled_from([0.2, 0.25])}


@given(data=grouped_labels(largest=1), seed=st.integers(0, 1000), **SHARES)
def test_where_no_row_repeats_the_split_is_that_of_the_first_release(
    data: Groups, seed: int, test: float, validation: float
) -> None:
    groups, y = data
    split = split_stratified(groups, y, "abcd"[: y.max() + 1], seed=seed, test=test, validation=validation)
    for part, before in zip(parts_of(split), split_by_number(groups, y, seed, test, validation), strict=True):
        assert_array_equal(part, before)


@given(data=grouped_labels(), seed=st.integers(0, 1000), **SHARES)
def test_a_run_of_the_first_release_is_split_as_it_was(data: Groups, seed: int, test: float, validation: float) -> None:
    groups, y = data
    split = split_stratified(
        groups, y, "abcd"[: y.max() + 1], seed=seed, test=test, validation=validation, by_rows=False
    )
    for part, before in zip(parts_of(split), split_by_number(groups, y, seed, test, validation), strict=True):
        assert_array_equal(part, before)


def parts_of(split: Split) -> list[np.ndarray]:
    return [split.train, split.validation, split.test]


@given(data=grouped_labels(), seed=st.integers(0, 1000), **SHARES)
def test_what_every_stratified_split_keeps(data: Groups, seed: int, test: float, validation: float) -> None:
    groups, y = data
    parts = parts_of(split_stratified(groups, y, "abcd"[: y.max() + 1], seed=seed, test=test, validation=validation))
    assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    assert sum(len(set(groups[part])) for part in parts) == len(set(groups))
    for part, share in zip(parts, (1 - test - validation, validation, test), strict=True):
        for number in range(y.max() + 1):
            rows, largest = (y[part] == number).sum(), np.bincount(groups[y == number]).max()
            assert (rows > 0) == (share > 0)
            # The border between two parts is off by half a group at most; three groups are the least, one a part.
            assert abs(rows - share * (y == number).sum()) <= 2 * largest


@given(st.integers(0, 50), st.integers(20, 60), st.integers(2, 3))
def test_parts_have_their_shares_of_the_rows_however_groups_differ_in_size(seed: int, count: int, classes: int) -> None:
    random = np.random.default_rng(seed)
    groups = random.permutation(np.repeat(np.arange(count), random.geometric(0.05, count)))
    groups = pd.factorize(groups)[0]
    y = random.integers(classes, size=len(groups))  # labels that differ within the groups
    split = split_stratified(groups, y, "abc"[:classes], seed=seed, test=0.2, validation=0.2)
    off = np.abs(np.array([len(part) for part in parts_of(split)]) / len(y) - [0.6, 0.2, 0.2]).max()
    # A border between two parts is off by half the group it falls into at most, and a part has two borders.
    assert off < max(0.05, np.bincount(groups).max() / len(y))
    assert all(len(np.unique(y[part])) == classes for part in parts_of(split))


def test_one_group_larger_than_a_part_is_told() -> None:
    groups = np.array([0] * 70 + list(range(1, 31)))
    y = np.arange(100) % 2
    split = split_stratified(groups, y, "ab", seed=0, test=0.2, validation=0.2)
    assert set(groups[split.train]) >= {0}
    assert sum(0 in groups[part] for part in parts_of(split)) == 1
    # Of each class's other 15 rows half, rounded to 8, test; one is left to train, and 6 validate.
    assert [len(part) for part in parts_of(split)] == [72, 12, 16]
    assert uneven_words(split, y, "ab", test=0.2, validation=0.2) == [
        "rows that stay together are too many for even parts: of the rows they have training 72%, validation 12%, test"
        " 16% instead of 60%, 20%, 20%; of 100 random splits this is the most even one"
    ]


def test_a_class_whose_rows_hang_together_is_told() -> None:
    groups = np.array([0] * 20 + [1] * 3 + [2] * 3 + list(range(3, 207)))
    y = np.array([1] * 26 + [0] * 204)
    split = split_stratified(groups, y, ["usual", "rare"], seed=0, test=0.2, validation=0.2)
    assert sorted((y[part] == 1).sum() for part in parts_of(split)) == [3, 3, 20]
    (note,) = uneven_words(split, y, ["usual", "rare"], test=0.2, validation=0.2)
    assert note == (
        "rows that stay together are too many for even parts: of class 'rare' they have training 77%, validation 12%,"
        " test 12% instead of 60%, 20%, 20%; of 100 random splits this is the most even one"
    )
    even = split_stratified(np.arange(230), y, ["usual", "rare"], seed=0, test=0.2, validation=0.2)
    assert uneven_words(even, y, ["usual", "rare"], test=0.2, validation=0.2) == []


def test_a_class_that_shares_all_its_groups_with_another_is_in_every_part() -> None:
    groups = np.repeat(np.arange(40), 5)
    y = np.zeros(200, np.int64)
    y[[4, 9, 14, 19]] = 1  # one row in each of four groups, never the first of its group
    for seed in range(10):
        split = split_stratified(groups, y, "ab", seed=seed, test=0.2, validation=0.2)
        assert all((y[part] == 1).any() for part in parts_of(split))


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
