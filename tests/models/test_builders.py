"""The builders give the network of the course: shapes, order, parameters, gradients and the loss from logits."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse.errors import UserError
from tfcourse.models.builders import build_mlp, build_optimizer, build_softmax_regression, with_softmax
from tfcourse.models.spec import NetworkSpec, OptimizerSpec, network_from_values, optimizer_from_values

X = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")
Y = np.arange(32) % 3


def test_layers_stand_in_the_order_of_the_course() -> None:
    model = build_mlp(NetworkSpec(5, 3, (7, 6), dropout=0.2))
    assert [type(layer).__name__ for layer in model.layers] == [
        "InputLayer", "Dense", "BatchNormalization", "Activation", "Dropout",
        "Dense", "BatchNormalization", "Activation", "Dropout", "Dense",
    ]  # fmt: skip
    after = build_mlp(NetworkSpec(5, 3, (7,), normalize="after"))
    assert [type(layer).__name__ for layer in after.layers][1:4] == ["Dense", "Activation", "BatchNormalization"]


def test_hidden_layers_have_no_bias_under_batch_norm_and_parameters_count_up() -> None:
    model = build_mlp(NetworkSpec(5, 3, (7, 6)))
    assert [layer.use_bias for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [False, False, True]
    # W: 5*7 + 7*6 + 6*3, b of the head: 3, gamma and beta: 2*(7+6); moving mean and variance: 2*(7+6)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 35 + 42 + 18 + 3 + 26
    assert model.count_params() == 35 + 42 + 18 + 3 + 26 + 26
    plain = build_mlp(NetworkSpec(5, 3, (7,), batch_norm=False))
    assert plain.count_params() == 35 + 7 + 21 + 3


def test_logits_agree_with_the_equations_in_numpy() -> None:
    model = build_mlp(NetworkSpec(5, 3, (4,)), seed=1)
    kernel, gamma, beta, mean, variance, head, bias = model.get_weights()
    gamma, beta = gamma + 0.5, beta - 0.25
    mean, variance = mean + 0.1, variance * 2
    model.set_weights([kernel, gamma, beta, mean, variance, head, bias])
    z = (X @ kernel - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    logits = np.maximum(z, 0) @ head + bias
    np.testing.assert_allclose(model.predict(X, verbose=0), logits, rtol=1e-5, atol=1e-5)
    exponentials = np.exp(logits)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(with_softmax(model).predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_the_loss_is_finite_where_a_rounded_softmax_would_be_zero() -> None:
    model = build_softmax_regression(2, 2)
    model.set_weights([np.array([[1000.0, -1000.0], [0.0, 0.0]], "float32"), np.zeros(2, "float32")])
    loss, accuracy = model.evaluate(np.array([[1.0, 0.0]], "float32"), np.array([1]), verbose=0)
    assert loss == pytest.approx(2000.0)
    assert accuracy == 0.0


def test_the_gradient_of_the_logits_is_prediction_minus_truth() -> None:
    model = build_softmax_regression(5, 3, seed=0)
    with tf.GradientTape() as tape:
        logits = model(X)
        tape.watch(logits)
        loss = model.loss(Y, logits)
    probabilities = tf.nn.softmax(logits).numpy()
    expected = (probabilities - np.eye(3)[Y]) / len(Y)
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, atol=1e-7)


def test_a_seed_gives_the_same_weights_whatever_was_drawn_before() -> None:
    spec = NetworkSpec(5, 3, (7, 7))
    first = build_mlp(spec, seed=3).get_weights()
    np.random.default_rng(1).random(9)
    build_mlp(spec)
    second = build_mlp(spec, seed=3).get_weights()
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    other = build_mlp(spec, seed=4).get_weights()
    assert not (first[0] == other[0]).any()
    wide = build_mlp(NetworkSpec(7, 3, (7, 7)), seed=3).get_weights()
    assert not np.allclose(wide[0], wide[5])  # two layers of one shape start differently


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_the_learning_rate_decays_once_an_epoch(epoch: int) -> None:
    spec = OptimizerSpec("sgd", 0.2, decay_rate=0.5, decay_steps=10)
    rate = build_optimizer(spec).learning_rate
    del rate
    schedule = build_optimizer(spec)._learning_rate
    for step in (10 * epoch, 10 * epoch + 9):
        assert float(schedule(step)) == pytest.approx(0.2 / (1 + 0.5 * epoch))
        assert spec.learning_rate_at(step) == pytest.approx(0.2 / (1 + 0.5 * epoch))


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("sgd", {"momentum": 0.8, "nesterov": True}),
        ("rmsprop", {"rho": 0.7, "epsilon": 1e-8}),
        ("adam", {"beta_1": 0.6, "beta_2": 0.95, "epsilon": 1e-8}),
        ("adamw", {"beta_1": 0.6, "beta_2": 0.95, "weight_decay": 0.01}),
    ],
)
def test_an_optimizer_is_built_with_its_settings(name: str, attributes: dict[str, float]) -> None:
    optimizer = build_optimizer(OptimizerSpec(name, 0.01, **attributes))  # type: ignore[arg-type]
    assert type(optimizer).__name__.lower() == name
    for attribute, value in attributes.items():
        assert getattr(optimizer, attribute) == value
    assert float(optimizer.learning_rate) == pytest.approx(0.01)


def test_values_become_specs() -> None:
    values = {
        "layers": 3, "units_1": 50, "units_2": 60, "units_3": 70, "units_4": 80, "dropout": 0.1, "optimizer": "rmsprop",
        "learning_rate": 0.02, "rho": 0.95, "learning_rate_decay": 0.3, "batch_size": 16,
    }  # fmt: skip
    assert network_from_values(values, inputs=8, classes=4) == NetworkSpec(8, 4, (50, 60, 70), dropout=0.1)
    expected = OptimizerSpec("rmsprop", 0.02, rho=0.95, decay_rate=0.3, decay_steps=12)
    assert optimizer_from_values(values, steps_per_epoch=12) == expected


def test_specs_go_to_json_and_back() -> None:
    network = NetworkSpec(4, 2, (3, 2), "tanh", dropout=0.5, l2=1e-4)
    optimizer = OptimizerSpec("sgd", 0.1, momentum=0.9, nesterov=True)
    assert NetworkSpec.from_json(network.to_json()) == network
    assert OptimizerSpec.from_json(optimizer.to_json()) == optimizer


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: NetworkSpec(0, 2), "inputs: inputs >= 1 must hold, but inputs = 0 was given."),
        (lambda: NetworkSpec(3, 1), "classes: classes >= 2 must hold, but classes = 1 was given."),
        (
            lambda: NetworkSpec(3, 2, (16.5,)),
            "units: whole numbers of units must hold, but units = (16.5,) was given.",
        ),
        (lambda: NetworkSpec(3, 2, (4, 0)), "units: every units >= 1 must hold, but units = (4, 0) was given."),
        (lambda: NetworkSpec(3, 2, dropout=1.0), "dropout: 0 <= dropout < 1 must hold, but dropout = 1.0 was given."),
        (
            lambda: OptimizerSpec("adam", 0.0),
            "learning_rate: learning_rate > 0 must hold, but learning_rate = 0.0 was given.",
        ),
        (lambda: OptimizerSpec(momentum=1.0), "momentum: 0 <= momentum < 1 must hold, but momentum = 1.0 was given."),
        (lambda: OptimizerSpec(beta_1=-0.1), "beta_1: 0 <= beta_1 < 1 must hold, but beta_1 = -0.1 was given."),
    ],
)
def test_a_broken_rule_is_named(make: object, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        make()  # type: ignore[operator]
    assert str(caught.value) == sentence
