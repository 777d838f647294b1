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
