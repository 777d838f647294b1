"""Compiled Keras models as members: trained as ``fit`` would train them, or refused with the reason."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.cohort.conftest import assert_same_weights
from tfcourse.cohort import NotFusableError, fit_together

TOLERANCE = 5e-6


def chain(*middle: layers.Layer, optimizer: object = "sgd", softmax: bool = True, sparse: bool = True) -> keras.Model:
    model = keras.Sequential([keras.Input((20,)), *middle, layers.Dense(4, activation="softmax" if softmax else None)])
    kind = keras.losses.SparseCategoricalCrossentropy if sparse else keras.losses.CategoricalCrossentropy
    model.compile(optimizer, kind(from_logits=not softmax), metrics=["accuracy"])
    return model


def twin(model: keras.Model) -> keras.Model:
    """Return a model like ``model``, with the same weights."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile_from_config(model.get_compile_config())
    return copy


def models() -> list[keras.Model]:
    schedules = keras.optimizers.schedules
    normalization = layers.Normalization(mean=np.arange(20) / 10, variance=np.linspace(1, 2, 20))
    return [
        chain(layers.Dense(12, activation="relu"), optimizer=keras.optimizers.SGD(0.1, weight_decay=0.01)),
        chain(
            layers.Rescaling(2.0, offset=-0.5),
            layers.Dense(15, use_bias=False, kernel_regularizer="l2"),
            layers.BatchNormalization(momentum=0.8, epsilon=1e-2, center=False),
            layers.Activation("gelu"),
            layers.BatchNormalization(scale=False),
            softmax=False,
            # Batch normalization takes out the kernel's scale; see test_equality.py for why epsilon is larger then.
            optimizer=keras.optimizers.Adam(
                schedules.CosineDecay(0.02, 8, warmup_target=0.05, warmup_steps=3), epsilon=1e-3
            ),
        ),
        chain(
            normalization,
            layers.BatchNormalization(),
            layers.Dense(9),
            layers.ReLU(),
            layers.Dense(11, activation="sigmoid"),
            optimizer=keras.optimizers.RMSprop(schedules.PiecewiseConstantDecay([2, 5], [0.02, 0.01, 0.001])),
        ),
    ]


def test_models_end_as_two_calls_of_fit_would_leave_them(data):
    x, y = data
    fit = {"epochs": 2, "batch_size": 32, "shuffle": False, "validation_data": (x[:40], y[:40])}
    ours = models()
    theirs = [twin(model) for model in ours]
    for _ in range(2):  # The second call goes on where the first stopped, optimizer and all.
        for history, our, their in zip(fit_together(ours, x, y, **fit), ours, theirs, strict=True):
            reference = their.fit(x, y, verbose=0, **fit)
            assert list(history.history) == list(reference.history)
            for name, values in reference.history.items():
                np.testing.assert_allclose(history.history[name], values, rtol=2e-5, atol=2e-6, err_msg=name)
            assert_same_weights(our.get_weights(), their.get_weights(), tolerance=TOLERANCE)
            assert history.model is our
            assert int(our.optimizer.iterations) == int(their.optimizer.iterations)
            assert_same_weights(
                [each.numpy() for each in our.optimizer.variables[2:]],
                [each.numpy() for each in their.optimizer.variables[2:]],
                tolerance=TOLERANCE,
            )


def test_images_and_rows_of_probabilities(data):
    x, y = data
    x, y = x.reshape(-1, 4, 5), keras.utils.to_categorical(y, 4)
    our = keras.Sequential(
        [keras.Input((4, 5)), layers.Flatten(), layers.Dense(8, "relu"), layers.Dense(4), layers.Softmax()]
    )
    our.compile(keras.optimizers.AdamW(0.01), "categorical_crossentropy", metrics=["categorical_accuracy"])
    their = twin(our)
    fit = {"epochs": 2, "batch_size": 50, "shuffle": False, "validation_data": (x[:30], y[:30])}
    [history] = fit_together([our], x, y, **fit)
    reference = their.fit(x, y, verbose=0, **fit)
    assert_same_weights(our.get_weights(), their.get_weights(), tolerance=TOLERANCE)
    assert set(history.history) == {"loss", "categorical_accuracy", "val_loss", "val_categorical_accuracy"}
    for name, values in reference.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=2e-5)


def branched() -> keras.Model:
    inputs = keras.Input((20,))
    a = layers.Dense(8, name="left")(inputs)
    model = keras.Model(inputs, layers.Dense(4)(layers.Add(name="sum")([a, layers.Dense(8)(inputs)])))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def compiled(model: keras.Model, *arguments: object, **named: object) -> keras.Model:
    model.compile(*arguments, **named)
    return model


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (
            lambda: chain(layers.Reshape((4, 5, 1)), layers.Conv2D(2, 2, name="conv2d"), layers.Flatten()),
            "layer 'reshape",
        ),
        (lambda: chain(layers.GaussianNoise(0.1, name="noise")), "layer 'noise' cannot be trained in a cohort"),
        (lambda: chain(layers.Dense(4, kernel_regularizer="l1", name="d")), "kernel_regularizer L1 is not supported"),
        (lambda: chain(layers.Dense(4, bias_regularizer="l2", name="d")), "layer 'd' .* it has a bias_regularizer"),
        (
            lambda: chain(layers.Dense(4, activation="exponential", name="d")),
            "activation 'exponential' is not supported",
        ),
        (lambda: chain(layers.Dense(4, trainable=False, name="d")), "layer 'd' .* frozen"),
        (lambda: chain(optimizer="adagrad"), "optimizer Adagrad cannot be trained in a cohort"),
        (lambda: chain(optimizer=keras.optimizers.Adam(clipnorm=1.0)), "Adam with clipnorm"),
        (lambda: chain(optimizer=keras.optimizers.RMSprop(momentum=0.5)), "RMSprop with momentum"),
        (branched, "not a single chain"),
        (lambda: compiled(chain(), "sgd", "mse"), "loss 'mse' cannot be trained in a cohort"),
        (lambda: compiled(chain(softmax=False), "sgd", "sparse_categorical_crossentropy"), "expects probabilities"),
        (
            lambda: compiled(
                chain(), "sgd", "sparse_categorical_crossentropy", metrics=[keras.metrics.AUC(name="auc")]
            ),
            "metric 'auc' cannot be computed in a cohort",
        ),
    ],
)
def test_what_a_cohort_cannot_train_is_refused_with_the_reason(data, build, reason):
    with pytest.raises(NotFusableError, match=reason):
        fit_together([build()], *data)


def test_a_refused_convolution_is_named(data):
    model = keras.Sequential(
        [keras.Input((4, 5, 1)), layers.Conv2D(2, 2, name="conv2d"), layers.Flatten(), layers.Dense(4)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(NotFusableError, match="layer 'conv2d' cannot be trained in a cohort"):
        fit_together([model], data[0].reshape(-1, 4, 5, 1), data[1])
