"""Arrays are mapped in blocks; what comes of it is NumPy's own answer on the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tfcourse.data import features
from tfcourse.data.features import ArrayFeatures, check_finite
from tfcourse.data.groups import equal_rows
from tfcourse.errors import UserError


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int64, bool])
@pytest.mark.parametrize("shape", [(50, 7), (50, 4, 5), (50, 3, 3, 2)])
@pytest.mark.parametrize("block", [1, 100, 10_000])
def test_mean_and_deviation_are_those_of_the_whole(
    dtype: type, shape: tuple[int, ...], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "BLOCK", block)
    x: np.ndarray = np.random.default_rng(0).normal(100, 50, shape).astype(dtype)
    fitted = ArrayFeatures.fit(x)
    whole = x.astype(np.float32).astype(np.float64)
    axis = 0 if x.ndim == 2 else None
    deviation = np.atleast_1d(whole.std(axis))
    np.testing.assert_allclose(fitted.mean, np.atleast_1d(whole.mean(axis)), rtol=1e-14)
    np.testing.assert_allclose(fitted.deviation, np.where(deviation > 0, deviation, 1), rtol=1e-12)
    wanted = ((whole.reshape(len(x), -1) - fitted.mean) / fitted.deviation).astype(np.float32)
    np.testing.assert_array_equal(fitted.transform(x), wanted)
    assert fitted.transform(x[:0]).shape == (0, fitted.width)


@given(arrays.arrays(np.int8, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.integers(0, 2)))
def test_equal_rows_have_one_number_in_the_order_of_their_first(x: np.ndarray) -> None:
    first: dict[tuple[int, ...], int] = {}
    wanted = [first.setdefault(tuple(row), len(first)) for row in x.tolist()]
    assert equal_rows(x).tolist() == wanted
    assert equal_rows(np.asfortranarray(x)).tolist() == wanted


def test_every_row_that_is_not_finite_is_counted_whatever_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "BLOCK", 4)
    x = np.ones((10, 2))
    x[[3, 8], [0, 1]] = np.nan, 1e39
    with pytest.raises(UserError, match="in 2 rows, the first in row 4"):
        check_finite(x)
    check_finite(x[:0])
