"""Every attribute of a model and its variables, and every way to put one together: as in ``Model.fit``, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.cohort.every import X, Y, again, assert_alike, assert_refused, model_of, settable
from tfcourse.cohort import NotFusableError, fit_together
from tfcourse.errors import UserError
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

VARIABLES = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
SET_ON_VARIABLES: dict[str, Any] = {
    "trainable": False,
    "regularizer": keras.regularizers.L1(0.1),
    "constraint": keras.constraints.MaxNorm(0.1),
    "overwrite_with_gradient": True,
}
ONES = np.ones((1,), bool)
KERAS_KEEPS = {"layout"}  # of the JAX backend
SET_ON_MODELS: dict[str, Any] = {
    "loss": "mse", "stop_training": True, "steps_per_execution": 2, "name": "mine", "run_eagerly": True,
    "jit_compile": False, "supports_jit": False, "supports_masking": False, "built": True, "compiled": True,
    "distribute_reduction_method": "sum", "input_spec": None, "unrolled_steps_per_execution": 2,
    "predict_function": None, "test_function": None, "train_function": None,
}  # fmt: skip
REFUSED_ON_MODELS: dict[str, Any] = {
    "activity_regularizer": keras.regularizers.L2(0.1),
    "autocast": False,
    "trainable": False,
    "dtype_policy": keras.DTypePolicy("mixed_float16"),
    "train_function": lambda iterator: {},
    "train_step": lambda data: {},
    "compute_loss": lambda *_: 0.0,
}


def normalized(**compiled: Any) -> keras.Model:
    return model_of(layers.Dense(4, name="it"), layers.BatchNormalization(name="it_too"), **compiled)


def variable(model: keras.Model, name: str) -> Any:
    return next(getattr(layer, name) for layer in model.layers if getattr(layer, name, None) is not None)


def with_variable(variable_name: str, attribute: str, value: object) -> keras.Model:
    model = normalized()
    setattr(variable(model, variable_name), attribute, value)
    return model


def test_every_attribute_of_a_variable_is_decided():
    assert settable(variable(normalized(), "kernel")) - KERAS_KEEPS == set(SET_ON_VARIABLES)


@pytest.mark.parametrize("attribute", SET_ON_VARIABLES)
@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_of_its_own_kind_is_refused_by_name(name, attribute):
    value = SET_ON_VARIABLES[attribute] if (name, attribute)[0][:6] != "moving" or attribute != "trainable" else True
    if name == "kernel" and attribute == "regularizer":
        assert_refused(lambda: with_variable(name, attribute, value), "'it' kernel regularizer L1")
    else:
        assert_refused(lambda: with_variable(name, attribute, value), f"'it {name} {attribute}")


def test_a_kernels_own_regularizer_is_followed():
    assert_alike(lambda: with_variable("kernel", "regularizer", keras.regularizers.L2(0.5)))


class OwnDense(layers.Dense):
    """A layer with code of its own."""

    def call(self, inputs, training=None):
        return 2 * super().call(inputs)


class OwnTrainStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class OwnLoss(keras.Sequential):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return 2 * super().compute_loss(x, y, y_pred, sample_weight, training)


class OwnInput(layers.InputLayer):
    def call(self):
        return super().call()


def functional(*, between: Any = lambda tensor: tensor, kind: type = keras.Model, wrap: Any = None) -> keras.Model:
    inputs = keras.Input((4,), name="a")
    outputs = layers.Dense(3, activation="softmax", name="head")(between(layers.Dense(4, name="it")(inputs)))
    wrap = wrap or (lambda inputs, outputs: (inputs, outputs))
    return again(kind(*wrap(inputs, outputs)))


def set_on(model: keras.Model, **attributes: Any) -> keras.Model:
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def frozen_but_for_its_layers() -> keras.Model:
    model = set_on(normalized(), trainable=False)
    for layer in model.layers:
        layer.trainable = True
    return model


def with_a_variable(trainable: bool) -> keras.Model:
    model = functional()
    model.more = keras.Variable([0.0], trainable=trainable, name="more")
    return model


def fitted() -> keras.Model:
    model = normalized()
    model.fit(X, Y, epochs=1, verbose=0)
    return model


def named(layer: str, model: keras.Model) -> Any:
    return next(each for each in model.layers if each.name == layer)


def with_rank_two() -> keras.Model:
    model = normalized()
    named("it", model).enable_lora(2)
    return model


def quantized() -> keras.Model:
    model = normalized()
    named("it", model).quantize("int8")
    return model


def summed_loss() -> keras.Model:
    model = normalized()
    model.add_loss(tf.constant(3.0))  # Keras forgets what is added outside of a call
    return model


def outlived_compile() -> keras.Model:
    """Return a model compiled a second time, without loss and metrics: Keras keeps those of the first."""
    model = normalized(metrics=["accuracy"])
    model.compile(keras.optimizers.SGD(0.5), run_eagerly=True)
    return model


def test_every_way_to_put_a_chain_together_is_followed():
    assert_alike(
        lambda: functional(wrap=lambda inputs, outputs: ([inputs], [outputs])),
        lambda: functional(between=lambda tensor: layers.BatchNormalization()(tensor, training=False)),
        lambda: with_a_variable(trainable=False),
        summed_loss,
        outlived_compile,
        lambda: set_on(normalized(), **SET_ON_MODELS, optimizer=keras.optimizers.SGD(0.3)),
    )


def test_every_attribute_of_a_model_is_decided():
    given = {"layers", "call_signature_parameters", "output_names"}  # Keras has no setter for these, or reads them once
    assert settable(normalized()) | settable(functional()) <= {*SET_ON_MODELS, *REFUSED_ON_MODELS, "optimizer"} | given


@pytest.mark.parametrize("name", REFUSED_ON_MODELS)
@pytest.mark.parametrize("build", [normalized, functional])
def test_an_attribute_that_would_change_the_training_is_refused(build, name):
    words = {"train_function": "trained by Keras", "dtype_policy": "dtype"}.get(name, name)
    assert_refused(lambda: set_on(build(), **{name: REFUSED_ON_MODELS[name]}), words)


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (lambda: model_of(OwnDense(4, name="it")), "'it' OwnDense"),
        (lambda: functional(kind=OwnTrainStep), "OwnTrainStep"),
        (lambda: again(OwnLoss([keras.Input((4,)), layers.Dense(3, "softmax")])), "OwnLoss"),
        (frozen_but_for_its_layers, "frozen"),
        (lambda: with_a_variable(trainable=True), "'more'"),
        (lambda: set_on(functional(), mean=keras.metrics.Mean(name="mine")), "'mine'"),
        (lambda: functional(between=lambda t: layers.BatchNormalization(name="n")(t, mask=ONES)), "'n' mask"),
        (lambda: functional(wrap=lambda inputs, outputs: ({"a": inputs}, outputs)), "dict"),
        (lambda: functional(wrap=lambda inputs, outputs: (inputs, {"a": outputs})), "dict"),
        (lambda: functional(wrap=lambda inputs, outputs: (inputs, [outputs, outputs])), "several"),
        (lambda: model_of(keras.Sequential([keras.Input((4,)), layers.Dense(4)], name="nested")), "'nested'"),
        (lambda: model_of(last=[layers.Dense(1, activation="softmax")]), "2 classes"),
        (with_rank_two, "'it' lora"),
        (quantized, "'it' int8"),
        (fitted, "compile again"),
    ],
)
def test_a_model_of_its_own_kind_is_refused_by_name(build, names):
    assert_refused(build, names)


@pytest.fixture
def keras_as_it_was() -> Iterator[None]:
    kept = keras.config.floatx(), keras.config.dtype_policy(), keras.config.image_data_format(), keras.config.epsilon()
    yield
    keras.config.set_floatx(kept[0])
    keras.config.set_dtype_policy(kept[1])
    keras.config.set_image_data_format(kept[2])
    keras.config.set_epsilon(kept[3])


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_another_floatx_is_refused_before_and_after_the_model_is_built(keras_as_it_was, dtype):
    before = normalized()
    keras.config.set_floatx(dtype)
    assert_refused(lambda: before, f"floatx {dtype}")
    assert_refused(normalized, dtype)
    with pytest.raises(NotFusableError, match=f"a cohort trains as Keras does by default. Keras's floatx is '{dtype}'"):
        fit_together([(NetworkSpec(4, 3), OptimizerSpec())], X, Y)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_another_dtype_policy_is_refused(keras_as_it_was, policy):
    keras.config.set_dtype_policy(policy)
    assert_refused(normalized, policy)
    with pytest.raises(
        NotFusableError, match=f"a cohort trains as Keras does by default. Keras's dtype policy is '{policy}'"
    ):
        fit_together([(NetworkSpec(4, 3), OptimizerSpec())], X, Y)


def test_other_settings_of_keras_are_followed(keras_as_it_was):
    keras.config.set_image_data_format("channels_first")
    keras.config.set_epsilon(1e-2)
    assert_alike(
        lambda: again(keras.Sequential([keras.Input((2, 2)), layers.Flatten(), layers.Dense(3, activation="softmax")])),
        x=X.reshape(-1, 2, 2),
    )


def test_rows_of_another_shape_are_told_as_keras_tells_them():
    model = again(keras.Sequential([keras.Input((1, 4)), layers.Flatten(), layers.Dense(3, "softmax")]))
    with pytest.raises(UserError, match=r"rows of shape \(4, 1\), but the model takes rows of shape \(1, 4\)"):
        fit_together([model], X[:, :, np.newaxis], Y)
