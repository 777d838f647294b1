"""The contract: a member's training is that of its own ``Model.fit``, to float32 rounding.

Tolerances. One float32 operation rounds by up to 6e-8 of its result. XLA and Keras's graph sum in another order, so a
step's gradient differs by some 1e-7 of its largest term, and each later step starts from the difference before it:
after 1 and 10 steps 5e-6 leaves a margin of ten over the largest difference seen. After 100 steps the training itself
has spread the differences, and 2e-4 is asked. Where a gradient is 0 by mathematics (a kernel whose scale batch
normalization takes out, under a layer of one unit), Adam divides rounding by rounding and no tolerance holds: such
layers are drawn with a larger epsilon.
"""

from __future__ import annotations

import dataclasses
from itertools import cycle

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cohort.conftest import Trial, assert_same_training, assert_same_weights, fit_alone
from tfcourse.cohort import fit_together, program
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

TOLERANCE = {1: 5e-6, 10: 5e-6, 100: 2e-4}

OPTIMIZERS = (
    OptimizerSpec("sgd", 0.1, decay_rate=0.5, decay_steps=5),
    OptimizerSpec("sgd", 0.05, momentum=0.9),
    OptimizerSpec("sgd", 0.05, momentum=0.95, nesterov=True, decay_rate=1.0, decay_steps=5),
    OptimizerSpec("rmsprop", 0.01, rho=0.95),
    OptimizerSpec("rmsprop", 0.003, rho=0.999, decay_rate=0.1, decay_steps=3),
    OptimizerSpec("adam", 0.01, beta_1=0.9, beta_2=0.999),
    OptimizerSpec("adam", 0.003, beta_1=0.98, beta_2=0.9, decay_rate=2.0, decay_steps=5),
    OptimizerSpec("adamw", 0.01, weight_decay=0.05),
)
UNITS = ((30, 20), (17, 50), (8, 8), (33, 21), (48, 16), (24, 40))


def trials(count: int) -> list[Trial]:
    """Return trials of unequal widths over all optimizers; every third has an L2 penalty."""
    units = cycle(UNITS)
    return [
        (NetworkSpec(20, 4, next(units), l2=1e-3 if index % 3 == 2 else 0.0), optimizer, index)
        for index, optimizer in zip(range(count), cycle(OPTIMIZERS), strict=False)
    ]


def test_every_optimizer_and_schedule_equals_its_own_fit_after_1_10_and_100_steps(data):
    x, y = data
    # 150 rows by 32 are five steps, the last of them short.
    fit = {"epochs": 20, "batch_size": 32, "shuffle": False, "validation_data": (x[:40], y[:40])}
    members = trials(len(OPTIMIZERS))
    first = fit_together(members, x[:32], y[:32], batch_size=32, shuffle=False)
    tenth: dict[int, list[np.ndarray]] = {}

    def keep(history):
        if len(history.epoch) == 2:
            tenth[history.index] = history.weights

    last = fit_together(members, x, y, **fit, on_epoch_end=keep)
    for index, trial in enumerate(members):
        keras_steps: dict[int, list[np.ndarray]] = {}
        model = fit_alone(trial, x, y, **fit, callbacks=[WeightsAtSteps(keras_steps)])
        assert_same_weights(first[index].weights, keras_steps[1], tolerance=TOLERANCE[1])
        assert_same_weights(tenth[index], keras_steps[10], tolerance=TOLERANCE[10])
        assert_same_training(last[index], model, tolerance=TOLERANCE[100])


class WeightsAtSteps(keras.callbacks.Callback):
    """Keeps the weights after steps 1 and 10."""

    def __init__(self, kept: dict[int, list[np.ndarray]]) -> None:
        super().__init__()
        self.kept, self.step = kept, 0

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step in (1, 10):
            self.kept[self.step] = self.model.get_weights()


def test_graph_path_equals_its_own_fit(data):
    fit = {"epochs": 2, "batch_size": 32, "shuffle": False, "validation_data": (data[0][:40], data[1][:40])}
    members = trials(4)[1:]
    histories = fit_together(members, *data, **fit, jit_compile=False)
    for history, trial in zip(histories, members, strict=True):
        assert_same_training(history, fit_alone(trial, *data, **fit), tolerance=TOLERANCE[10])


@pytest.mark.parametrize("count", [1, 3, 32])
def test_cohorts_of_any_size_equal_their_own_fit(data, count):
    fit = {"epochs": 2, "batch_size": 32, "shuffle": False}
    members = trials(count)
    histories = fit_together(members, *data, **fit, places=32)
    # Of 32, the references of a few are enough: each trains the same two steps of code.
    for index in range(0, count, 11):
        assert_same_training(histories[index], fit_alone(members[index], *data, **fit), tolerance=TOLERANCE[10])


def test_unequal_depths_and_batch_norm_after_the_activation(data):
    fit = {"epochs": 2, "batch_size": 50, "shuffle": False}
    optimizer = OptimizerSpec("adam", 0.01)
    members = [
        (NetworkSpec(20, 4, ()), optimizer, 0),
        (NetworkSpec(20, 4, (12,), activation="sigmoid", normalize="after"), optimizer, 1),
        (NetworkSpec(20, 4, (25,), activation="sigmoid", normalize="after"), optimizer, 2),
        (NetworkSpec(20, 4, (9, 9, 9), batch_norm=False, activation="tanh"), optimizer, 3),
    ]
    for history, trial in zip(fit_together(members, *data, **fit), members, strict=True):
        assert_same_training(history, fit_alone(trial, *data, **fit), tolerance=TOLERANCE[10])


def test_many_features_whose_first_products_are_computed_as_one():
    x = np.random.default_rng(2).normal(size=(96, 300)).astype(np.float32)
    y = np.arange(96) % 4
    fit = {"epochs": 2, "batch_size": 40, "shuffle": False, "validation_data": (x[:50], y[:50])}
    members = [
        (NetworkSpec(300, 4, units), OPTIMIZERS[3], seed) for seed, units in enumerate([(9, 20), (33, 8), (16,)])
    ]
    for history, trial in zip(fit_together(members, x, y, **fit), members, strict=True):
        assert_same_training(history, fit_alone(trial, x, y, **fit), tolerance=TOLERANCE[10])


def test_a_program_that_is_there_serves_smaller_members_and_never_other_classes(data):
    x, y = data
    fit = {"epochs": 2, "batch_size": 47, "shuffle": False}  # a batch size of its own: no other test's programs
    optimizer = OPTIMIZERS[1]
    fit_together([(NetworkSpec(20, 4, (72, 72)), optimizer, seed) for seed in range(3)], x, y, **fit)
    there = len(program._programs)
    smaller = [(NetworkSpec(20, 4, (64, 60)), optimizer, seed) for seed in range(3)]
    histories = fit_together(smaller, x, y, **fit)
    assert len(program._programs) == there, "no new program"
    for history, trial in zip(histories, smaller, strict=True):
        assert_same_training(history, fit_alone(trial, x, y, **fit), tolerance=TOLERANCE[10])
    fit_together([(NetworkSpec(20, 5, (72, 72)), optimizer, 0)] * 3, x, y, **fit)
    assert len(program._programs) == there + 1, "five classes have their own"
    held = next(layout for layout, _ in program._programs if layout.batch_size == 47 and layout.classes == 4)
    tiny = dataclasses.replace(held, widths=tuple(min(width, 16) for width in held.widths))
    assert program.cheapest(tiny, True, fixed=False, epochs=2) == held
    assert program.cheapest(tiny, True, fixed=True, epochs=2) == tiny, "its padding is fixed"
    assert program.cheapest(tiny, True, fixed=False, epochs=10**6) == tiny, "the rest would cost more than compiling"


@pytest.mark.parametrize("weights", ["class", "sample"])
def test_weighted_examples(data, weights):
    x, y = data
    sample_weight = np.random.default_rng(1).uniform(0, 3, len(y)).astype(np.float32)
    own = {"class_weight": {0: 3.0, 2: 0.5}} if weights == "class" else {"sample_weight": sample_weight}
    validation = (x[:40], y[:40], sample_weight[:40]) if weights == "sample" else (x[:40], y[:40])
    fit = {"epochs": 2, "batch_size": 32, "shuffle": False, "validation_data": validation, **own}
    members = trials(3)
    for history, trial in list(zip(fit_together(members, x, y, **fit), members, strict=True))[1:]:
        assert_same_training(history, fit_alone(trial, x, y, **fit), tolerance=TOLERANCE[10])


@st.composite
def any_trial(draw: st.DrawFn) -> Trial:
    """Draw a network of up to three layers and any optimizer, without dropout."""
    network = NetworkSpec(
        20,
        4,
        tuple(draw(st.lists(st.integers(1, 40), max_size=3))),
        activation=draw(st.sampled_from(["relu", "tanh", "sigmoid", "softplus", "gelu", "leaky_relu"])),
        batch_norm=draw(st.booleans()),
        normalize=draw(st.sampled_from(["before", "after"])),
        batch_norm_momentum=draw(st.sampled_from([0.0, 0.5, 0.9, 0.99])),
        l2=draw(st.sampled_from([0.0, 1e-3])),
    )
    beta = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999])
    optimizer = OptimizerSpec(
        draw(st.sampled_from(["sgd", "rmsprop", "adam", "adamw"])),
        # Small rates: what is drawn at random may diverge, and then nothing is equal.
        draw(st.sampled_from([1e-3, 1e-2])),
        momentum=draw(beta),
        nesterov=draw(st.booleans()),
        rho=draw(beta),
        beta_1=draw(beta),
        beta_2=draw(st.sampled_from([0.9, 0.99, 0.999])),
        # Where a gradient is almost 0, a step g / (|g| + 1e-8) turns its rounding into a whole step of Adam.
        epsilon=1e-3,
        weight_decay=draw(st.sampled_from([0.0, 0.01])),
        decay_rate=draw(st.sampled_from([0.0, 1.0])),
        decay_steps=draw(st.integers(1, 4)),
    )
    return network, optimizer, draw(st.integers(0, 1000))


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(trial=any_trial(), mate=any_trial(), batch_size=st.sampled_from([30, 32, 47]))
def test_any_trial_equals_its_own_fit(data, trial, mate, batch_size):
    fit = {"epochs": 2, "batch_size": batch_size, "shuffle": False}
    history, _ = fit_together([trial, mate], *data, **fit)
    assert_same_training(history, fit_alone(trial, *data, **fit), tolerance=2e-5)
