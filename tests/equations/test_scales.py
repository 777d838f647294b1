import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tfcourse.equations import scales

UNIT = st.floats(0.0, 1.0)
PAIRS = [
    (scales.linear_from_unit, scales.linear_to_unit, 50.0, 100.0),
    (scales.log_from_unit, scales.log_to_unit, 1e-4, 1.0),
    (scales.one_minus_log_from_unit, scales.one_minus_log_to_unit, 0.9, 0.999),
]


def test_log_is_ten_to_the_r() -> None:
    """The course's α = 10^r at r = -4, -3, -2, -1, 0."""
    assert scales.log_from_unit([0.0, 0.25, 0.5, 0.75, 1.0], 1e-4, 1.0) == pytest.approx([1e-4, 1e-3, 1e-2, 0.1, 1.0])


def test_log_agrees_with_scipys_loguniform() -> None:
    p = np.linspace(0.01, 0.99, 50)
    expected = stats.loguniform(1e-4, 1.0).ppf(p)
    np.testing.assert_allclose(scales.log_from_unit(p, 1e-4, 1.0), expected, rtol=1e-12)


def test_one_minus_log_is_loguniform_in_one_minus_beta() -> None:
    p = np.linspace(0.01, 0.99, 50)
    expected = 1.0 - stats.loguniform(1e-3, 1e-1).ppf(1.0 - p)
    np.testing.assert_allclose(scales.one_minus_log_from_unit(p, 0.9, 0.999), expected, rtol=1e-12)


@pytest.mark.parametrize(("from_unit", "to_unit", "low", "high"), PAIRS)
@given(p=UNIT)
def test_the_maps_are_inverses(from_unit, to_unit, low, high, p) -> None:  # type: ignore[no-untyped-def]
    value = float(from_unit(p, low, high))
    assert low * (1 - 1e-12) <= value <= high * (1 + 1e-12)
    assert float(to_unit(value, low, high)) == pytest.approx(p, abs=1e-9)


@pytest.mark.parametrize(("from_unit", "to_unit", "low", "high"), PAIRS)
def test_the_maps_rise_from_low_to_high(from_unit, to_unit, low, high) -> None:  # type: ignore[no-untyped-def]
    values = from_unit(np.linspace(0.0, 1.0, 101), low, high)
    assert values[0] == pytest.approx(low)
    assert values[-1] == pytest.approx(high)
    assert (np.diff(values) > 0).all()


def test_share_of_the_top_decade() -> None:
    """A5: uniform draws put 90 % in 0.1...1, log draws 25 %."""
    p = (np.arange(10_000) + 0.5) / 10_000
    assert np.mean(scales.linear_from_unit(p, 1e-4, 1.0) > 0.1) == pytest.approx(0.9, abs=1e-3)
    assert np.mean(scales.log_from_unit(p, 1e-4, 1.0) > 0.1) == pytest.approx(0.25, abs=1e-3)


def test_one_minus_log_median() -> None:
    """A6: half the draws lie above 0.99; a linear scale puts 9/99 there."""
    assert float(scales.one_minus_log_from_unit(0.5, 0.9, 0.999)) == pytest.approx(0.99)
    assert 1 - float(scales.linear_to_unit(0.99, 0.9, 0.999)) == pytest.approx(9 / 99)


def test_nan_stays_nan() -> None:
    assert math.isnan(float(scales.log_from_unit(math.nan, 1e-4, 1.0)))
