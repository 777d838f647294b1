"""The contract: a member's training is that of its own ``Model.fit``, to float32 rounding (see conftest.py)."""

from __future__ import annotations

import dataclasses
from itertools import cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cohort.conftest import OPTIMIZERS, TOLERANCE, Trial, assert_same_training, fit_alone
from tests.examples import scaled
from tfcourse.cohort import fit_together, program
from tfcourse.cohort.member import member_of_spec
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

UNITS = ((30, 20), (17, 50), (8, 8), (33, 21), (48, 16), (24, 40))


def trials(count: int) -> list[Trial]:
    """Return trials of unequal widths over all optimizers; every third has an L2 penalty."""
    units = cycle(UNITS)
    return [
        (NetworkSpec(20, 4, next(units), l2=1e-3 if index % 3 == 2 else 0.0), optimizer, index)
        for index, optimizer in zip(range(count), cycle(OPTIMIZERS), strict=False)
    ]


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


@pytest.mark.parametrize("jit_compile", [True, False])
def test_depths_that_share_one_program_each_train_as_alone(data, jit_compile):
    x, y = data
    fit = {"epochs": 2, "batch_size": 38, "shuffle": False, "validation_data": (x[:40], y[:40])}  # a last one of 36
    units = [(12,), (30, 9), (9, 16, 25), (20, 8, 31, 14)] * 2
    members = [
        (NetworkSpec(20, 4, each, l2=1e-3 * (index % 2)), optimizer, index)
        for index, (each, optimizer) in enumerate(zip(units, OPTIMIZERS, strict=True))
    ]
    there = len(program._programs)
    histories = fit_together(members, x, y, jit_compile=jit_compile, **fit)
    assert len(program._programs) == there + 1
    for history, trial in zip(histories, members, strict=True):
        assert_same_training(history, fit_alone(trial, x, y, **fit), tolerance=TOLERANCE[10])


@pytest.mark.parametrize("jit_compile", [True, False])
def test_members_that_all_have_sgd_train_without_an_average_of_squares_and_as_alone(data, jit_compile):
    x, y = data
    fit = {"epochs": 2, "batch_size": 38, "shuffle": False, "validation_data": (x[:40], y[:40])}
    optimizers = [
        OptimizerSpec("sgd", 0.1),
        OptimizerSpec("sgd", 0.05, momentum=0.9),
        OptimizerSpec("sgd", 0.05, momentum=0.8, nesterov=True),
    ]
    units = [(14,), (30, 9), (20, 8, 31)]
    members = [
        (NetworkSpec(20, 4, each), sgd, seed) for seed, (each, sgd) in enumerate(zip(units, optimizers, strict=True))
    ]
    before = set(program._programs)
    histories = fit_together(members, x, y, jit_compile=jit_compile, **fit)
    [(layout, _)] = set(program._programs) - before
    assert not layout.squares
    for history, trial in zip(histories, members, strict=True):
        assert_same_training(history, fit_alone(trial, x, y, **fit), tolerance=TOLERANCE[10])
        kernel, weight = history.state.second[0], history.weights[0]
        assert (kernel.shape, kernel.any()) == (weight.shape, False)


def test_in_a_program_told_to_hold_all_depths_the_result_is_the_same_bit_for_bit_whoever_else_trains(data):
    x, y = data
    fit = {"epochs": 3, "batch_size": 36, "validation_data": (x[:40], y[:40])}
    everyone = [
        member_of_spec(NetworkSpec(20, 4, (n,) * depth, dropout=0.2), OPTIMIZERS[5], n, pad_to=24, depths=(1, 3))
        for depth in (1, 2, 3)
        for n in (10, 11, 24)
    ]
    together = fit_together(everyone, x, y, **fit)
    there = len(program._programs)
    for history, member in zip(together, everyone, strict=True):
        [alone] = fit_together([member], x, y, **fit)
        assert alone.history == history.history
        assert all(np.array_equal(a, b) for a, b in zip(alone.weights, history.weights, strict=True))
    assert len(program._programs) == there, "the same program each time"


def test_many_features_whose_first_products_are_computed_as_one():
    x = np.random.default_rng(2).normal(size=(96, 300)).astype(np.float32)
    y = np.arange(96) % 4
    fit = {"epochs": 2, "batch_size": 40, "shuffle": False, "validation_data": (x[:50], y[:50])}
    members = [
        (NetworkSpec(300, 4, units), OPTIMIZERS[3], seed) for seed, units in enumerate([(9, 20), (33, 8), (16,)])
    ]
    for history, trial in zip(fit_together(members, x, y, **fit), members, strict=True):
        assert_same_training(history, fit_alone(trial, x, y, **fit), tolerance=TOLERANCE[10])


def test_many_validation_examples_are_looked_at_in_equal_parts_and_each_counts_once(data):
    x, y = data
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(1301, 20)).astype(np.float32)  # three parts of 434, which share one row
    labels = rng.integers(0, 4, 1301)
    fit = {"epochs": 1, "batch_size": 75, "shuffle": False, "validation_data": (rows, labels)}
    trial = (NetworkSpec(20, 4, (10,)), OPTIMIZERS[0], 0)
    [history] = fit_together([trial], x, y, **fit)
    assert_same_training(history, fit_alone(trial, x, y, **fit), tolerance=1e-5)


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


@settings(max_examples=scaled(4))
@given(trial=any_trial(), mate=any_trial(), batch_size=st.sampled_from([30, 32, 47]), jit_compile=st.booleans())
def test_any_trial_equals_its_own_fit(data, trial, mate, batch_size, jit_compile):
    fit = {"epochs": 2, "batch_size": batch_size, "shuffle": False}
    history, _ = fit_together([trial, mate], *data, jit_compile=jit_compile, **fit)
    assert_same_training(history, fit_alone(trial, *data, **fit), tolerance=2e-5)
