"""Members that stop, diverge or start anew change nothing for the others."""

from __future__ import annotations

import threading

import keras
import numpy as np
import pytest

from tests.cohort.conftest import Trial, assert_same_training, assert_same_weights, fit_alone
from tfcourse.cohort import fit_together, program
from tfcourse.cohort.history import MemberHistory, Stopping
from tfcourse.cohort.member import State, member_of_spec
from tfcourse.cohort.running import RunningCohort
from tfcourse.data.minibatches import minibatch_order
from tfcourse.errors import UserError
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

ADAM = OptimizerSpec("adam", 0.05, epsilon=1e-3)
MEMBERS: list[Trial] = [(NetworkSpec(20, 4, (units, 16)), ADAM, units) for units in (12, 16, 9, 20)]


def arrays_equal(ours: list[np.ndarray], theirs: list[np.ndarray]) -> bool:
    return all(np.array_equal(our, their) for our, their in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("jit_compile", [True, False])
def test_a_diverging_member_stops_and_leaves_its_neighbours_bit_for_bit_as_they_were(data, jit_compile):
    fit = {"epochs": 3, "shuffle": False, "validation_data": data, "jit_compile": jit_compile, "workers": 1}
    wild = (NetworkSpec(20, 4, (12, 16), batch_norm=False), OptimizerSpec("sgd", 1e30), 0)
    tame = (NetworkSpec(20, 4, (12, 16), batch_norm=False), OptimizerSpec("sgd", 0.1), 0)
    others = [(NetworkSpec(20, 4, (units, 16), batch_norm=False), ADAM, units) for units in (12, 16, 9)]
    with_wild = fit_together([others[0], wild, *others[1:]], *data, **fit)
    with_tame = fit_together([others[0], tame, *others[1:]], *data, **fit)
    assert with_wild[1].diverged
    assert with_wild[1].epoch == [0]
    for index in (0, 2, 3):
        assert not with_wild[index].diverged
        assert with_wild[index].history == with_tame[index].history
        assert arrays_equal(with_wild[index].weights, with_tame[index].weights)


def test_a_members_training_does_not_depend_on_its_mates(data):
    fit = {"epochs": 3, "batch_size": 32, "validation_data": data}
    dropping = (NetworkSpec(20, 4, (12, 16), dropout=0.3), ADAM, 7)
    mates = [(NetworkSpec(20, 4, (units, 40), dropout=0.1), OptimizerSpec("sgd", 0.1), units) for units in (33, 9, 20)]
    [alone] = fit_together([dropping], *data, **fit)
    together = fit_together([*mates, dropping], *data, **fit)[-1]
    assert_same_weights(alone.weights, together.weights, tolerance=2e-5)
    np.testing.assert_allclose(alone.history["val_loss"], together.history["val_loss"], rtol=2e-5)


@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping_is_that_of_keras(data, restore):
    x, y = data
    validation = (x[100:], y[100:])
    fit = {"epochs": 30, "batch_size": 32, "shuffle": False, "validation_data": validation}
    histories = fit_together(MEMBERS, x[:100], y[:100], **fit, patience=2, restore_best_weights=restore)
    stops = set()
    for history, trial in list(zip(histories, MEMBERS, strict=True))[: 2 if restore else 1]:
        stopping = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=restore)
        model = fit_alone(trial, x[:100], y[:100], **fit, callbacks=[stopping])
        assert_same_training(history, model, tolerance=1e-4)
        assert history.best_epoch == stopping.best_epoch
        stops.add(len(history.epoch))
    assert max(stops) < 30, "the data must make members stop early, or this tests nothing"
    assert not restore or len(stops) > 1


def test_each_member_has_its_own_patience_and_number_of_epochs(data):
    x, y = data
    fit = {"validation_data": (x[100:], y[100:]), "epochs": [1, 12, 12, 3], "patience": [None, None, 1, None]}
    histories = fit_together(MEMBERS, x[:100], y[:100], **fit)
    assert [len(history.epoch) for history in histories[:2]] == [1, 12]
    assert len(histories[2].epoch) < 12
    assert len(histories[3].epoch) == 3


def test_merged_and_shrunk_cohorts_go_on_as_if_nothing_happened(data):
    """Half of the members of each of several cohorts stop after one epoch; the rest is merged."""
    members = [(NetworkSpec(20, 4, (12, 16), dropout=0.2), ADAM, seed) for seed in range(12)]
    fit = {"epochs": 4, "places": 4, "workers": 2}
    whole = fit_together(members, *data, **fit)
    seen = []

    def stop_odd(history):
        seen.append((history.index, threading.current_thread().name))
        if history.index % 2:
            history.stop()

    half = fit_together(members, *data, **fit, on_epoch_end=stop_odd)
    assert [len(history.epoch) for history in half] == [4, 1] * 6
    for index in range(0, 12, 2):
        assert_same_weights(whole[index].weights, half[index].weights, tolerance=2e-5)
    assert sorted(index for index, _ in seen) == sorted([*range(1, 12, 2), *[*range(0, 12, 2)] * 4])


def test_members_that_ended_before_an_interrupt_are_not_lost(data):
    ended = []

    def interrupt(history):
        if len(history.epoch) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_together(MEMBERS, *data, epochs=[1, 9, 9, 9], on_epoch_end=interrupt, on_member_end=ended.append, workers=1)
    assert [history.index for history in ended] == [0]
    assert len(ended[0].weights) == 12


def test_the_wide_first_product_of_all_members_keeps_a_diverging_one_apart_too():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(96, 300)).astype(np.float32), np.arange(96) % 4
    fit = {"epochs": 2, "batch_size": 40, "validation_data": (x, y), "workers": 1}
    network = NetworkSpec(300, 4, (12,), dropout=0.2, l2=1e-3)
    others = [(network, ADAM, seed) for seed in range(2)]
    results = [
        fit_together([others[0], (network, OptimizerSpec("sgd", rate), 5), others[1]], x, y, **fit)
        for rate in (1e38, 0.1)
    ]
    assert [each[1].diverged for each in results] == [True, False]
    for index in (0, 2):
        assert results[0][index].history == results[1][index].history
        assert arrays_equal(results[0][index].weights, results[1][index].weights)


def test_a_validation_loss_that_is_no_number_ends_a_member_as_well():
    history = MemberHistory(0, Stopping("val_loss", None), epochs=5)
    history.record(0, {"loss": 1.0, "val_loss": 2.0}, lambda: State([], [], []))
    assert not history.finished
    history.record(1, {"loss": 1.0, "val_loss": float("inf")}, lambda: State([], [], []))
    assert history.finished
    assert history.diverged
    assert history.best_epoch == 0


def test_late_epochs_do_not_carry_the_stopped(data, monkeypatch):
    """Three cohorts of four, half of whose members stop at once, go on as two: one of four and one of two."""
    carried: list[tuple[int, int]] = []
    advance = RunningCohort.advance

    def counted(cohort, *arguments):
        carried.append((cohort.epoch, len(cohort.members)))
        return advance(cohort, *arguments)

    monkeypatch.setattr(RunningCohort, "advance", counted)
    members = [(NetworkSpec(20, 4, (12, 16)), ADAM, seed) for seed in range(12)]
    fit_together(
        members,
        *data,
        epochs=3,
        places=4,
        workers=1,
        on_epoch_end=lambda history: history.stop() if history.index % 2 else None,
    )
    assert [sorted(count for epoch, count in carried if epoch == at) for at in range(3)] == [[4, 4, 4], [2, 4], [2, 4]]


def test_a_thinned_cohort_goes_on_in_a_program_with_fewer_places_when_that_saves_time(data):
    """The same members alone compile the small program first, so that going over to it costs nothing."""
    members = [(NetworkSpec(20, 4, (12, 16)), OptimizerSpec("sgd", 0.05, momentum=0.9), seed) for seed in range(4)]
    fit = {"batch_size": 51, "workers": 1, "places": 4}  # a batch size of its own: no other test's programs
    fit_together(members[:1], *data, **fit)
    whole = fit_together(members, *data, **fit, epochs=4)
    places: list[int] = []
    original = RunningCohort.advance

    def stop_all_but_the_first(history):
        if history.index:
            history.stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            RunningCohort,
            "advance",
            lambda cohort, *arguments: places.append(cohort.layout.places) or original(cohort, *arguments),
        )
        [first, *_] = fit_together(members, *data, **fit, epochs=4, on_epoch_end=stop_all_but_the_first)
    assert places == [4, 1, 1, 1]
    assert_same_weights(first.weights, whole[0].weights, tolerance=2e-5)


def test_a_program_that_an_earlier_training_compiled_is_not_left_for_one_that_must_be_compiled_first(data):
    """What compiling costs is known from the program's first epoch in the process, not in this training."""
    members = [(NetworkSpec(20, 4, (12, 16)), OptimizerSpec("adam", 0.01), seed) for seed in range(4)]
    fit = {"batch_size": 53, "workers": 1, "places": 4}  # a batch size of its own: no other test's programs
    for _ in range(2):
        fit_together(members, *data, **fit, epochs=6, on_epoch_end=lambda history: history.index and history.stop())
    assert [layout.places for layout, _ in program._programs if layout.batch_size == 53] == [4]


def test_two_cohorts_that_wait_for_one_program_do_not_take_the_wait_for_an_epochs_time(data):
    """Eight members of one padding train as two cohorts of four in eight places: half of them are empty."""
    members = [
        member_of_spec(NetworkSpec(20, 4, (12, 16)), OptimizerSpec("adam", 0.01), seed, pad_to=16) for seed in range(8)
    ]
    plans = []
    fit_together(members, *data, batch_size=49, workers=2, epochs=20, on_plan=plans.append)
    assert "2 cohorts of 1 program" in plans[0]
    assert [layout.places for layout, _ in program._programs if layout.batch_size == 49] == [8]


def test_the_minibatches_are_those_of_the_documented_order_for_every_member(data):
    x, y = data
    fit = {"epochs": 1, "batch_size": 32}
    members = [(NetworkSpec(20, 4, (units,)), OptimizerSpec("sgd", 0.1), units) for units in (9, 14)]
    order = minibatch_order(7, 0, len(y))
    shuffled = fit_together(members, x, y, seed=7, **fit)
    as_they_come = fit_together(members, x[order], y[order], shuffle=False, **fit)
    for ours, expected in zip(shuffled, as_they_come, strict=True):
        assert ours.history == expected.history
        assert arrays_equal(ours.weights, expected.weights)
    assert fit_together(members, x, y, seed=8, **fit)[0].history != shuffled[0].history


def test_asking_for_a_curve_that_is_not_there_is_told(data):
    with pytest.raises(UserError, match="monitor='val_loss' needs validation_data"):
        fit_together(MEMBERS, *data, patience=3)
    with pytest.raises(UserError, match="epochs must be one value, or one for each of the 4 members; got 2 values"):
        fit_together(MEMBERS, *data, epochs=[1, 2])
    with pytest.raises(UserError, match="Labels must be from 0 to 3, but y holds 1 to 4"):
        fit_together(MEMBERS, data[0], data[1] + 1)


def test_thinned_cohorts_of_different_depths_stay_apart_though_they_share_a_program(data):
    x, y = data
    fit = {"batch_size": 31, "shuffle": False}
    members = [
        (NetworkSpec(20, 4, (12,) * depth), OptimizerSpec("adam", 0.01), seed) for depth in (1, 2) for seed in range(4)
    ]
    epochs = [1, 1, 1, 3] * 2  # after the first epoch both cohorts have one member left
    there = len(program._programs)
    histories = fit_together(
        members, x, y, epochs=epochs, places=4, workers=1, on_epoch_end=lambda history: None, **fit
    )
    assert len(program._programs) == there + 1
    for history, trial, count in zip(histories, members, epochs, strict=True):
        assert_same_training(history, fit_alone(trial, x, y, epochs=count, **fit), tolerance=5e-6)


def test_thinned_cohorts_with_other_inputs_stay_apart_though_they_share_a_program(data):
    """The features differ, and nothing that is compiled does."""
    x, y = data
    fit = {"batch_size": 29, "shuffle": False}

    def model(scale: float, seed: int) -> keras.Model:
        kernel = keras.initializers.GlorotUniform(seed)
        head = keras.layers.Dense(4, activation="softmax", kernel_initializer=kernel)
        built = keras.Sequential([keras.Input((20,)), keras.layers.Rescaling(scale), head])
        built.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        return built

    trials = [(scale, seed) for scale in (1.0, 5.0) for seed in range(4)]
    epochs = [1, 1, 1, 3] * 2  # after the first epoch both cohorts have one member left
    histories = fit_together(
        [model(*trial) for trial in trials],
        x,
        y,
        epochs=epochs,
        places=4,
        workers=1,
        on_epoch_end=lambda history: None,
        **fit,
    )
    for history, trial, count in zip(histories, trials, epochs, strict=True):
        reference = model(*trial).fit(x, y, epochs=count, verbose=0, **fit)
        np.testing.assert_allclose(history.history["loss"], reference.history["loss"], rtol=2e-5)
