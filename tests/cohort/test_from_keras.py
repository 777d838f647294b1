"""Compiled Keras models as members: trained as ``fit`` would train them, or refused with the reason."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import scipy.sparse
from keras import layers

from tests.cohort.conftest import assert_same_weights
from tfcourse.cohort import NotFusableError, fit_together
from tfcourse.cohort.layers import ACTIVATIONS
from tfcourse.errors import UserError

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


class Own(keras.Model):
    """A model with code of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(4, activation="softmax")

    def call(self, x):
        return self.dense(x)


def relu(x):
    """An activation of the user's own under a name of Keras's."""
    return keras.ops.maximum(x, 0.1)


def sparse_categorical_crossentropy(y_true, y_pred):
    """A loss of the user's own under a name of Keras's."""
    return keras.losses.sparse_categorical_crossentropy(y_true, y_pred) * 2


def shared() -> keras.Model:
    inputs, twice = keras.Input((20,)), layers.Dense(20, name="twice")
    model = keras.Model(inputs, layers.Dense(4, activation="softmax")(twice(twice(inputs))))
    return compiled(model, "sgd", "sparse_categorical_crossentropy")


def two_inputs() -> keras.Model:
    inputs = [keras.Input((10,)), keras.Input((10,))]
    model = keras.Model(inputs, layers.Dense(4, activation="softmax")(layers.Concatenate()(inputs)))
    return compiled(model, "sgd", "sparse_categorical_crossentropy")


def with_loss(loss: object, **named: object) -> keras.Model:
    return compiled(chain(), "sgd", loss, **named)


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
        (
            lambda: chain(layers.Dense(4, activation="exponential", name="d")),
            "activation 'exponential' is not supported",
        ),
        (lambda: chain(optimizer="adagrad"), "optimizer Adagrad cannot be trained in a cohort"),
        (branched, "not a single chain"),
        (lambda: compiled(chain(), "sgd", "mse"), "loss 'mse' cannot be trained in a cohort"),
        (lambda: compiled(chain(softmax=False), "sgd", "sparse_categorical_crossentropy"), "expects probabilities"),
        (
            lambda: compiled(
                chain(), "sgd", "sparse_categorical_crossentropy", metrics=[keras.metrics.AUC(name="auc")]
            ),
            "metric 'auc' cannot be computed in a cohort",
        ),
        (lambda: compiled(Own(), "sgd", "sparse_categorical_crossentropy"), "class 'Own' .* code of its own"),
        (lambda: keras.Sequential([keras.Input((20,)), layers.Dense(4)]), "not compiled; call model.compile"),
        (lambda: compiled(keras.Sequential([layers.Dense(4)]), "sgd", "mse"), "not built; give it a keras.Input"),
        (lambda: compiled(keras.Model(*[keras.Input((20,))] * 2), "sgd", "mse"), "has no layers"),
        (shared, "layer 'twice' .* not a single chain"),
        (two_inputs, "several inputs or outputs"),
        (
            lambda: compiled(
                keras.Sequential([keras.Input((20,)), layers.Softmax(), layers.Dense(4, name="after")]), "sgd", "mse"
            ),
            "layer 'after' .* it follows the softmax",
        ),
        (
            lambda: compiled(keras.Sequential([keras.Input((20,)), layers.Dense(4), layers.ReLU()]), "sgd", "mse"),
            "classifiers whose last layer is Dense",
        ),
        (lambda: chain(layers.Dense(4, activation=relu, name="d")), "layer 'd' .* activation 'relu' is not supported"),
        (lambda: chain(layers.Dense(4, dtype="float64", name="d")), "layer 'd' .* its dtype is float64"),
        (lambda: chain(layers.Rescaling(2.0, activity_regularizer="l2", name="n")), "layer 'n' .* activity_regul"),
        (lambda: chain(optimizer=keras.optimizers.Adam(epsilon=0.0)), "Adam .* epsilon > 0 must hold"),
        (lambda: with_loss(sparse_categorical_crossentropy), "loss 'sparse_categorical_crossentropy' cannot"),
        (lambda: with_loss("sparse_categorical_crossentropy", metrics=["accuracy", "mse"]), "one accuracy metric"),
        (
            lambda: with_loss("sparse_categorical_crossentropy", metrics=["categorical_accuracy"]),
            "metric 'categorical_",
        ),
        (
            lambda: with_loss("sparse_categorical_crossentropy", metrics=[keras.metrics.sparse_categorical_accuracy]),
            "metric 'sparse_categorical_accuracy' cannot be computed",
        ),
        (
            lambda: with_loss("sparse_categorical_crossentropy", metrics={"dense": ["accuracy"]}),
            "metrics by the output's name",
        ),
        (
            lambda: with_loss(
                "sparse_categorical_crossentropy", metrics=[keras.metrics.SparseCategoricalAccuracy("top")]
            ),
            "metric 'top' .* higher is better",
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


def test_labels_that_are_not_of_the_losss_kind_and_one_model_twice_are_told(data):
    x, y = data
    with pytest.raises(UserError, match="The loss takes class numbers, but y holds rows of probabilities"):
        fit_together([chain()], x, keras.utils.to_categorical(y, 4))
    with pytest.raises(
        UserError, match=r"The loss takes rows of probabilities, .* compile with sparse_categorical_cross"
    ):
        fit_together([chain(sparse=False)], x, y)
    with pytest.raises(UserError, match="The loss takes class numbers, but y holds rows of probabilities"):
        fit_together([chain()], x, y, validation_data=(x, keras.utils.to_categorical(y, 4)))
    model = chain()
    with pytest.raises(UserError, match="The same model was given twice"):
        fit_together([model, model], x, y)


def test_models_that_share_what_training_changes_are_told(data):
    x, y = data
    common = layers.Dense(20)
    with pytest.raises(UserError, match="share a layer or an optimizer"):
        fit_together([chain(common), chain(common)], x, y)
    optimizer = keras.optimizers.SGD()
    with pytest.raises(UserError, match="share a layer or an optimizer"):
        fit_together([chain(optimizer=optimizer), chain(optimizer=optimizer)], x, y)


def test_data_that_do_not_fit_are_told(data):
    x, y = data
    with pytest.raises(UserError, match="x has 19 features, but the network takes 20"):
        fit_together([chain()], x[:, 1:], y)
    with pytest.raises(UserError, match="x has 18 features, but the network takes 20"):
        fit_together([chain()], x, y, validation_data=(x[:, 2:], y))
    with pytest.raises(UserError, match="batch_size must be at least 1, but 0"):
        fit_together([chain()], x, y, batch_size=0)
    with pytest.raises(NotFusableError, match="needs x and y as arrays of one row an example, and got"):
        fit_together([chain()], scipy.sparse.csr_matrix(x), y)
    with pytest.raises(NotFusableError, match="rows of y that are probabilities"):
        fit_together([chain(sparse=False)], x, np.ones((len(x), 4)))


def test_an_input_of_whole_numbers_cuts_fractions_off_as_keras_does(data):
    x, y = data
    whole, real = (
        keras.Sequential([keras.Input((20,), dtype=kind), layers.Rescaling(0.5), layers.Dense(4, "softmax")])
        for kind in ("int32", "float32")
    )
    for model in (whole, real):
        model.compile("sgd", "sparse_categorical_crossentropy")
    real.set_weights(whole.get_weights())
    theirs = [twin(model) for model in (whole, real)]
    fit = {"epochs": 2, "batch_size": 50, "shuffle": False}
    histories = fit_together([whole, real], 3 * x, y, **fit)
    for history, their in zip(histories, theirs, strict=True):
        reference = their.fit(3 * x, y, verbose=0, **fit)
        np.testing.assert_allclose(history.history["loss"], reference.history["loss"], rtol=2e-5)
    assert histories[0].history["loss"][0] != pytest.approx(histories[1].history["loss"][0], rel=1e-2)


@pytest.mark.parametrize("part", range(3))
def test_every_activation_is_keras_own_and_padded_units_stay_out_of_it(data, part):
    names = [name for name in ACTIVATIONS if name != "linear"][part::3]
    ours = chain(*(layers.Dense(9 + place, activation=name) for place, name in enumerate(names)))
    theirs = twin(ours)
    fit = {"epochs": 3, "batch_size": 50, "shuffle": False}
    fit_together([ours], *data, **fit)
    theirs.fit(*data, verbose=0, **fit)
    assert_same_weights(ours.get_weights(), theirs.get_weights(), tolerance=TOLERANCE)
