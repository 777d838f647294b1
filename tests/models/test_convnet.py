"""Convolutional networks: the same numbers as NumPy's, random shifts in training alone, searched by any tuner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pytest
from scipy.signal import correlate

from tfcourse import ConvNetHyperModel, ConvNetSpec, OptimizerSpec, UserError, build_convnet
from tfcourse.models.networks import weights_in
from tfcourse.space.course import default_space

IMAGES = np.random.default_rng(0).normal(size=(6, 7, 6, 2)).astype("float32")
LABELS = np.arange(6) % 3
SPEC = ConvNetSpec((7, 6, 2), 3, (4, 5), units=6, scale=0.5)


def trained(spec: ConvNetSpec) -> Any:
    """Return a network after two steps, so that its moving statistics are no zeros and ones."""
    model = build_convnet(spec, OptimizerSpec("sgd", 0.1), seed=1)
    model.fit(IMAGES, LABELS, epochs=2, batch_size=6, verbose=0)
    return model


def block(images: np.ndarray, kernel: np.ndarray, gamma: Any, beta: Any, mean: Any, variance: Any) -> np.ndarray:
    """Return what a block gives, by its definition."""
    rows, height, width, _ = images.shape
    z = np.zeros((rows, height, width, kernel.shape[-1]))
    for row in range(rows):
        for place in range(kernel.shape[-1]):
            for channel in range(kernel.shape[2]):
                z[row, :, :, place] += correlate(images[row, :, :, channel], kernel[:, :, channel, place], mode="same")
    z = z[:, : height // 2 * 2, : width // 2 * 2].reshape(rows, height // 2, 2, width // 2, 2, -1).max(axis=(2, 4))
    return np.maximum(0, gamma * (z - mean) / np.sqrt(variance + 1e-3) + beta)


def test_what_it_gives_is_what_numpy_gives() -> None:
    model = trained(SPEC)
    weights = model.get_weights()
    a = 0.5 * IMAGES.astype(float)
    for number in range(2):
        a = block(a, *weights[5 * number : 5 * number + 5])
    kernel, gamma, beta, mean, variance, head, bias = weights[10:]
    z = a.reshape(6, -1) @ kernel
    hidden = np.maximum(0, gamma * (z - mean) / np.sqrt(variance + 1e-3) + beta)
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), hidden @ head + bias, atol=1e-4)


def test_images_are_shifted_and_mirrored_in_training_alone() -> None:
    spec = ConvNetSpec((7, 6, 2), 3, (4,), shift=0.3, flip=True)
    model, plain = build_convnet(spec, seed=1), build_convnet(ConvNetSpec((7, 6, 2), 3, (4,)), seed=1)
    at_rest = np.asarray(model(IMAGES, training=False))
    np.testing.assert_array_equal(at_rest, np.asarray(plain(IMAGES, training=False)))
    seen = [np.asarray(model.get_layer("flip")(model.get_layer("shift")(IMAGES, training=True), training=True))]
    assert np.abs(seen[0] - IMAGES).max() > 0.1
    again = build_convnet(spec, seed=1)
    for first, second in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_any_tuner_searches_them(tmp_path: Path) -> None:
    tuner = keras_tuner.RandomSearch(
        ConvNetHyperModel((7, 6, 2), 3, flip=True, seed=0), objective="val_loss", max_trials=2, directory=tmp_path
    )
    tuner.search(IMAGES, LABELS, validation_data=(IMAGES, LABELS), epochs=1, verbose=0)
    best = tuner.get_best_hyperparameters()[0].values
    names = {parameter.name for parameter in default_space("conv")} - {"momentum"}
    assert set(best) - {"one_minus_momentum"} == names
    assert 1e-4 <= best["learning_rate"] <= 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"filters": ()}, "filters = () was given; allowed is one number a block"),
        ({"filters": (4, 4, 4)}, "halves an image 3 times"),
        ({"shape": (7, 6)}, "shape = (7, 6) was given"),
        ({"classes": 1}, "classes = 1 was given; allowed is at least 2."),
        ({"activation": "step"}, "activation = 'step' was given; allowed is one of"),
        ({"dropout": 1.0}, "dropout = 1.0 was given"),
        ({"shift": -0.1}, "shift = -0.1 was given"),
    ],
)
def test_what_cannot_be_is_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as raised:
        ConvNetSpec(**{"shape": (7, 6, 2), "classes": 3, "filters": (4,), **change})
    assert message in str(raised.value)


def test_rows_of_a_matrix_are_images_too() -> None:
    model, flat = build_convnet(SPEC, seed=1), build_convnet(replace(SPEC, flat=True), seed=1)
    rows = IMAGES.reshape(len(IMAGES), -1)
    np.testing.assert_array_equal(np.asarray(flat(rows)), np.asarray(model(IMAGES)))
    assert weights_in(SPEC) == sum(int(np.prod(each.shape)) for each in model.trainable_weights)


def test_what_the_values_of_a_trial_become() -> None:
    hypermodel = ConvNetHyperModel((7, 6, 2), 3, rows=100, batch_size=30)
    hp = keras_tuner.HyperParameters()
    hypermodel.declare_hyperparameters(hp)
    hp.values |= {
        "blocks": 2, "filters": 8, "dense_units": 32, "optimizer": "sgd", "one_minus_momentum": 0.02,
        "learning_rate": 0.01, "learning_rate_decay": 0.5, "dropout": 0.25, "shift": 0.1,
    }  # fmt: skip
    network, optimizer, batch_size = hypermodel.specs(hp)
    assert network == ConvNetSpec((7, 6, 2), 3, (8, 16), units=32, dropout=0.25, shift=0.1)
    assert optimizer == OptimizerSpec("sgd", 0.01, momentum=0.98, decay_rate=0.5, decay_steps=4)
    assert batch_size == 30
    assert hypermodel.space["blocks"].values == (1, 2)  # 7 x 6 pixels cannot be halved three times
