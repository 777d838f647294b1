"""Every argument of the optimizers, losses, metrics and ``compile``: as in ``Model.fit``, or refused by name."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest
from keras import losses, metrics, optimizers

from tests.cohort.every import FIT, X, Y, arguments_of, assert_alike, assert_refused, model_of
from tfcourse.cohort import fit_together
from tfcourse.cohort.from_keras_optimizer import optimizer_of

BASE = {
    "learning_rate": 0.02, "weight_decay": 0.1, "name": "mine", "ema_momentum": 0.5, "ema_overwrite_frequency": 3,
}  # fmt: skip
FOLLOWED: dict[type, dict[str, Any]] = {
    optimizers.SGD: {**BASE, "momentum": 0.8, "nesterov": True},
    # Epsilon: where a gradient is almost 0, a step turns its rounding into a whole step.
    optimizers.RMSprop: {**BASE, "rho": 0.8, "epsilon": 1e-2},
    optimizers.Adam: {**BASE, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2},
    optimizers.AdamW: {**BASE, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2},
}
OF_ANY = {
    "clipnorm": 0.1,
    "clipvalue": 0.1,
    "global_clipnorm": 0.1,
    "use_ema": True,
    "loss_scale_factor": 8.0,
    "gradient_accumulation_steps": 2,
}
REFUSED: dict[type, dict[str, Any]] = {
    optimizers.SGD: {},
    optimizers.RMSprop: {"momentum": 0.5, "centered": True},
    optimizers.Adam: {"amsgrad": True},
    optimizers.AdamW: {"amsgrad": True},
}
LOSS_FOLLOWED = {"from_logits": True, "reduction": "mean", "name": "mine"}
LOSS_REFUSED: dict[type, dict[str, Any]] = {
    losses.SparseCategoricalCrossentropy: {"ignore_class": 1, "axis": 0, "dtype": "float16"},
    losses.CategoricalCrossentropy: {"label_smoothing": 0.1, "axis": 0, "dtype": "float16"},
}
ACCURACIES = [metrics.SparseCategoricalAccuracy, metrics.CategoricalAccuracy]
SPARSE = "sparse_categorical_crossentropy"
COMPILE_FOLLOWED = {
    "optimizer": "sgd", "loss": SPARSE, "metrics": ["acc"], "weighted_metrics": [], "run_eagerly": True,
    "steps_per_execution": 3, "jit_compile": False, "auto_scale_loss": False,
}  # fmt: skip
COMPILE_REFUSED = {"loss_weights": [2.0], "weighted_metrics": ["accuracy"]}


def with_optimizer(optimizer: keras.optimizers.Optimizer, **settings: Any) -> keras.Model:
    model = model_of(keras.layers.Dense(4), optimizer=optimizer)
    for name, value in settings.items():
        setattr(optimizer, name, value)
    return model


@pytest.mark.parametrize("kind", FOLLOWED)
def test_every_argument_of_an_optimizer_is_decided(kind):
    assert set(FOLLOWED[kind]) | set(REFUSED[kind]) | set(OF_ANY) == arguments_of(kind)


def begun() -> keras.Model:
    """Return a model whose optimizer has averages and steps, and goes by another order of the variables."""
    model = with_optimizer(optimizers.Adam(0.05, epsilon=1e-2))
    model.optimizer.build(model.trainable_variables[::-1])
    for place, each in enumerate(model.optimizer.variables[2:]):
        each.assign(np.full(each.shape, 0.01 * (place + 1)))
    model.optimizer.iterations.assign(7)
    return model


class WarmUp(optimizers.schedules.LearningRateSchedule):
    """A schedule of the user's own."""

    def __call__(self, step):
        return 0.1 * keras.ops.minimum(1.0, (keras.ops.cast(step, "float32") + 1) / 4)


def test_what_an_optimizer_may_be_given_is_followed_as_keras_does():
    assert_alike(
        *(lambda kind=kind: with_optimizer(kind(**FOLLOWED[kind])) for kind in FOLLOWED),
        begun,
        lambda: with_optimizer(optimizers.SGD(WarmUp())),
        lambda: with_optimizer(optimizers.SGD(0.1), learning_rate=0.7, momentum=0.5, weight_decay=0.2),
    )


class OwnAdam(optimizers.Adam):
    """An optimizer with code of its own."""

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate / 2)


def built_before(**settings: Any) -> keras.Model:
    model = with_optimizer(optimizers.SGD(0.1))
    model.optimizer.build(model.trainable_variables)
    for name, value in settings.items():
        setattr(model.optimizer, name, value)
    return model


def built_for_fewer() -> keras.Model:
    model = with_optimizer(optimizers.Adam())
    model.optimizer.build(model.trainable_variables[1:])
    return model


def without_decay(**what: Any) -> keras.Model:
    model = with_optimizer(optimizers.AdamW(weight_decay=0.1))
    model.optimizer.exclude_from_weight_decay(**(what or {"var_list": model.layers[0].trainable_variables}))
    return model


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, name, value) for kind in FOLLOWED for name, value in {**REFUSED[kind], **OF_ANY}.items()],
)
def test_any_other_argument_of_an_optimizer_is_refused_by_name(kind, name, value):
    assert_refused(lambda: with_optimizer(kind(**{name: value})), f"{kind.__name__} {name}")
    if name not in ("use_ema", "gradient_accumulation_steps"):  # Keras needs these two from the beginning
        assert_refused(lambda: with_optimizer(kind(), **{name: value}), f"{kind.__name__} {name}")


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (lambda: with_optimizer(OwnAdam()), "OwnAdam"),
        (lambda: with_optimizer(optimizers.SGD(), update_step=lambda *_: None), "SGD update_step replaced"),
        (lambda: with_optimizer(optimizers.SGD(lambda: 0.1)), "SGD learning rate"),
        (lambda: built_before(momentum=0.9), "SGD momentum"),
        (built_for_fewer, "Adam built"),
        (without_decay, "exclude_from_weight_decay"),
        (lambda: without_decay(var_names=["bias"]), "exclude_from_weight_decay"),
    ],
)
def test_an_optimizer_of_its_own_kind_is_refused(build, names):
    assert_refused(build, names)


WRAPPERS = {"LossScaleOptimizer": [optimizers.SGD()], "MultiOptimizer": [lambda variable: optimizers.SGD()]}


OTHERS = [
    kind
    for _, kind in inspect.getmembers(optimizers, inspect.isclass)
    if issubclass(kind, optimizers.Optimizer) and kind not in (*FOLLOWED, optimizers.Optimizer)
]


@pytest.mark.parametrize("kind", OTHERS)
def test_every_other_optimizer_of_keras_is_refused(kind):
    optimizer = kind(*WRAPPERS.get(kind.__name__, []))
    assert_refused(lambda: with_optimizer(optimizer), kind.__name__)


SCHEDULES: dict[str, list[Any]] = {
    "CosineDecay": [0.1, 8, 0.2, "mine", 0.3, 3],
    "CosineDecayRestarts": [0.1, 3],
    "ExponentialDecay": [0.1, 3, 0.5, True],
    "InverseTimeDecay": [0.1, 3, 0.5, True],
    "PiecewiseConstantDecay": [[2, 5], [0.1, 0.2, 0.3]],
    "PolynomialDecay": [0.1, 8, 0.01, 2.0, True],
}


def test_every_schedule_of_keras_gives_its_rates():
    kinds = dict(inspect.getmembers(optimizers.schedules, inspect.isclass))
    assert set(kinds) - {"LearningRateSchedule"} == set(SCHEDULES)
    for name, arguments in SCHEDULES.items():
        schedule = kinds[name](*arguments)
        ours = optimizer_of(optimizers.SGD(schedule)).rates(np.arange(12))
        np.testing.assert_allclose(ours, [float(schedule(step)) for step in range(12)], rtol=1e-6, err_msg=name)


def with_loss(loss: Any, **compiled: Any) -> keras.Model:
    return model_of(last=[keras.layers.Dense(3)], loss=loss, **compiled)


def set_on(thing: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(thing, name, value)
    return thing


@pytest.mark.parametrize("kind", LOSS_REFUSED)
def test_every_argument_of_a_loss_is_decided(kind):
    assert set(LOSS_FOLLOWED) | set(LOSS_REFUSED[kind]) | {"fn"} == arguments_of(kind)
    for name, value in LOSS_REFUSED[kind].items():
        y = Y if kind is losses.SparseCategoricalCrossentropy else keras.utils.to_categorical(Y, 3)
        loss = {"from_logits": True, name: value}
        assert_refused(lambda loss=loss: with_loss(kind(**loss)), f"loss {name}", y=y)


def test_what_a_loss_may_be_given_is_followed_as_keras_does():
    # Keras trains by what the loss was built with; the attribute is for its configuration.
    spoilt = {"from_logits": False, "ignore_class": 2}
    assert_alike(lambda: with_loss(set_on(losses.SparseCategoricalCrossentropy(**LOSS_FOLLOWED), **spoilt)))
    one_hot = keras.utils.to_categorical(Y, 3)
    assert_alike(lambda: with_loss(losses.CategoricalCrossentropy(**LOSS_FOLLOWED), metrics=["accuracy"]), y=one_hot)


class OwnLoss(losses.SparseCategoricalCrossentropy):
    """A loss with code of its own."""

    def call(self, y_true, y_pred):
        return 2 * super().call(y_true, y_pred)


class SparseCategoricalAccuracy(metrics.SparseCategoricalAccuracy):
    """A metric of the user's own under a name of Keras's."""

    def result(self):
        return 1 - super().result()


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (None, "loss"),
        (OwnLoss(from_logits=True), "OwnLoss"),
        (set_on(losses.SparseCategoricalCrossentropy(True), call=lambda *_: 0.0), "call replaced"),
        (set_on(losses.SparseCategoricalCrossentropy(True), fn=lambda *_, **__: 0.0), "fn replaced"),
        (set_on(losses.SparseCategoricalCrossentropy(True), reduction="sum"), "reduction 'sum'"),
        (losses.SparseCategoricalCrossentropy(True, reduction="mean_with_sample_weight"), "reduction"),
        (losses.SparseCategoricalCrossentropy(True, reduction=None), "reduction None"),
        (lambda y, p: keras.ops.mean(p), "<lambda>"),
        ([losses.SparseCategoricalCrossentropy(True)] * 2, "loss"),
        ({"head": losses.SparseCategoricalCrossentropy(True)}, "loss"),
        ("crossentropy", "'crossentropy'"),
        (losses.CategoricalFocalCrossentropy(from_logits=True), "CategoricalFocalCrossentropy"),
    ],
)
def test_another_loss_is_refused(loss, names):
    assert_refused(lambda: with_loss(loss), names)


@pytest.mark.parametrize("kind", ACCURACIES)
def test_every_argument_of_a_metric_is_decided(kind):
    assert arguments_of(kind) == {"name", "dtype", "fn"}
    assert_refused(lambda: model_of(metrics=[kind(dtype="float16")]), "metric categorical_accuracy")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ([SparseCategoricalAccuracy()], "metric 'sparse_categorical_accuracy'"),
        ([set_on(metrics.SparseCategoricalAccuracy(), result=lambda: 1.0)], "result replaced"),
        ([metrics.SparseCategoricalAccuracy(dtype="float16")], "dtype float16"),
        (["accuracy", "acc"], "one accuracy"),
        (["acurracy"], "'acurracy'"),
        ([metrics.TopKCategoricalAccuracy(name="acc")], "'acc'"),
    ],
)
def test_another_metric_is_refused(given, names):
    assert_refused(lambda: model_of(metrics=given), names)


def test_every_argument_of_compile_is_decided():
    assert set(COMPILE_FOLLOWED) | set(COMPILE_REFUSED) == arguments_of(keras.Model.compile)
    for name, value in COMPILE_REFUSED.items():
        assert_refused(lambda name=name, value=value: model_of(**{name: value}), name)


def test_what_compile_may_be_given_is_followed_as_keras_does():
    own = metrics.SparseCategoricalAccuracy(name="my_acc")
    assert_alike(lambda: model_of(**COMPILE_FOLLOWED), lambda: model_of(metrics=[own]), y=Y[:, np.newaxis])


def test_keras_own_compiled_step_ends_where_its_eager_one_does():
    """The references of these tests run eagerly; here one is traced, compiled by XLA, three steps at a time."""
    compiled = {"run_eagerly": False, "steps_per_execution": 3, "jit_compile": True}
    ours, theirs = model_of(**compiled), model_of(**compiled)
    theirs.set_weights(ours.get_weights())
    [history] = fit_together([ours], X, Y, jit_compile=False, **FIT)
    reference = theirs.fit(X, Y, verbose=0, **FIT)
    np.testing.assert_allclose(history.history["loss"], reference.history["loss"], rtol=1e-3)
