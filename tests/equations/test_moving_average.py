import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.equations.moving_average import moving_average, window


@pytest.mark.parametrize(("beta", "expected"), [(0.0, 1), (0.9, 10), (0.9005, 10.0503), (0.999, 1000), (0.9995, 2000)])
def test_window_of_the_slide(beta: float, expected: float) -> None:
    assert float(window(beta)) == pytest.approx(expected, rel=1e-5)


def test_the_window_holds_all_but_one_over_e_of_the_weight() -> None:
    """(1 − β) Σ_{i < window} β^i = 1 − β^window, near 1 − 1/e."""
    beta = 0.98
    weights = (1 - beta) * beta ** np.arange(round(float(window(beta))))
    assert weights.sum() == pytest.approx(1 - 1 / np.e, abs=0.01)


def test_three_steps_by_hand() -> None:
    """β = 0.9 over 10, 20, 30: 1; 0.9 + 2 = 2.9; 2.61 + 3 = 5.61. Corrected by 0.1, 0.19, 0.271."""
    assert moving_average([10, 20, 30], 0.9) == pytest.approx([1.0, 2.9, 5.61])
    corrected = moving_average([10, 20, 30], 0.9, bias_correction=True)
    assert corrected == pytest.approx([10.0, 2.9 / 0.19, 5.61 / 0.271])


@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30),
    beta=st.floats(0.0, 0.999),
    initial=st.floats(-1e3, 1e3),
)
def test_closed_form(values: list[float], beta: float, initial: float) -> None:
    """v_T = β^T v_0 + (1 − β) Σ β^(T − t) θ_t; the corrected weights sum to 1 whatever v_0."""
    T = len(values)
    weights = (1 - beta) * beta ** np.arange(T - 1, -1, -1.0)
    last = moving_average(values, beta, initial=initial)[-1]
    assert last == pytest.approx(beta**T * initial + weights @ values, abs=1e-9)
    corrected = moving_average(values, beta, initial=initial, bias_correction=True)[-1]
    assert corrected == pytest.approx(weights @ values / weights.sum(), abs=1e-6)


def test_keras_moves_batch_norm_averages_this_way() -> None:
    layer = keras.layers.BatchNormalization(momentum=0.9, dtype="float64")
    rng = np.random.default_rng(0)
    minibatches = rng.normal(3.0, 2.0, (5, 8, 4))
    for minibatch in minibatches:
        layer(minibatch, training=True)
    means = moving_average(minibatches.mean(axis=1), 0.9)
    variances = moving_average(minibatches.var(axis=1), 0.9, initial=1.0)
    np.testing.assert_allclose(layer.moving_mean.numpy(), means[-1], rtol=1e-12)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variances[-1], rtol=1e-12)
