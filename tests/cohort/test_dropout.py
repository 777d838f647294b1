"""Dropout by its statistics: Keras draws other masks, so it cannot be tested by equality but at rate 0."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.cohort.conftest import assert_same_training, fit_alone
from tfcourse.cohort import fit_together
from tfcourse.cohort.kinds import drop, dropout_key
from tfcourse.cohort.layers import Dropout
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

FEATURES, EPOCHS, WEIGHT = 100, 400, 0.005


def dropping(rate: float) -> keras.Model:
    """Return a model whose loss tells how many of its features were kept: z = weight · kept / (1 - rate), and -z."""
    model = keras.Sequential(
        [keras.Input((FEATURES,)), keras.layers.Dropout(rate), keras.layers.Dense(2, use_bias=False)]
    )
    model.set_weights([np.tile(np.array([WEIGHT, -WEIGHT], np.float32), (FEATURES, 1))])
    # A rate at which no weight moves.
    model.compile(keras.optimizers.SGD(1e-20), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def kept(losses: list[float], rate: float) -> np.ndarray:
    """Return how many features each loss -ln σ(2z) says were kept."""
    z = -np.log(np.expm1(np.array(losses))) / 2
    return z * (1 - rate) / WEIGHT


def test_in_training_the_kept_are_binomial_and_divided_by_their_share_and_in_validation_all_are_kept():
    x, y = np.ones((1, FEATURES), np.float32), np.zeros(1, int)
    rates = [0.1, 0.3, 0.5, 0.8]
    histories = fit_together(
        [(dropping(rate)) for rate in rates], x, y, validation_data=(x, y), epochs=EPOCHS, batch_size=1
    )
    for history, rate in zip(histories, rates, strict=True):
        counts = kept(history.history["loss"], rate)
        # Whole numbers only if the kept are divided by exactly 1 - rate.
        np.testing.assert_allclose(counts, counts.round(), atol=0.02)
        share, variance = 1 - rate, FEATURES * rate * (1 - rate)
        assert abs(counts.mean() - FEATURES * share) < 4 * np.sqrt(variance / EPOCHS)
        assert abs(counts.var() / variance - 1) < 4 * np.sqrt(2 / EPOCHS)
        assert abs(np.corrcoef(counts[1:], counts[:-1])[0, 1]) < 4 / np.sqrt(EPOCHS), "steps are independent"
        np.testing.assert_allclose(kept(history.history["val_loss"], 0.0), FEATURES, rtol=1e-4)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_masks_are_independent_of_row_unit_layer_step_and_member(rate):
    rows, units, steps = 128, 96, 12
    numbers = {name: tf.constant(np.stack([value] * 2)) for name, value in Dropout(rate).numbers(units).items()}
    noise = tf.constant([3, 4], tf.uint32)
    masks = np.array(
        [
            [
                drop(tf.ones((2, rows, units)), numbers, dropout_key(noise, tf.constant(step), layer)).numpy() > 0
                for layer in (3, 7)
            ]
            for step in range(steps)
        ]
    )  # (steps, layers, members, rows, units)
    deviation = np.sqrt(rate * (1 - rate))
    for axis in range(5):
        others = tuple(other for other in range(5) if other != axis)
        count = masks.size / masks.shape[axis]
        # The largest of up to 128 means stays within 4.5 deviations but once in a thousand draws; the seeds are fixed.
        assert np.abs(masks.mean(axis=others) - (1 - rate)).max() < 4.5 * deviation / np.sqrt(count), axis
        first, second = (
            np.take(masks, range(1, masks.shape[axis]), axis),
            np.take(masks, range(masks.shape[axis] - 1), axis),
        )
        correlation = np.corrcoef(first.ravel(), second.ravel())[0, 1]
        assert abs(correlation) < 4.5 / np.sqrt(first.size), f"neighbours along axis {axis}"
    assert len({mask.tobytes() for mask in masks.reshape(-1, rows * units)}) == steps * 2 * 2


def test_a_mask_depends_on_the_seed_and_not_on_the_mates_or_the_padding(data):
    fit = {"epochs": 2, "batch_size": 50}
    trial = (NetworkSpec(20, 4, (12,), dropout=0.4), OptimizerSpec("sgd", 0.05), 5)
    wide = (NetworkSpec(20, 4, (60,), dropout=0.1), OptimizerSpec("adam"), 6)
    [alone] = fit_together([trial], *data, **fit)
    together = fit_together([wide, trial, (*trial[:2], 7)], *data, **fit)
    np.testing.assert_allclose(together[1].history["loss"], alone.history["loss"], rtol=1e-5)
    assert abs(together[2].history["loss"][0] - alone.history["loss"][0]) > 1e-3


def test_at_rate_0_beside_a_dropping_member_it_equals_its_own_fit(data):
    fit = {"epochs": 2, "batch_size": 32, "shuffle": False, "validation_data": (data[0][:40], data[1][:40])}
    plain = (NetworkSpec(20, 4, (16, 12)), OptimizerSpec("sgd", 0.05, momentum=0.9), 1)
    mate = (NetworkSpec(20, 4, (16, 12), dropout=0.5), OptimizerSpec("sgd", 0.05), 2)
    history, _ = fit_together([plain, mate], *data, **fit)
    assert_same_training(history, fit_alone(plain, *data, **fit), tolerance=5e-6)


def test_the_next_masks_that_keras_draws_are_those_after_fit() -> None:
    def two_dropouts() -> keras.Model:
        layers = [keras.layers.Dropout(rate, seed=7 + place) for place, rate in enumerate((0.5, 0.0, 0.2))]
        dense = [keras.layers.Dense(4), keras.layers.Dense(4), keras.layers.Dense(2)]
        model = keras.Sequential(
            [keras.Input((3,)), *(each for pair in zip(layers, dense, strict=True) for each in pair)]
        )
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    x, y = np.ones((7, 3), np.float32), np.arange(7) % 2
    alone, together = two_dropouts(), two_dropouts()
    for epochs in (3, 2):  # of three steps, the last with one row
        given = {"validation_data": (x, y), "batch_size": 3, "epochs": epochs}
        alone.fit(x, y, verbose=0, **given)
        alone.compile("sgd", alone.loss)
        fit_together([together], x, y, **given)
    states = [[layer.seed_generator.state.numpy().tolist() for layer in m.layers[::4]] for m in (alone, together)]
    assert states[0] == states[1] == [[7, 15], [9, 15]]
