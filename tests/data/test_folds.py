"""Folds: every class evenly, groups whole, equal numbers of rows to train and validate on, no row lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.folds import deal_into_folds, most_folds


@given(st.integers(20, 200), st.integers(2, 8), st.integers(2, 4), st.integers(0, 9))
def test_single_rows_are_dealt_evenly_and_the_rest_always_trains(
    rows: int, count: int, classes: int, seed: int
) -> None:
    y = np.random.default_rng(seed).integers(0, classes, rows)
    folds = deal_into_folds(np.arange(rows), y, count, seed)
    assert (folds.fold == -1).sum() == rows % count
    parts = list(folds)
    assert {(len(train), len(own)) for train, own in parts} == {(rows - rows // count, rows // count)}
    for train, own in parts:
        assert sorted([*train, *own]) == list(range(rows))
    assert sorted(np.concatenate([own for _, own in parts])) == np.flatnonzero(folds.fold >= 0).tolist()
    counts = np.array([np.bincount(y[own], minlength=classes) for _, own in parts])
    assert (np.ptp(counts, axis=0) <= 2).all(), "but for one row of the rest, a class has as many rows in every fold"


@given(st.lists(st.integers(1, 5), min_size=30, max_size=80), st.integers(2, 6), st.integers(0, 9))
def test_groups_stay_whole_and_the_parts_are_of_one_size(sizes: list[int], count: int, seed: int) -> None:
    group = np.repeat(np.arange(len(sizes)), sizes)
    y = np.random.default_rng(seed).integers(0, 2, len(sizes))[group]
    folds = deal_into_folds(group, y, count, seed)
    for number in range(len(sizes)):
        assert len(set(folds.fold[group == number])) == 1
    parts = list(folds)
    for train, own in parts:
        assert not set(group[train]) & set(group[own])
    if folds.even:
        assert len({(len(train), len(own)) for train, own in parts}) == 1
        lost = sum(len(group) - len(train) - len(own) for train, own in parts)
        assert lost <= count * max(count, 0.05 * len(group))


def test_a_large_group_leaves_the_folds_uneven_and_no_row_is_lost() -> None:
    group = np.r_[np.zeros(60, dtype=int), np.arange(1, 41)]
    folds = deal_into_folds(group, np.arange(100) % 2, 4, seed=0)
    assert not folds.even
    assert all(len(train) + len(own) == 100 for train, own in folds)


@pytest.mark.parametrize(
    ("group", "y", "expected"),
    [([0, 1, 2, 3], [0, 1, 1, 1], (0, 1)), ([0, 0, 1, 2], [0, 0, 1, 1], (0, 1)), ([0, 1, 2, 3], [0, 0, 1, 1], (0, 2))],
)
def test_the_rarest_class_is_counted_by_groups(group: list[int], y: list[int], expected: tuple[int, int]) -> None:
    assert most_folds(np.array(group), np.array(y)) == expected
