"""What a hypermodel's ``build`` may do, its model built at every layer as Keras does, or not until it is needed."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.cohort import NotFusableError
from tfcourse.cohort.from_keras import member_of_model
from tfcourse.cohort.from_unbuilt import member_of_unbuilt
from tfcourse.cohort.unbuilt import build, is_waiting, let_go, made_by

Say = Callable[[object], None]


def compiled(
    model: Any, optimizer: Any = "adam", metrics: Any = ("accuracy",), loss: Any = "sparse_categorical_crossentropy"
) -> Any:
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def chain(*hidden: Any, head: Any = None, inputs: Any = None) -> Any:
    model = keras.Sequential([inputs if inputs is not None else keras.Input((5,))])
    for layer in hidden:
        model.add(layer)
    model.add(head or layers.Dense(3, activation="softmax"))
    return model


def usual(say: Say) -> Any:
    model = keras.Sequential([keras.Input((5,))])
    for units in (8, 6):
        model.add(layers.Dense(units, kernel_regularizer=keras.regularizers.L2(1e-3)))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.Dropout(0.2))
    model.add(layers.Dense(3, activation="softmax"))
    return compiled(model, keras.optimizers.SGD(0.1, momentum=0.9))


def seeded(say: Say) -> Any:
    keras.utils.set_random_seed(9)
    return usual(say)


def shares_an_initializer(say: Say) -> Any:
    same = keras.initializers.GlorotNormal()
    return compiled(chain(layers.Dense(5, kernel_initializer=same), layers.Dense(5, kernel_initializer=same)))


READ: dict[str, Callable[[Say], Any]] = {
    "a usual network": usual,
    "a list of layers": lambda say: compiled(
        keras.Sequential(
            [keras.Input((5,)), layers.Dense(4, "tanh", use_bias=False), layers.Dense(3), layers.Softmax()]
        )
    ),
    "activation layers": lambda say: compiled(chain(layers.Dense(4), layers.Activation("gelu"))),
    "logits": lambda say: compiled(
        chain(layers.Dense(4, "elu"), head=layers.Dense(3)),
        "rmsprop",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ),
    "other initializers": lambda say: compiled(
        chain(
            layers.Dense(
                4, "selu", kernel_initializer="lecun_normal", bias_initializer=keras.initializers.Constant(0.5)
            ),
            layers.BatchNormalization(gamma_initializer=keras.initializers.RandomNormal(1.0, 0.1, seed=4), scale=True),
            layers.Dense(4, kernel_initializer=keras.initializers.HeUniform(seed=7), bias_initializer="ones"),
        )
    ),
    "no scale and no center": lambda say: compiled(
        chain(layers.Dense(4), layers.BatchNormalization(scale=False), layers.BatchNormalization(center=False))
    ),
    "one initializer for two layers": shares_an_initializer,
    "a seed of its own": seeded,
    "softmax regression": lambda say: compiled(chain(), "sgd", metrics=()),
}
"""Models that are read from their layers' settings."""


def looks_at_weights(say: Say) -> Any:
    model = chain(layers.Dense(4))
    say([tuple(weight.shape) for weight in model.weights])
    say(len(model.trainable_variables))
    return compiled(model)


def counts(say: Say) -> Any:
    model = chain(layers.Dense(4))
    say(model.count_params())
    say((model.built, model.output_shape, model.input_shape, [layer.name[:5] for layer in model.layers]))
    return compiled(model)


def looks_at_a_layer(say: Say) -> Any:
    first = layers.Dense(4)
    model = keras.Sequential([keras.Input((5,))])
    model.add(first)
    say([tuple(weight.shape) for weight in first.get_weights()])
    say(first.kernel.numpy().tolist())
    model.add(layers.Dense(3, activation="softmax"))
    return compiled(model)


def looks_at_a_kernel(say: Say) -> Any:
    first = layers.Dense(4)
    model = chain(first)
    say(first.kernel.numpy().tolist())
    say(random.random())
    return compiled(model)


def sets_weights(say: Say) -> Any:
    model = chain(layers.Dense(4))
    model.set_weights([np.full(weight.shape, 0.1, np.float32) for weight in model.weights])
    return compiled(model)


def adds_after_compiling(say: Say) -> Any:
    model = compiled(keras.Sequential([keras.Input((5,)), layers.Dense(4)]))
    model.add(layers.Dense(3, activation="softmax"))
    return model


def compiles_twice(say: Say) -> Any:
    return compiled(compiled(chain(layers.Dense(4)), "sgd"), keras.optimizers.Adam(0.02))


def pops(say: Say) -> Any:
    model = chain(layers.Dense(4), layers.Dense(9))
    model.pop()
    model.pop()
    model.add(layers.Dense(3, activation="softmax"))
    return compiled(model)


def summarizes(say: Say) -> Any:
    model = chain(layers.Dense(4))
    text = io.StringIO()
    model.summary(print_fn=lambda line, **_: text.write(line))
    say("Total params" in text.getvalue())
    return compiled(model)


def calls_it(say: Say) -> Any:
    model = chain(layers.Dense(4))
    say(np.asarray(model(np.ones((2, 5), np.float32))).tolist())
    return compiled(model)


def nests_it(say: Say) -> Any:
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(4)])
    return compiled(keras.Sequential([keras.Input((5,)), inner, layers.Dense(3, activation="softmax")]))


def goes_on_functionally(say: Say) -> Any:
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(4)])
    inputs = keras.Input((5,))
    return compiled(keras.Model(inputs, layers.Dense(3, activation="softmax")(inner(inputs))))


def sets_an_attribute(say: Say) -> Any:
    model = chain(layers.Dense(4))
    model.own = "mine"
    model = compiled(model)
    say((model.own, type(model.optimizer), model.loss))
    return model


def changes_the_optimizer(say: Say) -> Any:
    model = compiled(chain(layers.Dense(4)))
    model.optimizer.learning_rate = 0.5
    return model


def freezes_a_layer(say: Say) -> Any:
    model = chain(layers.Dense(4))
    model.layers[0].trainable = False
    return compiled(model)


def freezes_a_layer_that_it_holds(say: Say) -> Any:
    first = layers.Dense(4)
    model = compiled(chain(first))
    first.trainable = False
    return model


def draws_in_a_row(say: Say) -> Any:
    seeds = keras.random.SeedGenerator(3)
    first = keras.initializers.RandomUniform(seed=seeds)
    return compiled(chain(layers.Dense(4, kernel_initializer=first), layers.Dense(4, kernel_initializer=first)))


def draws_with_numpy(say: Say) -> Any:
    def own(shape: Any, dtype: Any = None) -> Any:
        return np.random.normal(size=shape).astype("float32")

    return compiled(chain(layers.Dense(4, kernel_initializer=own)))


def asks_forgiveness(say: Say) -> Any:
    model = chain(layers.Dense(4))
    with contextlib.suppress(AttributeError, ValueError):
        say(model.output.shape)
    return compiled(model)


BUILT: dict[str, Callable[[Say], Any]] = {
    "flattens": lambda say: compiled(chain(layers.Flatten(), layers.Dense(4), inputs=keras.Input((5, 1)))),
    "no input": lambda say: compiled(keras.Sequential([layers.Dense(4), layers.Dense(3, activation="softmax")])),
    "another kind of layer": lambda say: compiled(chain(layers.Dense(4), layers.GaussianNoise(0.1))),
    "another setting": lambda say: compiled(chain(layers.Dense(4), layers.ReLU(max_value=6))),
    "whole numbers": lambda say: compiled(chain(layers.Dense(4), inputs=keras.Input((5,), dtype="int32"))),
    "not compiled": lambda say: chain(layers.Dense(4)),
    "a layer after the softmax": lambda say: compiled(chain(layers.Dense(4, "softmax"))),
    "another loss": lambda say: compiled(chain(layers.Dense(4)), loss="mse"),
    "another metric": lambda say: compiled(chain(layers.Dense(4)), metrics=("auc",)),
    "a constraint": lambda say: compiled(chain(layers.Dense(4, kernel_constraint="max_norm"))),
    "an optimizer with a clip": lambda say: compiled(chain(layers.Dense(4)), keras.optimizers.Adam(clipnorm=1.0)),
    **{
        each.__name__.replace("_", " "): each
        for each in (
            looks_at_weights, counts, looks_at_a_layer, looks_at_a_kernel, sets_weights, adds_after_compiling,
            compiles_twice, pops, summarizes, calls_it, nests_it, goes_on_functionally, sets_an_attribute,
            changes_the_optimizer, freezes_a_layer, freezes_a_layer_that_it_holds, draws_in_a_row, draws_with_numpy,
            asks_forgiveness,
        )
    },
}  # fmt: skip
"""Models that Keras builds: their ``build`` looks at them, or they are of a kind that is not read."""


def plainly(make: Callable[[Say], Any]) -> tuple[Any, list[object]]:
    """Return what is made as Keras makes it, and what it said."""
    said: list[object] = []
    keras.utils.set_random_seed(5)
    return make(said.append), said


def waiting(make: Callable[[Say], Any]) -> tuple[Any, list[object]]:
    """Return the same of a model that is not built until it is looked at."""
    said: list[object] = []

    def again() -> Any:
        said.clear()
        return make(said.append)

    keras.utils.set_random_seed(5)
    return made_by(again), said


def settings(model: Any) -> tuple[Any, ...]:
    """Return what a model is, but for the names of its layers."""
    kinds = [(type(layer).__name__, [tuple(weight.shape) for weight in layer.weights]) for layer in model.layers]
    optimizer = {**model.optimizer.get_config(), "name": ""} if getattr(model, "compiled", False) else None
    loss = getattr(model, "loss", None)
    return type(model), kinds, model.built, optimizer, loss if isinstance(loss, str | None) else loss.get_config()


def member_or_reason(model: Any) -> Any:
    """Return the member of a model, or why there is none."""
    try:
        return member_of_model(model, seed=3)
    except NotFusableError as error:
        return str(error).split("'")[0]


def check_same_member(one: Any, other: Any) -> None:
    for field in ("layers", "inputs", "seed", "sparse", "accuracy", "key", "optimizer"):
        assert getattr(one, field) == getattr(other, field), field
    for ours, theirs in zip(one.start().weights, other.start().weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype == np.float32


@pytest.mark.parametrize("make", READ.values(), ids=READ)
def test_a_model_that_is_not_built_is_the_member_of_the_one_that_is(make: Callable[[Say], Any]) -> None:
    model, _ = waiting(make)
    after = random.random()
    assert is_waiting(model)
    let_go(model)
    member = member_of_unbuilt(model, seed=3)
    assert member is not None
    assert all(not layer.weights for layer in model._layers)
    plain, _ = plainly(make)
    assert random.random() == after, "as many random numbers are drawn"
    check_same_member(member, member_of_model(plain, seed=3))


@pytest.mark.parametrize("make", [*READ.values(), *BUILT.values()], ids=[*READ, *BUILT])
def test_a_model_that_was_built_late_is_the_one_that_keras_builds(make: Callable[[Say], Any]) -> None:
    plain, expected = plainly(make)
    after = random.random()
    model, said = waiting(make)
    assert random.random() == after
    if is_waiting(model):
        build(model)
    assert said == expected
    assert settings(model) == settings(plain)
    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    ours, theirs = member_or_reason(model), member_or_reason(plain)
    if isinstance(theirs, str):
        assert ours == theirs
    else:
        check_same_member(ours, theirs)


@pytest.mark.parametrize("make", BUILT.values(), ids=BUILT)
def test_what_is_not_read_is_said_by_the_model_that_is_built(make: Callable[[Say], Any]) -> None:
    model, _ = waiting(make)
    if not is_waiting(model):
        return
    let_go(model)
    member = member_of_unbuilt(model, seed=3)
    plain, _ = plainly(make)
    if member is not None:
        check_same_member(member, member_of_model(plain, seed=3))
    build(model)
    assert model.built == plain.built


def test_a_build_that_fails_fails_as_it_does_with_keras() -> None:
    calls: list[float] = []

    def fails() -> Any:
        calls.append(random.random())
        chain(layers.Dense(4))
        raise ValueError("too large")

    random.seed(1)
    with pytest.raises(ValueError, match="too large"):
        made_by(fails)
    assert len(calls) == 2
    assert calls[0] == calls[1], "the second try draws what the first one drew"
    assert not is_waiting(chain(layers.Dense(4)))
    assert chain(layers.Dense(4)).built


def test_training_goes_on_from_a_model_that_waited() -> None:
    x, y = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32), np.arange(40) % 3
    curves = []
    for make in (lambda: plainly(usual)[0], lambda: waiting(usual)[0]):
        model = make()
        keras.utils.set_random_seed(1)
        curves.append(model.fit(x, y, epochs=2, batch_size=8, verbose=0, shuffle=False).history)
    assert curves[0] == curves[1]
