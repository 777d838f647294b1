import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from tests.equations.finite_differences import gradient_of
from tfcourse.equations import softmax as sm

LOGITS = arrays(np.float64, (4, 3), elements={"min_value": -1000, "max_value": 1000})
Y = sm.one_hot([0, 3, 1], classes=4)


def test_the_slides_numbers() -> None:
    """t = (148.4, 7.4, 0.4, 20.1), Σt = 176.3."""
    a = sm.softmax([[5.0], [2.0], [-1.0], [3.0]]).ravel()
    assert a == pytest.approx([0.842, 0.042, 0.002, 0.114], abs=5e-4)
    assert a * 176.3 == pytest.approx([148.4, 7.4, 0.4, 20.1], abs=0.06)


@given(z=LOGITS)
def test_softmax_is_scipys(z: np.ndarray) -> None:
    np.testing.assert_allclose(sm.softmax(z), special.softmax(z, axis=0), rtol=1e-12, atol=1e-300)


@given(z=LOGITS, shift=st.floats(-1e3, 1e3))
def test_columns_sum_to_one_and_a_shift_cancels(z: np.ndarray, shift: float) -> None:
    np.testing.assert_allclose(sm.softmax(z).sum(axis=0), 1.0, rtol=1e-12)
    np.testing.assert_allclose(sm.softmax(z + shift), sm.softmax(z), atol=1e-9)


def test_hard_max() -> None:
    assert sm.hard_max([[1.0, 5.0], [4.0, 5.0], [2.0, 0.0]]).tolist() == [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]


def test_one_hot_is_keras() -> None:
    assert (keras.utils.to_categorical([2, 0, 1, 1], 3) == sm.one_hot([2, 0, 1, 1], 3).T).all()


def test_losses_are_minus_log_of_the_true_class() -> None:
    z = np.array([[1.0, 0.5, -2.0], [2.0, -1.0, 0.0], [0.0, 3.0, 1.0], [0.3, 0.1, 0.7]])
    true = sm.softmax(z)[[0, 3, 1], [0, 1, 2]]
    assert sm.losses(z, Y) == pytest.approx(-np.log(true))


@given(z=LOGITS)
def test_cost_is_keras_crossentropy_from_logits(z: np.ndarray) -> None:
    expected = keras.losses.CategoricalCrossentropy(from_logits=True, dtype="float64")(Y.T, z.T)
    assert sm.cost(z, Y) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


def test_losses_are_exact_at_logits_of_1000() -> None:
    z = np.array([[1000.0, 1000.0], [-1000.0, -1000.0]])
    assert sm.losses(z, [[1.0, 0.0], [0.0, 1.0]]).tolist() == [0.0, 2000.0]
    assert np.isfinite(sm.gradient(z, [[1.0, 0.0], [0.0, 1.0]])).all()


def test_gradient_is_finite_differences_and_automatic_differentiation() -> None:
    z = np.random.default_rng(3).normal(0.0, 2.0, (4, 3))
    ours = sm.gradient(z, Y)
    np.testing.assert_allclose(ours, gradient_of(lambda v: float(sm.losses(v, Y).sum()), z), atol=1e-8)
    tensor = tf.constant(z.T)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(Y.T, tensor))
    np.testing.assert_allclose(ours.T, tape.gradient(total, tensor), rtol=1e-10, atol=1e-14)


@given(z=arrays(np.float64, (2, 5), elements={"min_value": -500, "max_value": 500}))
def test_two_classes_are_logistic_regression(z: np.ndarray) -> None:
    y = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    difference = z[0] - z[1]
    np.testing.assert_allclose(sm.softmax(z)[0], special.expit(difference), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(sm.losses(z, np.stack([y, 1 - y])), sm.logistic_losses(difference, y), atol=1e-9)


@given(z=arrays(np.float64, (5,), elements={"min_value": -1000, "max_value": 1000}))
def test_sigmoid_is_scipys_and_the_loss_is_keras(z: np.ndarray) -> None:
    y = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    np.testing.assert_allclose(sm.sigmoid(z), special.expit(z), rtol=1e-12, atol=1e-300)
    expected = keras.losses.BinaryCrossentropy(from_logits=True, dtype="float64")(y, z)
    assert sm.logistic_losses(z, y).mean() == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
