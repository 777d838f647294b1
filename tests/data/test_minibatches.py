"""The minibatch order is a permutation that the seed and the epoch alone decide."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tfcourse.data.minibatches import minibatch_order

seeds = st.integers(0, 2**32)


@given(seeds, st.integers(0, 500), st.integers(1, 200))
def test_every_row_once(seed: int, epoch: int, rows: int) -> None:
    order = minibatch_order(seed, epoch, rows)
    assert_array_equal(np.sort(order), np.arange(rows))
    assert_array_equal(order, minibatch_order(seed, epoch, rows))


@given(seeds, st.integers(0, 500))
def test_another_seed_or_epoch_is_another_order(seed: int, epoch: int) -> None:
    order = minibatch_order(seed, epoch, 100).tolist()
    assert order != minibatch_order(seed, epoch + 1, 100).tolist()
    assert order != minibatch_order(seed + 1, epoch, 100).tolist()


def test_every_row_is_as_likely_in_the_first_place() -> None:
    first = np.bincount([minibatch_order(0, epoch, 4)[0] for epoch in range(4000)])
    assert np.abs(first - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)
