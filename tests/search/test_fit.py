"""The reference training equals plain Keras on the same minibatches, and keeps what it should."""

from __future__ import annotations

import math
import time

import keras
import numpy as np
import pytest

from tfcourse.data.minibatches import minibatch_order
from tfcourse.models.builders import build_mlp, build_optimizer
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.search.fit import Schedule, TrainingData, fit_network, minibatches

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 5)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
EXAMPLES = TrainingData(X[:50], Y[:50], X[50:], Y[50:])
NETWORK, OPTIMIZER = NetworkSpec(5, 2, (6,)), OptimizerSpec("sgd", 0.05, momentum=0.9)


def test_minibatches_come_in_the_documented_order_with_a_short_last_one() -> None:
    batches = [(x.numpy(), y.numpy()) for x, y in minibatches(EXAMPLES, 16, Schedule(2, 9, order_seed=3))]
    assert [len(x) for x, _ in batches] == [16, 16, 16, 2] * 2
    order = np.concatenate([minibatch_order(3, 0, 50), minibatch_order(3, 1, 50)])
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), X[order])
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), Y[order])


def test_weights_and_curves_equal_a_loop_over_train_on_batch() -> None:
    training = fit_network(NETWORK, OPTIMIZER, EXAMPLES, Schedule(3, 9, order_seed=3), batch_size=16, seed=5)
    model = build_mlp(NETWORK, OPTIMIZER, seed=5)
    losses, weights = [], []
    for epoch in range(3):
        order = minibatch_order(3, epoch, 50)
        for start in range(0, 50, 16):
            rows = order[start : start + 16]
            model.train_on_batch(X[rows], Y[rows])
        losses.append(model.evaluate(X[50:], Y[50:], verbose=0, batch_size=90)[0])
        weights.append(model.get_weights())
    np.testing.assert_allclose(training.curves["val_loss"], losses, rtol=1e-5)
    assert training.best_epoch == int(np.argmin(losses))
    for ours, keras_own in zip(training.weights, weights[training.best_epoch], strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-5, atol=1e-6)


def test_early_stopping_agrees_with_keras() -> None:
    rate = OptimizerSpec("adam", 0.3)
    training = fit_network(NETWORK, rate, EXAMPLES, Schedule(40, 3, order_seed=1), batch_size=16, seed=5)
    model = build_mlp(NETWORK, seed=5)
    model.compile(build_optimizer(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    history = model.fit(
        minibatches(EXAMPLES, 16, Schedule(40, 3, order_seed=1)), epochs=40, steps_per_epoch=4, shuffle=False,
        validation_data=(X[50:], Y[50:]), validation_batch_size=90, callbacks=[stopping], verbose=0,
    ).history  # fmt: skip
    assert len(training.curves["val_loss"]) == len(history["val_loss"]) < 40
    assert training.best_epoch == stopping.best_epoch
    for ours, keras_own in zip(training.weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-5)


def test_divergence_is_told_and_leaves_only_finite_numbers() -> None:
    training = fit_network(
        NetworkSpec(5, 2, (6,), batch_norm=False, activation="linear"), OptimizerSpec("sgd", 1e6), EXAMPLES,
        Schedule(20, 20), batch_size=16, seed=0,
    )  # fmt: skip
    assert training.diverged.startswith("the loss was no longer finite in epoch ")
    assert all(math.isfinite(value) for values in training.curves.values() for value in values)


def test_the_best_epoch_follows_the_objective() -> None:
    schedule = Schedule(8, 9, objective="val_accuracy", order_seed=1)
    training = fit_network(NETWORK, OPTIMIZER, EXAMPLES, schedule, batch_size=16, seed=5)
    assert training.best_epoch == int(np.argmax(training.curves["val_accuracy"]))


def test_a_passed_deadline_ends_training_after_one_epoch() -> None:
    schedule = Schedule(8, 9, deadline=time.monotonic() - 1)
    training = fit_network(NETWORK, OPTIMIZER, EXAMPLES, schedule, batch_size=16, seed=5)
    assert len(training.curves["val_loss"]) == 1
    assert training.best_epoch == 0
    assert training.weights[0].shape == (5, 6)


def test_the_same_seed_gives_the_same_training_with_dropout() -> None:
    network = NetworkSpec(5, 2, (6,), dropout=0.5)
    first, second, other = (
        fit_network(network, OPTIMIZER, EXAMPLES, Schedule(2, 9), batch_size=16, seed=seed) for seed in (7, 7, 8)
    )
    assert first.curves == second.curves
    assert first.curves["val_loss"] != pytest.approx(other.curves["val_loss"], rel=1e-6)
