"""A change made while a model trains has the effect that it has in the equations, from its step on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.babysitting.tiny import (
    ROWS,
    VALIDATION,
    Person,
    X,
    Y,
    asks,
    babysit,
    minibatches,
    network,
    rows_of,
    softmax_regression_by_hand,
)
from tfcourse.babysitting.babysitter import Babysitter
from tfcourse.babysitting.journal import read_journal
from tfcourse.babysitting.live import Live
from tfcourse.babysitting.lock import read_heartbeat
from tfcourse.errors import UserError
from tfcourse.models.spec import OptimizerSpec

SGD = OptimizerSpec("sgd", learning_rate=0.1)


def batches(epoch: int, size: int, first: int = 0) -> list[np.ndarray[Any, Any]]:
    order = rows_of(epoch)
    return [order[start : start + size] for start in range(first, ROWS, size)]


def test_rate_momentum_decay_and_batch_size_change_the_very_next_step(tmp_path: Path) -> None:
    model = network(SGD, units=())
    before = model.get_weights()
    acts = {
        2: asks(tmp_path, "set", values={"learning_rate": 0.03, "momentum": 0.9}),  # it began without momentum
        3: asks(tmp_path, "set", values={"weight_decay": 0.01}),
        7: asks(tmp_path, "set", values={"batch_size": 10, "momentum": 0.0}),
        9: asks(tmp_path, "set", values={"momentum": 0.5}),
    }
    babysit(tmp_path, 3, acts, model=model)
    first, second = batches(0, 8), batches(1, 8)[:2] + batches(1, 10, 16)
    settings = [(0.1, 0.0, 0.0)] * 2 + [(0.03, 0.9, 0.0)] + [(0.03, 0.9, 0.01)] * 4
    settings += [(0.03, 0.0, 0.01)] * 2 + [(0.03, 0.5, 0.01)] * 5
    rows = [*first, *second, *batches(2, 10)]
    expected = softmax_regression_by_hand(
        before, [(row, *setting) for row, setting in zip(rows, settings, strict=True)]
    )
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    changes = [event for event in read_journal(tmp_path).events if event["kind"] == "change"]
    assert [event["step"] for event in changes] == [2, 3, 7, 9]
    assert changes[0]["old"] == {"learning_rate": pytest.approx(0.1), "momentum": 0.0}


def test_the_rate_decays_on_from_what_was_set(tmp_path: Path) -> None:
    model = network(SGD, units=())
    before = model.get_weights()
    acts = {7: asks(tmp_path, "set", values={"learning_rate": 0.06})}
    babysit(tmp_path, 3, acts, model=model, learning_rate_decay=0.5)
    # α = α₀ / (1 + d · epoch): 0.1 in epoch 0, 0.1 / 1.5 in epoch 1; 0.06 there is α₀ = 0.09, and 0.045 in epoch 2.
    rates = [0.1] * 5 + [0.1 / 1.5] * 2 + [0.06] * 3 + [0.045] * 5
    rows = batches(0, 8) + batches(1, 8) + batches(2, 8)
    expected = softmax_regression_by_hand(before, [(r, a, 0.0, 0.0) for r, a in zip(rows, rates, strict=True)])
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    epochs = [event for event in read_journal(tmp_path).events if event["kind"] == "epoch"]
    assert [event["learning_rate"] for event in epochs] == pytest.approx([0.1, 0.06, 0.045])


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (SGD, {"momentum"}),
        (OptimizerSpec("rmsprop", 0.01), {"rho", "momentum"}),
        (OptimizerSpec("adam", 0.01), {"beta_1", "beta_2"}),
        (OptimizerSpec("adamw", 0.01), {"beta_1", "beta_2"}),
    ],
)
def test_what_is_live_depends_on_the_optimizer(spec: OptimizerSpec, names: set[str]) -> None:
    everywhere = {
        "learning_rate", "learning_rate_decay", "weight_decay", "dropout", "batch_size", "patience", "epochs",
    }  # fmt: skip
    assert set(Live(network(spec), minibatches()).values()) == everywhere | names


def test_dropout_drops_at_the_new_rate() -> None:
    model = network(units=(4000,), dropout=0.5)
    live = Live(model)
    both = [model.get_layer(name).output for name in ("activation_1", "dropout_1")]
    until_dropout = keras.Model(model.inputs[0], both)
    for rate in (0.5, 0.2, 0.0):
        live.apply({"dropout": rate}, 0)
        active, dropped = (np.asarray(part) for part in until_dropout(X, training=True))
        share = float(((active > 0) & (dropped == 0)).sum() / (active > 0).sum())
        assert share == pytest.approx(rate, abs=0.01)  # some 80 000 units: 1 % is more than five standard deviations


def test_a_dropout_change_is_compiled_in(tmp_path: Path) -> None:
    acts = {1: asks(tmp_path, "set", values={"dropout": 0.0})}
    changed, *_ = babysit(tmp_path, 1, acts)
    by_hand = network()
    by_hand.layers[-2].rate = 0.2
    by_hand.train_on_batch(X[rows_of(0)[:8]], Y[rows_of(0)[:8]])
    by_hand.layers[-2].rate = 0.0
    by_hand.make_train_function(force=True)
    for start in range(8, ROWS, 8):
        by_hand.train_on_batch(X[rows_of(0)[start : start + 8]], Y[rows_of(0)[start : start + 8]])
    for ours, theirs in zip(changed.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_schedule_of_keras_gives_way_to_a_rate_that_is_set(tmp_path: Path) -> None:
    model = network(units=())
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5)
    model.compile(keras.optimizers.SGD(schedule), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = model.get_weights()
    babysit(tmp_path, 1, {3: asks(tmp_path, "set", values={"learning_rate": 0.02})}, model=model)
    rates = [0.1, 0.05, 0.025, 0.02, 0.02]
    expected = softmax_regression_by_hand(before, [(r, a, 0.0, 0.0) for r, a in zip(batches(0, 8), rates, strict=True)])
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    # Going back to before it was set brings the schedule back.
    again = network(units=())
    again.compile(keras.optimizers.SGD(schedule), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    folder = tmp_path / "again"
    acts = {3: asks(folder, "set", values={"learning_rate": 0.02}), 4: asks(folder, "revert", to="0")}
    babysit(folder, 1, acts, model=again)
    assert read_heartbeat(folder)["live"]["learning_rate"] == pytest.approx(0.1 * 0.5**5)  # of the next step
    rates = [0.1, 0.05, 0.025, 0.0125, 0.00625]
    expected = softmax_regression_by_hand(before, [(r, a, 0.0, 0.0) for r, a in zip(batches(0, 8), rates, strict=True)])
    for ours, theirs in zip(again.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rho": 0.9}, "rho plays no part in this training"),
        ({"batch_size": 41}, "batch_size: 41 was given, but there are 40 training rows."),
        ({"epochs": 2}, "epochs: 2 was given, but 3 epochs have ended; give at least 3."),
        ({"learning_rate": 0.1, "dropout": 1.5}, "dropout = 1.5 was given"),
    ],
)
def test_nothing_changes_when_one_change_is_refused(changes: dict[str, Any], message: str) -> None:
    live = Live(network(), minibatches())
    before = live.values()
    with pytest.raises(UserError, match=message):
        live.check(changes, 3)
    assert live.values() == before


def test_epochs_of_somebody_elses_fit_have_an_end() -> None:
    with pytest.raises(UserError, match="epochs: 9 was given, but fit was called with 5"):
        Live(network(), most_epochs=5).check({"epochs": 9}, 0)
    with pytest.raises(UserError, match="batch_size plays no part in this training"):
        Live(network(), most_epochs=5).check({"batch_size": 9}, 0)


def test_dropout_that_was_never_there_is_refused() -> None:
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dropout(0.0), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(UserError, match="a layer was built with a rate of 0"):
        Live(model).check({"dropout": 0.5}, 0)


def test_patience_and_epochs_end_a_training_when_they_are_set(tmp_path: Path) -> None:
    _, sitter, said = babysit(tmp_path / "epochs", 99, {6: asks(tmp_path / "epochs", "set", values={"epochs": 3})})
    assert sitter.kept.epoch == 3
    assert said[-1] == "Ended after epoch 3: 3 epochs were asked for."
    still = network(OptimizerSpec("sgd", learning_rate=1e-12))
    _, sitter, said = babysit(tmp_path / "patience", 99, model=still, patience=2)
    assert said[-1].startswith(f"Ended after epoch {sitter.kept.epoch}: no better epoch than")
    assert sitter.kept.epoch < 99


def test_somebody_elses_fit_is_babysat_too(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(3)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    person = Person({4: asks(tmp_path, "set", values={"learning_rate": 0.5}), 12: asks(tmp_path, "stop")})
    sitter = Babysitter(tmp_path, say=lambda line: None)
    model.fit(X, Y, batch_size=8, epochs=50, validation_data=VALIDATION, callbacks=[sitter, person], verbose=0)
    assert float(np.asarray(model.optimizer.learning_rate)) == pytest.approx(0.5)
    kinds = [event["kind"] for event in read_journal(tmp_path).events]
    assert [kind for kind in kinds if kind != "alarm"] == ["start", "change", "epoch", "epoch", "stop", "epoch", "end"]
    # The same call again goes on where it ended, and ends at fit's own last epoch.
    again = Babysitter(tmp_path, say=lambda line: None)
    model.fit(X, Y, batch_size=8, epochs=5, validation_data=VALIDATION, callbacks=[again], verbose=0)
    events = read_journal(tmp_path).events
    assert [event["epoch"] for event in events if event["kind"] == "epoch"] == [1, 2, 3, 4, 5]
    # A later call of fit without a babysitter is Keras's own again.
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]
