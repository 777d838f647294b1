"""What stays together: equal rows, groups that a person names, both at once; what is too frequent for that."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tfcourse.data.groups import connected, equal_rows, keep_together, without_frequent

NUMBERS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30)


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


@given(NUMBERS)
def test_connected_groups_are_those_of_a_search_from_row_to_row(rows: list[tuple[int, int]]) -> None:
    a, b = (np.array(numbers) for numbers in zip(*rows, strict=True))
    found = connected(a, b)
    for row in range(len(a)):
        reached, before = {row}, set[int]()
        while reached != before:
            before = set(reached)
            reached = {n for n in range(len(a)) if any(a[n] == a[m] or b[n] == b[m] for m in before)}
        assert set(np.flatnonzero(found == found[row])) == reached


@given(NUMBERS, st.integers(1, 6))
def test_frequent_kinds_stand_alone_and_the_others_as_they_were(rows: list[tuple[int, int]], limit: int) -> None:
    kinds = pd.factorize(np.array([first for first, _ in rows]))[0]
    groups, frequent = without_frequent(kinds, limit)
    sizes = np.bincount(kinds)
    assert sorted(frequent) == sorted(sizes[sizes > limit])
    for row, kind in enumerate(kinds):
        together = np.flatnonzero(groups == groups[row])
        assert_array_equal(together, [row] if sizes[kind] > limit else np.flatnonzero(kinds == kind))


def test_a_few_kinds_of_row_are_dealt_out_and_that_is_told() -> None:
    kinds = np.repeat(np.arange(6), [500, 300, 150, 30, 10, 10])
    y = np.arange(1000) % 2
    together = keep_together(kinds, y, part=200)
    assert np.sort(np.bincount(together.groups))[::-1][:4].tolist() == [30, 10, 10, 1], "30 rows are few"
    assert together.notes == [
        "994 rows repeat another one; equal rows stay in one part of the split, but for 3 kinds of row too frequent for"
        " that (500, 300, 150 of 1000 rows): a part that had one alone would be unlike the others, so their rows are"
        " dealt out to all parts",
        "6 kinds of equal rows have different labels: no model can be right in more than 50.00% of these rows",
    ]
    one = keep_together(np.repeat(np.arange(51), [50] + [1] * 50), np.zeros(100, int), part=20)
    assert one.notes == [
        "49 rows repeat another one; equal rows stay in one part of the split, but for one kind of row too frequent for"
        " that (50 of 100 rows): a part that had it alone would be unlike the others, so its rows are dealt out to all"
        " parts"
    ]


def test_named_groups_are_joined_with_equal_rows_and_never_divided() -> None:
    named = np.repeat(np.arange(20), 5)
    kinds = np.arange(100)
    kinds[5] = kinds[0]  # a row of group 1 is equal to one of group 0
    joined = keep_together(kinds, np.zeros(100, int), 20, named).groups
    assert sorted(np.bincount(joined)) == [5] * 18 + [10]
    large = keep_together(np.arange(100), np.zeros(100, int), 20, np.repeat([0, 1, 2], [80, 10, 10]))
    assert np.bincount(large.groups).tolist() == [80, 10, 10]


def test_equal_rows_that_would_join_most_groups_to_one_do_not() -> None:
    named = np.repeat(np.arange(20), 5)
    kinds = np.arange(100)
    kinds[named < 19] = kinds[np.roll(named, 1) < 19]
    kinds[5::5] = kinds[4:-5:5]  # each group's first row is the last one of the group before
    together = keep_together(kinds, np.zeros(100, int), 20, named)
    assert_array_equal(together.groups, named)
    assert together.notes[-1] == (
        "equal rows of different groups may stand in different parts: they would join most groups to one"
    )
