"""The contract step by step: after 1, 10 and 100 steps, alone and among others, under XLA and as a TensorFlow graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import cycle

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import schedules

from tests.cohort.conftest import OPTIMIZERS, TOLERANCE, Trial, assert_same_training, assert_same_weights
from tfcourse.cohort import MemberHistory, fit_together
from tfcourse.cohort.from_keras_optimizer import optimizer_of
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec

# Unequal widths that are padded alike, so that one program serves each of them alone.
UNITS = ((30, 20), (25, 17), (32, 24), (27, 22), (31, 18), (26, 21), (29, 19), (28, 23))
MEMBERS: tuple[Trial, ...] = tuple(
    (NetworkSpec(20, 4, units, l2=1e-3 if index % 3 == 2 else 0.0), optimizer, index)
    for index, (units, optimizer) in enumerate(zip(UNITS, OPTIMIZERS, strict=True))
)
MATES: tuple[Trial, ...] = tuple(
    (NetworkSpec(20, 4, units), optimizer, seed)
    for seed, units, optimizer in zip(range(24), cycle([(8, 8), (17, 50), (48, 16)]), cycle(OPTIMIZERS), strict=False)
)
SCHEDULES = (
    schedules.ExponentialDecay(0.05, 7, 0.8, staircase=True),
    schedules.PiecewiseConstantDecay([3, 40], [0.05, 0.02, 0.001]),
    schedules.PolynomialDecay(0.05, 60, end_learning_rate=0.001, power=2.0),
    schedules.CosineDecay(0.001, 60, warmup_target=0.05, warmup_steps=20),
    schedules.CosineDecayRestarts(0.05, 15),
)
Models = dict[int, tuple[dict[int, list[np.ndarray]], keras.Model]]
Data = tuple[np.ndarray, np.ndarray]
# 150 rows by 32 are five steps an epoch, the last of them short.
SETTINGS: dict[str, object] = {"epochs": 20, "batch_size": 32, "shuffle": False}


class WeightsAtSteps(keras.callbacks.Callback):
    """Keeps the weights after steps 1, 10 and 100."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, list[np.ndarray]] = {}
        self.step = 0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.step += 1
        if self.step in (1, 10, 100):
            self.kept[self.step] = self.model.get_weights()


def references(build: Callable[[int], keras.Model], count: int, data: Data) -> Models:
    """Return, for each member, its weights at the steps and its model after its own ``Model.fit``."""
    found: Models = {}
    for index in range(count):
        model, steps = build(index), WeightsAtSteps()
        model.fit(*data, verbose=0, callbacks=[steps], **SETTINGS)
        found[index] = steps.kept, model
    return found


@pytest.fixture(scope="module")
def fitted(data: Data) -> Models:
    """Return the references of MEMBERS."""
    return references(lambda index: build_mlp(*MEMBERS[index][:2], seed=MEMBERS[index][2]), len(MEMBERS), data)


def with_schedule(index: int) -> keras.Model:
    """Return a small model with the schedule of SCHEDULES at ``index``, under one of the optimizers."""
    model = build_mlp(NetworkSpec(20, 4, (12 + index % 4,)), seed=index)
    momentum = keras.optimizers.SGD(SCHEDULES[index], momentum=0.9)
    rmsprop = keras.optimizers.RMSprop(SCHEDULES[index], epsilon=1e-3)
    adam = keras.optimizers.Adam(SCHEDULES[index], epsilon=1e-3)
    model.compile((momentum, rmsprop, adam)[index % 3], model.loss, metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def scheduled(data: Data) -> Models:
    """Return the references of the models with a schedule."""
    return references(with_schedule, len(SCHEDULES), data)


def first_steps(members: list[object], data: Data, **options: object) -> list[list[np.ndarray]]:
    """Return each member's weights after a single step."""
    weights = [build.get_weights() for build in members if isinstance(build, keras.Model)]
    histories = fit_together(members, data[0][:32], data[1][:32], shuffle=False, **options)
    after = [history.weights for history in histories]
    for model, before in zip([each for each in members if isinstance(each, keras.Model)], weights, strict=True):
        assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    return after


def assert_as_fitted(
    whole: list[MemberHistory],
    tenth: dict[int, list[np.ndarray]],
    first: list[list[np.ndarray]],
    reference: list[tuple[dict[int, list[np.ndarray]], keras.Model]],
) -> None:
    """Assert that members have the weights of ``Model.fit`` after 1, 10 and 100 steps, and its curves."""
    for place, (steps, model) in enumerate(reference):
        assert_same_weights(first[place], steps[1], tolerance=TOLERANCE[1])
        assert_same_weights(tenth[place], steps[10], tolerance=TOLERANCE[10])
        assert_same_weights(whole[place].weights, steps[100], tolerance=TOLERANCE[100])
        assert_same_training(whole[place], model, tolerance=TOLERANCE[100])


@pytest.mark.parametrize("jit_compile", [True, False], ids=["xla", "graph"])
@pytest.mark.parametrize("k", [1, 3, 32])
def test_every_optimizer_equals_its_own_fit(data: Data, fitted: Models, k: int, jit_compile: bool) -> None:
    options = {"jit_compile": jit_compile, "places": k, "workers": 1}
    # Cohorts of k that between them hold every member; 32 are filled up with mates of other widths.
    everyone = list(range(len(MEMBERS)))
    cohorts = {1: [[i] for i in everyone], 3: [[0, 1, 2], [3, 4, 5], [6, 7, 0]], 32: [everyone]}[k]
    for indices in cohorts:
        members = [*(MEMBERS[index] for index in indices), *(MATES if k == 32 else ())]
        tenth: dict[int, list[np.ndarray]] = {}

        def keep(history: MemberHistory, tenth: dict[int, list[np.ndarray]] = tenth) -> None:
            if len(history.epoch) == 2:
                tenth[history.index] = history.weights

        plan: list[str] = []
        whole = fit_together(members, *data, **SETTINGS, **options, on_epoch_end=keep, on_plan=plan.append)
        assert f"{k} member" in plan[0]
        assert "as 1 cohort" in plan[0]
        first = first_steps(members, data, **options)
        assert_as_fitted(whole, tenth, first, [fitted[index] for index in indices])


@pytest.mark.parametrize("jit_compile", [True, False], ids=["xla", "graph"])
def test_every_schedule_equals_its_own_fit(data: Data, scheduled: Models, jit_compile: bool) -> None:
    tenth: dict[int, list[np.ndarray]] = {}

    def keep(history: MemberHistory) -> None:
        if len(history.epoch) == 2:
            tenth[history.index] = history.weights

    indices = range(len(SCHEDULES))
    first = first_steps([with_schedule(index) for index in indices], data, jit_compile=jit_compile)
    whole = fit_together(
        [with_schedule(index) for index in indices],
        *data,
        **SETTINGS,
        jit_compile=jit_compile,
        on_epoch_end=keep,
    )
    assert_as_fitted(whole, tenth, first, [scheduled[index] for index in indices])


class Sawtooth(schedules.LearningRateSchedule):
    """A schedule of a user's own."""

    def __call__(self, step: object) -> object:
        return 0.1 / (1.0 + keras.ops.cast(step, "float32") % 4)

    def get_config(self) -> dict[str, object]:
        return {}


@pytest.mark.parametrize(
    "schedule",
    [
        *SCHEDULES,
        schedules.ExponentialDecay(0.05, 7, 0.8),
        schedules.PolynomialDecay(0.05, 30, end_learning_rate=0.001, cycle=True),
        schedules.InverseTimeDecay(0.05, 10, 0.5),
        Sawtooth(),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_the_rate_of_each_step_is_that_of_the_schedule(schedule: schedules.LearningRateSchedule) -> None:
    optimizer = dataclasses.replace(optimizer_of(keras.optimizers.SGD(schedule)), iterations=2)
    # As in Model.fit, in a graph: it rounds powers, cosines and quotients otherwise than one operation at a time does.
    in_graph = tf.function(schedule, input_signature=[tf.TensorSpec([], tf.int64)])
    expected = [np.float32(in_graph(tf.constant(step, tf.int64))) for step in range(2, 102)]
    np.testing.assert_allclose(optimizer.coefficients(0, 100)[:, 5], expected, rtol=5e-7)
    assert len(set(expected)) > 2
