"""Members that stop, diverge or start anew change nothing for the others."""

from __future__ import annotations

import threading

import keras
import numpy as np
import pytest

from tests.cohort.conftest import Trial, assert_same_training, assert_same_weights, fit_alone
from tfcourse.cohort import fit_together
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
    for history, trial in list(zip(histories, MEMBERS, strict=True))[: 3 if restore else 1]:
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


def test_dropout_drops_its_share_anew_at_each_step_and_nothing_at_rate_0(data):
    x, y = np.ones((64, 20), np.float32), np.zeros(64, int)
    # A frozen network (rate almost 0) whose training loss shows the mean of the kept, scaled units.
    still = OptimizerSpec("sgd", 1e-12)

    def losses(rate, seed=0):
        network = NetworkSpec(20, 4, (256,), batch_norm=False, dropout=rate)
        [history] = fit_together([(network, still, seed)], x, y, epochs=40, batch_size=64)
        return np.array(history.history["loss"])

    none, some = losses(0.0), losses(0.5)
    assert np.ptp(none) < 1e-6
    assert np.ptp(some) > 1e-3
    assert len(set(some.tolist())) == 40
    assert not np.array_equal(some, losses(0.5, seed=0)[::-1])


def test_asking_for_a_curve_that_is_not_there_is_told(data):
    with pytest.raises(UserError, match="monitor='val_loss' needs validation_data"):
        fit_together(MEMBERS, *data, patience=3)
    with pytest.raises(UserError, match="epochs must be one value, or one for each of the 4 members; got 2 values"):
        fit_together(MEMBERS, *data, epochs=[1, 2])
    with pytest.raises(UserError, match="Labels must be from 0 to 3, but y holds 1 to 4"):
        fit_together(MEMBERS, data[0], data[1] + 1)
