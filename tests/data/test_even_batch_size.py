"""The size of minibatches: as it was wanted, or a little less, so that the last of an epoch is no handful of rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.minibatches import LEAST_OF_LAST, even_batch_size


def fullness(size: int, rows: int) -> float:
    """Return how full the last of the minibatches is, by dealing them out; 32 rows count as half."""
    *_, last = (min(size, rows - first) for first in range(0, rows, size))
    return last / min(size, 64)


@given(st.integers(1, 512), st.lists(st.integers(1, 20_000), min_size=1, max_size=8))
def test_the_last_minibatch_is_as_full_as_can_be(wanted: int, rows: list[int]) -> None:
    found = even_batch_size(wanted, rows)
    assert wanted / 2 < found <= wanted
    full = min(fullness(found, count) for count in rows)
    larger = [min(fullness(size, count) for count in rows) for size in range(found + 1, wanted + 1)]
    smaller = [min(fullness(size, count) for count in rows) for size in range(wanted // 2 + 1, found)]
    assert all(each < LEAST_OF_LAST for each in larger)  # no larger one would do
    assert full >= LEAST_OF_LAST or full >= max(larger + smaller, default=0)


@given(st.integers(2, 512), st.integers(600, 50_000))
def test_one_number_of_rows_always_has_a_size_that_is_good(wanted: int, rows: int) -> None:
    assert fullness(even_batch_size(wanted, [rows]), rows) >= LEAST_OF_LAST or wanted <= 3
