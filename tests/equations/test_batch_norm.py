import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.equations.finite_differences import gradient_of
from tfcourse.equations import batch_norm
from tfcourse.equations.moving_average import moving_average

N, M = 4, 6


@pytest.fixture
def case() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {
        "z": rng.normal(2.0, 3.0, (N, M)),
        "gamma": rng.normal(1.0, 0.5, (N, 1)),
        "beta": rng.normal(0.0, 1.0, (N, 1)),
        "dz_tilde": rng.normal(0.0, 1.0, (N, M)),
    }


def keras_layer(case: dict[str, np.ndarray], **options: float) -> keras.layers.BatchNormalization:
    layer = keras.layers.BatchNormalization(dtype="float64", **options)
    layer.build((None, N))
    layer.gamma.assign(case["gamma"].ravel())
    layer.beta.assign(case["beta"].ravel())
    return layer


def test_by_hand() -> None:
    """z = 1, 3 has μ = 2, σ² = 1; with ε = 3 the deviation is 2, so z_norm = ∓1/2."""
    z_tilde, cache = batch_norm.forward([[1.0, 3.0]], [[4.0]], [[10.0]], epsilon=3.0)
    assert cache.z_norm.tolist() == [[-0.5, 0.5]]
    assert z_tilde.tolist() == [[8.0, 12.0]]


def test_forward_is_keras(case: dict[str, np.ndarray]) -> None:
    z_tilde, _ = batch_norm.forward(case["z"], case["gamma"], case["beta"])
    np.testing.assert_allclose(z_tilde.T, keras_layer(case)(case["z"].T, training=True), rtol=1e-10)


def test_backward_is_automatic_differentiation(case: dict[str, np.ndarray]) -> None:
    layer = keras_layer(case)
    z = tf.constant(case["z"].T)
    with tf.GradientTape() as tape:
        tape.watch(z)
        J = tf.reduce_sum(layer(z, training=True) * case["dz_tilde"].T)
    dz, dgamma, dbeta = tape.gradient(J, [z, layer.gamma.value, layer.beta.value])
    _, cache = batch_norm.forward(case["z"], case["gamma"], case["beta"])
    ours = batch_norm.backward(case["dz_tilde"], cache)
    np.testing.assert_allclose(ours[0].T, dz, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(ours[1].ravel(), dgamma, rtol=1e-9)
    np.testing.assert_allclose(ours[2].ravel(), dbeta, rtol=1e-9)


@pytest.mark.parametrize("name", ["z", "gamma", "beta"])
def test_backward_is_finite_differences(case: dict[str, np.ndarray], name: str) -> None:
    def cost(value: np.ndarray) -> float:
        arguments = {key: case[key] for key in ("z", "gamma", "beta")} | {name: value}
        return float((batch_norm.forward(**arguments)[0] * case["dz_tilde"]).sum())

    _, cache = batch_norm.forward(case["z"], case["gamma"], case["beta"])
    gradients = dict(zip(("z", "gamma", "beta"), batch_norm.backward(case["dz_tilde"], cache), strict=True))
    np.testing.assert_allclose(gradients[name], gradient_of(cost, case[name]), rtol=1e-6, atol=1e-8)


def test_identity_case(case: dict[str, np.ndarray]) -> None:
    z_tilde, _ = batch_norm.forward(case["z"], *batch_norm.identity_parameters(case["z"]))
    np.testing.assert_allclose(z_tilde, case["z"], rtol=1e-14, atol=1e-14)


@given(bias=st.lists(st.floats(-100, 100), min_size=N, max_size=N))
def test_a_bias_before_is_taken_out(bias: list[float]) -> None:
    z = np.random.default_rng(7).normal(size=(N, M))
    b = np.array(bias)[:, None]
    with_bias, cache = batch_norm.forward(z + b, np.full((N, 1), 1.5), np.zeros((N, 1)))
    without, _ = batch_norm.forward(z, np.full((N, 1), 1.5), np.zeros((N, 1)))
    np.testing.assert_allclose(with_bias, without, atol=1e-9)
    dz, _, _ = batch_norm.backward(np.random.default_rng(8).normal(size=(N, M)), cache)
    np.testing.assert_allclose(dz.sum(axis=1), 0.0, atol=1e-12)  # db = Σ dz


def test_test_time_is_keras(case: dict[str, np.ndarray]) -> None:
    layer = keras_layer(case, momentum=0.8)
    minibatches = np.random.default_rng(1).normal(1.0, 2.0, (7, N, M))
    for minibatch in minibatches:
        layer(minibatch.T, training=True)
    means, variances = zip(*(batch_norm.statistics(minibatch) for minibatch in minibatches), strict=True)
    mu, variance = moving_average(means, 0.8)[-1], moving_average(variances, 0.8, initial=1.0)[-1]
    ours = batch_norm.predict(case["z"], case["gamma"], case["beta"], mu, variance)
    np.testing.assert_allclose(ours.T, layer(case["z"].T, training=False), rtol=1e-10)


def test_at_test_time_a_column_is_mapped_by_itself(case: dict[str, np.ndarray]) -> None:
    mu, variance = np.zeros((N, 1)), np.full((N, 1), 2.0)
    whole = batch_norm.predict(case["z"], case["gamma"], case["beta"], mu, variance)
    alone = batch_norm.predict(case["z"][:, :1], case["gamma"], case["beta"], mu, variance)
    assert (whole[:, :1] == alone).all()
