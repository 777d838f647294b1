"""A trial's callbacks in a cohort are called exactly as ``Model.fit`` calls them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, ClassVar

import keras
import keras_tuner
import numpy as np
import pytest
from keras import layers

from tfcourse.tuner.cohort_tuner import CohortTuner

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = np.arange(60) % 3
TRAIN, VALIDATE = {"x": X[:40], "y": Y[:40], "batch_size": 16}, {"validation_data": (X[40:], Y[40:])}
AS_IT_IS: dict[str, Any] = {"units": 5, "optimizer": "adam", "measured": True}
METHODS = (
    "set_params", "set_model", "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_test_begin",
    "on_test_end", "on_predict_begin", "on_predict_end",
)  # fmt: skip


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    optimizers = {
        "adam": keras.optimizers.Adam(0.01), "adamw": keras.optimizers.AdamW(0.01),
        "sgd": keras.optimizers.SGD(0.1, 0.9), "rmsprop": keras.optimizers.RMSprop(0.01),
    }  # fmt: skip
    hidden = layers.Dense(hp.Int("units", 4, 6), "relu", kernel_initializer=keras.initializers.GlorotUniform(1))
    head = layers.Dense(3, "softmax", kernel_initializer=keras.initializers.GlorotUniform(2))
    model = keras.Sequential([keras.Input((4,)), hidden, layers.BatchNormalization(), head])
    optimizer = optimizers[hp.Choice("optimizer", list(optimizers))]
    metrics = ["accuracy"] if hp.Boolean("measured", default=True) else None
    # Keras runs it eagerly, because that takes less time than tracing so short a fit; a cohort compiles all the same.
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics, run_eagerly=True)
    return model


class Recorder(keras.callbacks.Callback):
    """Writes down each call: the method, the arguments, and what the model and the parameters say at that moment."""

    calls: ClassVar[list[tuple[Any, ...]]] = []

    def record(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        described = [
            list(arg.items()) if isinstance(arg, dict) else arg for arg in args if not isinstance(arg, keras.Model)
        ]
        numbers: list[float] = []
        if self._model is not None and method != "set_model" and self._model.built:
            numbers = [float(np.abs(weight).sum()) for weight in self._model.get_weights()]
            numbers.append(int(self._model.optimizer.iterations))
            numbers.append(len(getattr(self._model.history, "epoch", [])))
            numbers += [float(np.abs(variable.numpy()).sum()) for variable in self._model.optimizer.variables]
            if all(getattr(metric, "built", True) for metric in self._model.metrics):
                described.append({name: float(value) for name, value in self._model.get_metrics_result().items()})
        self.calls.append((method, described, kwargs, self.params if method != "set_model" else None, numbers))

    def __deepcopy__(self, memo: dict[int, Any]) -> Recorder:
        return type(self)()


def _method(name: str) -> Any:
    def method(self: Recorder, *args: Any, **kwargs: Any) -> None:
        getattr(keras.callbacks.Callback, name)(self, *args, **kwargs)
        self.record(name, args, kwargs)

    return method


for _name in METHODS:
    setattr(Recorder, _name, _method(_name))


class Positional(Recorder):
    """Takes ``logs`` without a default, as Keras's documentation allows."""

    def on_train_begin(self, logs):  # type: ignore[no-untyped-def]
        self.record("on_train_begin", (logs,), {})

    def on_epoch_begin(self, epoch, logs):  # type: ignore[no-untyped-def]
        self.record("on_epoch_begin", (epoch, logs), {})


class StopsAtTwo(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = epoch == 1


class StopsInTest(keras.callbacks.Callback):
    def on_test_end(self, logs: Any = None) -> None:
        self.model.stop_training = True


def calls_of(callbacks: list[Any], fit: dict[str, Any], train: Any) -> list[tuple[Any, ...]]:
    Recorder.calls.clear()
    train(fit, copy.deepcopy(callbacks))
    return list(Recorder.calls)


def by_keras(folder: Path, values: dict[str, Any] = AS_IT_IS) -> Any:
    space = keras_tuner.HyperParameters()
    space.values.update(values)
    return lambda fit, callbacks: build(space).fit(**fit, callbacks=callbacks)


def by_cohort(folder: Path, values: dict[str, Any] = AS_IT_IS) -> Any:
    space = keras_tuner.HyperParameters()
    for name, value in values.items():
        space.Fixed(name, value)

    def train(fit: dict[str, Any], callbacks: list[Any]) -> None:
        tuner = CohortTuner(build, objective="loss", max_trials=1, hyperparameters=space, directory=folder)
        tuner.search(**fit, callbacks=callbacks)

    return train


@pytest.mark.parametrize(
    ("callbacks", "fit"),
    [
        ([Recorder()], {"epochs": 2, "verbose": 0, **VALIDATE}),
        ([Positional()], {"epochs": 2, "verbose": 0}),
        ([Recorder(), StopsAtTwo()], {"epochs": 4, "verbose": 0, **VALIDATE}),
        ([StopsInTest(), Recorder()], {"epochs": 3, "verbose": 0, **VALIDATE}),
        ([Recorder(), keras.callbacks.EarlyStopping("loss", min_delta=9)], {"epochs": 4, "verbose": 0}),
    ],
    ids=["validated", "logs-without-default", "stopping", "stopping-in-test", "early-stopping"],
)
def test_callbacks_see_the_calls_the_logs_and_the_model_that_model_fit_shows_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], callbacks: list[Any], fit: dict[str, Any]
) -> None:
    given = {**TRAIN, "shuffle": False, **fit}
    there = calls_of(callbacks, given, by_keras(tmp_path))
    here = calls_of(callbacks, given, by_cohort(tmp_path))
    assert_alike(here, there, capsys)


@pytest.mark.parametrize(
    "values", [{"optimizer": "sgd"}, {"optimizer": "rmsprop"}, {"optimizer": "adamw"}, {"measured": False}], ids=str
)
def test_callbacks_see_every_optimizers_averages_and_the_metrics_of_the_moment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], values: dict[str, Any]
) -> None:
    given = {**TRAIN, **VALIDATE, "epochs": 2, "shuffle": False, "verbose": 0}
    there = calls_of([Recorder()], given, by_keras(tmp_path, {**AS_IT_IS, **values}))
    here = calls_of([Recorder()], given, by_cohort(tmp_path, {**AS_IT_IS, **values}))
    assert_alike(here, there, capsys)


def assert_alike(here: list[tuple[Any, ...]], there: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert "Model.fit" not in capsys.readouterr().out, "the cohort claims to follow"
    assert [call[0] for call in here] == [call[0] for call in there]
    for (method, *ours), (_, *keras_own) in zip(here, there, strict=True):
        assert kinds(ours) == kinds(keras_own), method
        np.testing.assert_allclose(numbers_in(ours), numbers_in(keras_own), rtol=1e-4, atol=1e-6, err_msg=method)


def kinds(value: Any) -> Any:
    """Return a value with every float as the word float: what can be told of it exactly."""
    if isinstance(value, dict):
        return {name: kinds(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [kinds(each) for each in value]
    return type(value).__name__ if isinstance(value, float | np.floating) else value


def numbers_in(value: Any) -> list[float]:
    """Return all floats in a value."""
    if isinstance(value, dict | list | tuple):
        return [
            number for each in (value.values() if isinstance(value, dict) else value) for number in numbers_in(each)
        ]
    return [float(value)] if isinstance(value, float | np.floating) else []


class StopsBefore(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = epoch == 1


class SwapsInTest(keras.callbacks.Callback):
    """Halves the weights for each validation and puts them back after it."""

    def on_test_begin(self, logs: Any = None) -> None:
        self.kept = self.model.get_weights()
        self.model.set_weights([weight / 2 for weight in self.kept])

    def on_test_end(self, logs: Any = None) -> None:
        self.model.set_weights(self.kept)


class SetsSteps(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.optimizer.iterations.assign(0)


class Restarts(keras.callbacks.Callback):
    """Lets the optimizer forget its averages, as a warm restart does."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for variable in self.model.optimizer.variables[2:]:
            variable.assign(keras.ops.zeros_like(variable))


@pytest.mark.parametrize(
    ("callback", "why"),
    [
        (Restarts(), "a callback changed the averages of the optimizer"),
        (StopsBefore(), "a callback stopped an epoch before its end"),
        (SwapsInTest(), "a callback changed the weights"),
        (SetsSteps(), "a callback changed the steps of the optimizer"),
        (
            keras.callbacks.EarlyStopping("val_acurracy", mode="max"),
            "callback EarlyStopping monitors 'val_acurracy', which a cohort does not compute here",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Early stopping conditioned on metric")
def test_what_a_cohort_cannot_follow_is_trained_by_model_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], callback: Any, why: str
) -> None:
    fit = {**TRAIN, **VALIDATE, "epochs": 2, "shuffle": False, "verbose": 0}
    there = calls_of([Recorder(), callback], fit, by_keras(tmp_path))
    calls_of([Recorder(), callback], fit, by_cohort(tmp_path))
    assert f"is trained by Model.fit: {why}" in capsys.readouterr().out
    last = [call for call in Recorder.calls if call[0] == "on_train_end"][-1]
    np.testing.assert_allclose(numbers_in(last), numbers_in(there[-1]), rtol=1e-4)
