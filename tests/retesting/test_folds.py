"""Parts of the new data: disjoint, even, equal rows together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.retesting.folds import blocks, deal


@given(
    rows=st.integers(50, 200), repeats=st.integers(3, 8), classes=st.integers(2, 4), seed=st.integers(0, 99),
    copies=st.integers(1, 3),
)  # fmt: skip
def test_parts_are_disjoint_and_even(rows: int, repeats: int, classes: int, seed: int, copies: int) -> None:
    random = np.random.default_rng(seed)
    groups = np.arange(rows) // copies
    y = random.integers(classes, size=rows)[groups]
    folds = deal(groups, y, repeats, seed)
    assert folds.parts == max(5, repeats)
    for number in range(classes):
        different = len(np.unique(groups[y == number]))
        in_part = [len(np.unique(groups[(y == number) & (folds.part == part)])) for part in range(folds.parts)]
        assert max(in_part) - min(in_part) <= 1
        assert sum(in_part) == different  # equal rows are in one part
    triples = list(folds)
    assert len(triples) == repeats
    sizes = {(len(train), len(validation)) for train, validation, _ in triples}
    assert len(sizes) == 1
    for train, validation, held_out in triples:
        assert not set(train) & set(validation)
        assert not set(held_out) & (set(train) | set(validation))
        assert not set(groups[train]) & set(groups[held_out])
    for part in (1, 2):
        union = np.concatenate([triple[part] for triple in triples])
        assert len(np.unique(union)) == len(union)


@given(seed=st.integers(0, 99), repeats=st.integers(3, 8))
def test_parts_hold_their_share_of_the_rows_however_often_rows_repeat(seed: int, repeats: int) -> None:
    """Six kinds of row, of which one is nearly half of the table, and groups of up to 20 equal rows beside them."""
    random = np.random.default_rng(seed)
    sizes = [400, 200, 100, 100, 50, 50, *random.integers(1, 20, size=60)]
    groups = np.unique(random.permutation(np.repeat(np.arange(len(sizes)), sizes)), return_inverse=True)[1]
    y = random.integers(2, size=len(groups))
    folds = deal(groups, y, repeats, seed)
    rows = np.bincount(folds.part, minlength=folds.parts)
    assert np.abs(rows / len(groups) - 1 / folds.parts).max() < 0.25 / folds.parts
    for train, validation, held_out in folds:
        assert len(train) > 0.9 * (folds.parts - 2) / folds.parts * len(groups)
        assert min(len(validation), len(held_out)) > 0.75 / folds.parts * len(groups)
    few = np.flatnonzero(np.isin(groups, np.flatnonzero(np.bincount(groups) <= 20)))
    assert len(np.unique(np.stack([groups[few], folds.part[few]]), axis=1).T) == len(np.unique(groups[few]))


def test_named_groups_are_in_one_part() -> None:
    named = np.repeat(np.arange(30), 4)
    folds = deal(np.arange(120), np.arange(120) % 2, 5, 0, named)
    assert len(np.unique(np.stack([named, folds.part]), axis=1).T) == 30
    assert np.bincount(folds.part).tolist() == [24] * 5


def test_five_repeats_hold_every_row_out_once_and_train_on_sixty_percent() -> None:
    triples = list(deal(np.arange(100), np.arange(100) % 2, 5, 0))
    assert sorted(np.concatenate([held_out for *_, held_out in triples])) == list(range(100))
    assert {(len(train), len(validation)) for train, validation, _ in triples} == {(60, 20)}


def test_blocks_follow_each_other() -> None:
    train, validation, held_out = next(iter(blocks(50, 5)))
    assert (validation.tolist(), held_out.tolist()) == (list(range(10)), list(range(10, 20)))
    assert train.tolist() == list(range(20, 50))


def test_another_seed_deals_otherwise() -> None:
    parts = [deal(np.arange(60), np.zeros(60, int), 5, seed).part.tolist() for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]
