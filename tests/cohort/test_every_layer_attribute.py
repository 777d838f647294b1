"""Every argument and attribute of the layers and variables that a cohort takes: as in ``Model.fit``, or refused.

The names come from Keras's own signatures and objects, so that one which a later version adds fails here until it is
decided.
"""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import layers

from tests.cohort.every import arguments_of, assert_alike, assert_refused, model_of, settable

REQUIRED: dict[type, dict[str, Any]] = {
    layers.Dense: {"units": 5},
    layers.BatchNormalization: {},
    layers.Activation: {"activation": "relu"},
    layers.ReLU: {},
    layers.Softmax: {},
    layers.Dropout: {"rate": 0.5},
    layers.Flatten: {},
}
# Trained together in one model, each dict a layer. None of the values is the default.
FOLLOWED: dict[type, list[dict[str, Any]]] = {
    layers.Dense: [
        {"units": 6, "activation": "tanh", "use_bias": False, "kernel_regularizer": keras.regularizers.L2(0.1)},
        {"kernel_initializer": "he_normal", "bias_initializer": "ones", "lora_alpha": 3.0, "name": "mine"},
    ],
    layers.BatchNormalization: [
        {"axis": 1, "momentum": 0.7, "epsilon": 0.1, "center": False},
        {"scale": False, "renorm_clipping": {"rmax": 3.0}, "renorm_momentum": 0.5, "name": "normalize"},
        {
            "beta_initializer": "ones", "gamma_initializer": keras.initializers.Constant(0.5),
            "moving_mean_initializer": "ones", "moving_variance_initializer": keras.initializers.Constant(2.0),
        },
    ],
    layers.Activation: [{"activation": "gelu", "name": "activate"}],
    layers.ReLU: [{"name": "rectify"}],
    layers.Softmax: [{"axis": 1, "name": "probabilities"}],
    layers.Dropout: [{"rate": 0.0, "seed": 3, "name": "drop"}],
    layers.Flatten: [{"data_format": "channels_first", "name": "flatten"}],
}  # fmt: skip
OF_ANY = {
    "activity_regularizer": keras.regularizers.L2(0.1),
    "trainable": False,
    "dtype": "mixed_bfloat16",
    "autocast": False,
}
REFUSED: dict[type, dict[str, Any]] = {
    layers.Dense: {
        "bias_regularizer": "l2",
        "kernel_constraint": "non_neg",
        "bias_constraint": "non_neg",
        "lora_rank": 2,
        "quantization_config": keras.quantizers.Int8QuantizationConfig(),
    },
    layers.BatchNormalization: {
        "beta_regularizer": "l2",
        "gamma_regularizer": "l2",
        "beta_constraint": "non_neg",
        "gamma_constraint": "non_neg",
        "renorm": True,
        "synchronized": True,
    },
    layers.Activation: {},
    layers.ReLU: {"max_value": 0.5, "negative_slope": 0.2, "threshold": 0.3},
    layers.Softmax: {},
    layers.Dropout: {"noise_shape": (1, 4)},
    layers.Flatten: {},
}
KINDS = [*REQUIRED]
# What may be set on a layer that is built, all of it at once: Keras reads it when it trains, or never again.
SET_FOLLOWED: dict[type, dict[str, Any]] = {
    layers.Dense: {
        "units": 9, "use_bias": False, "activation": keras.activations.tanh, "kernel_initializer": None,
        "bias_initializer": None, "kernel_regularizer": keras.regularizers.L2(0.5), "lora_alpha": 5,
    },
    layers.BatchNormalization: {
        "momentum": 0.5, "epsilon": 0.3, "beta_initializer": None, "gamma_initializer": None,
        "moving_mean_initializer": None, "moving_variance_initializer": None, "renorm_clipping": {"dmax": 1.0},
        "renorm_momentum": 0.1, "axis": 1,
    },
    layers.Activation: {"activation": keras.activations.softplus},
    layers.ReLU: {},
    layers.Softmax: {"axis": 1},
    layers.Dropout: {"rate": 0, "seed": 9},
    layers.Flatten: {"data_format": "channels_first"},
}  # fmt: skip
SET_ANY_FOLLOWED = {
    "name": "renamed",
    "supports_jit": False,
    "supports_masking": False,
    "input_spec": None,
    "built": True,
}
SET_REFUSED: dict[type, dict[str, Any]] = {
    layers.Dense: {"lora_enabled": True, "bias": None},
    layers.BatchNormalization: {
        "center": False, "scale": False, "gamma": None, "beta": None, "moving_mean": None, "moving_variance": None,
    },
}  # fmt: skip


def layer(kind: type, **arguments: Any) -> layers.Layer:
    return kind(**{"name": "it", **REQUIRED[kind], **arguments})


def in_a_model(it: layers.Layer) -> keras.Model:
    if type(it) is layers.Softmax:
        return model_of(last=[layers.Dense(3), it])
    return model_of(layers.Dense(4), it)


def with_all(settings: dict[type, list[dict[str, Any]]]) -> keras.Model:
    """Return a model of one layer for each dict, after a Dense layer each."""
    chain: list[layers.Layer] = []
    for kind, all_arguments in settings.items():
        for arguments in all_arguments:
            it = kind(**{**REQUIRED[kind], **arguments})
            if kind is not layers.Softmax:
                chain += [layers.Dense(4), it]
    return model_of(*chain, last=[layers.Dense(3), layers.Softmax(**settings[layers.Softmax][0])])


def changed(kind: type, settings: dict[str, Any]) -> keras.Model:
    """Return a model one of whose layers, already built, has got new ``settings``."""
    model = in_a_model(layer(kind))
    set_on(next(each for each in model.layers if each.name == "it"), settings)
    return model


def all_changed() -> keras.Model:
    """Return a model of all kinds of layers, each of which, already built, has got all that it may."""
    model = with_all({kind: [{}] for kind in KINDS})
    for place, each in enumerate(model.layers[1::2]):
        set_on(each, SET_FOLLOWED[type(each)] | (SET_ANY_FOLLOWED | {"name": f"renamed_{place}"}))
    return model


def set_on(it: layers.Layer, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        setattr(it, name, value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_is_decided(kind):
    followed = {name for arguments in FOLLOWED[kind] for name in arguments}
    assert followed | set(REFUSED[kind]) | set(OF_ANY) == arguments_of(kind)


def test_what_a_layer_may_be_given_is_followed_as_keras_does():
    assert_alike(lambda: with_all(FOLLOWED))


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, name, value) for kind in KINDS for name, value in {**REFUSED[kind], **OF_ANY}.items()],
)
def test_any_other_argument_of_a_layer_is_refused_by_name(kind, name, value):
    assert_refused(lambda: in_a_model(layer(kind, **{name: value})), f"'it' {name}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_attribute_is_decided(kind):
    it = layer(kind)
    in_a_model(it)
    decided = {*SET_FOLLOWED[kind], *SET_ANY_FOLLOWED, *SET_REFUSED.get(kind, {}), *REFUSED[kind], *OF_ANY}
    by_keras = {"call_signature_parameters", "seed_generator"}  # its own, of how it was called and drew
    assert settable(it) - by_keras - decided - {"dtype_policy"} == set()


def test_what_is_set_on_a_built_layer_is_followed_as_keras_does():
    assert_alike(all_changed)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        *((kind, name, value) for kind in SET_REFUSED for name, value in SET_REFUSED[kind].items()),
        *((kind, name, value) for kind in KINDS for name, value in REFUSED[kind].items()),
        *((layers.BatchNormalization, name, value) for name, value in OF_ANY.items() if name != "dtype"),
        (layers.Dense, "dtype_policy", keras.DTypePolicy("float64")),
        (layers.Dense, "call", lambda x: x),
        (layers.Dropout, "rate", 1.0),
        (layers.BatchNormalization, "epsilon", 0.0),
        (layers.Dense, "activation", lambda x: 2 * x),
    ],
)
def test_anything_else_set_on_a_built_layer_is_refused(kind, name, value):
    assert_refused(lambda: changed(kind, {name: value}), "'it'")
