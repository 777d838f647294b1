"""What a babysitter shows and keeps of anyone's ``fit`` is true: rates, steps, epochs, optimizers of every kind."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.babysitting.beside import OPTIMIZERS, VALIDATION, X, Y, callback, network, quiet
from tests.babysitting.tiny import Person, asks
from tfcourse.babysitting.babysitter import Babysitter
from tfcourse.babysitting.checkpoints import Checkpoints, path_of, write
from tfcourse.babysitting.journal import Event, read_journal
from tfcourse.babysitting.lineage import epochs_of, surviving
from tfcourse.babysitting.live import Live
from tfcourse.babysitting.lock import Lock, is_held, read_heartbeat
from tfcourse.babysitting.state import largest_difference, snapshot
from tfcourse.errors import UserError

CALM: dict[str, Any] = {"batch_size": 10, "shuffle": False, "verbose": 0}


def path_in(folder: Path) -> list[Event]:
    return surviving(read_journal(folder).events)


class Rates(keras.callbacks.Callback):
    """Writes down the rate of each epoch's first step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if batch == 0:
            self.seen.append(float(np.asarray(self.model.optimizer.learning_rate)))


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["plateau", "scheduler", "warm-up by epoch"])
def test_the_rate_of_others_is_left_alone_and_told(tmp_path: Path, name: str, first: bool) -> None:
    rates, beside = Rates(), [callback(name, tmp_path)]
    beside.insert(0 if first else 1, quiet(tmp_path))
    model = network("sgd", run_eagerly=True)
    model.fit(X, Y, epochs=4, callbacks=[*beside, rates], **CALM)
    expected = {
        "plateau": [0.1, 0.1, 0.05, 0.025],  # patience 1: the second epoch is the first without a better one
        "scheduler": [0.07, 0.049, 0.0343, 0.02401],
        "warm-up by epoch": [0.01, 0.02, 0.03, 0.04],
    }[name]
    assert rates.seen == pytest.approx(expected)
    epochs = epochs_of(path_in(tmp_path))
    assert [event["learning_rate"] for event in epochs] == pytest.approx(expected)
    kept = [Checkpoints(tmp_path).read(event["number"]) for event in epochs]
    for arrays, facts in kept:
        assert facts["live"]["learning_rate"] == pytest.approx(float(arrays["optimizer/learning_rate"]))
    now = float(np.asarray(model.optimizer.learning_rate))
    assert read_heartbeat(tmp_path)["live"]["learning_rate"] == pytest.approx(now)


def test_a_rate_that_was_set_belongs_to_others_again_from_then_on(tmp_path: Path) -> None:
    rates = Rates()
    person = Person({3: asks(tmp_path, "set", values={"learning_rate": 0.4})})  # after the first step of epoch 2
    beside = [quiet(tmp_path), callback("plateau", tmp_path), person, rates]
    network_ = network("sgd", run_eagerly=True)
    network_.fit(X, Y, epochs=4, callbacks=beside, **CALM)
    assert rates.seen == pytest.approx([0.1, 0.1, 0.2, 0.1])
    change = next(event for event in read_journal(tmp_path).events if event["kind"] == "change")
    assert (change["old"]["learning_rate"], change["new"]["learning_rate"]) == pytest.approx((0.1, 0.4))


def test_a_decay_that_was_asked_for_decays_what_others_set(tmp_path: Path) -> None:
    rates = Rates()
    person = Person({3: lambda: model.optimizer.learning_rate.assign(0.4)})  # by hand, in the second epoch
    model = network("sgd", run_eagerly=True)
    sitter = quiet(tmp_path, learning_rate_decay=1.0)
    model.fit(X, Y, epochs=4, callbacks=[sitter, person, rates], **CALM)
    assert rates.seen == pytest.approx([0.1, 0.05, 0.4 * 2 / 3, 0.4 * 2 / 4])


def rates_of(model: keras.Model) -> list[float]:
    return [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]


def test_each_layer_keeps_its_own_dropout(tmp_path: Path) -> None:
    model, seen = network("sgd", run_eagerly=True), []
    person = Person(
        {
            1: asks(tmp_path, "set", values={"dropout": 0.2}),
            2: lambda: seen.append(rates_of(model)),
            3: asks(tmp_path, "revert", to="0"),
            4: lambda: seen.append(rates_of(model)),
        }
    )
    said: list[str] = []
    model.fit(X, Y, epochs=2, callbacks=[Babysitter(tmp_path, say=said.append), person], **CALM)
    assert seen == [[0.2, 0.2], [0.1, 0.4]]
    assert any("dropout 0.1,0.4 → 0.2" in line for line in said)
    again = network("sgd", run_eagerly=True)
    for layer in again.layers:
        layer.rate = 0.3
    again.fit(X, Y, epochs=3, callbacks=[quiet(tmp_path)], **CALM)
    assert rates_of(again) == [0.1, 0.4]
    assert read_heartbeat(tmp_path)["live"]["dropout"] == [0.1, 0.4]


def test_what_is_not_the_optimizers_momentum_nor_its_decay_is_left_alone(tmp_path: Path) -> None:
    model = network(keras.optimizers.SGD(0.1, momentum=0.5), run_eagerly=True)
    person = Person({1: asks(tmp_path, "set", values={"momentum": 0.9}), 2: asks(tmp_path, "revert", to="0")})
    model.fit(X, Y, epochs=3, callbacks=[quiet(tmp_path), person], **CALM)
    assert model.layers[2].momentum == 0.99
    assert (model.optimizer.momentum, model.optimizer.weight_decay) == (0.5, None)


@pytest.mark.parametrize("name", ["sgd", "rmsprop"])
def test_momentum_that_comes_later_has_a_place_in_every_optimizer(tmp_path: Path, name: str) -> None:
    optimizer = keras.optimizers.get({"class_name": name, "config": {"learning_rate": 0.01}})
    model = network(optimizer, run_eagerly=True)
    act = Person({1: asks(tmp_path, "set", values={"momentum": 0.9})})
    model.fit(X, Y, epochs=2, callbacks=[quiet(tmp_path), act], **CALM)
    moved = [np.abs(np.asarray(v)).max() for v in optimizer.variables if v.name.endswith("_momentum")]
    assert len(moved) == len(model.trainable_variables)
    assert max(moved) > 0


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "sgd, callable"])
def test_the_beginning_of_every_optimizer_comes_back(tmp_path: Path, name: str) -> None:
    model = network(name, run_eagerly=True)
    person = Person({2: asks(tmp_path, "revert", to="0")})  # done before the first step of epoch 2
    model.fit(X, Y, epochs=2, callbacks=[quiet(tmp_path), person], **CALM)
    first, again = (event for event in read_journal(tmp_path).events if event["kind"] == "epoch")
    assert (first["epoch"], first["step"], first["logs"]) == (again["epoch"], again["step"], again["logs"])
    ours, theirs = (Checkpoints(tmp_path).read(event["number"])[0] for event in (first, again))
    assert set(ours) == set(theirs)
    assert largest_difference(ours, theirs) == 0.0


def test_mixed_precision_goes_on_and_goes_back(tmp_path: Path) -> None:
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        models = [network(keras.optimizers.Adam(0.01), run_eagerly=True) for _ in range(3)]
    finally:
        keras.mixed_precision.set_global_policy(policy)
    calm, killed, started = models
    assert isinstance(calm.optimizer, keras.optimizers.LossScaleOptimizer)
    calm.fit(X, Y, epochs=3, callbacks=[quiet(tmp_path / "calm")], **CALM)
    folder = tmp_path / "killed"
    killed.fit(X, Y, epochs=1, callbacks=[quiet(folder)], **CALM)
    killed.fit(X, Y, epochs=2, callbacks=[quiet(folder)], **CALM)  # the same model, as in one notebook
    started.fit(X, Y, epochs=3, callbacks=[quiet(folder)], **CALM)
    assert largest_difference(snapshot(calm), snapshot(started)) == 0.0
    act = Person({1: asks(folder, "set", values={"learning_rate": 0.5}), 2: asks(folder, "revert", to="2")})
    started.fit(X, Y, epochs=5, callbacks=[quiet(folder), act], **CALM)
    third = [event for event in path_in(folder) if event["kind"] == "epoch" and event["epoch"] == 3]
    kept = Checkpoints(folder).read(third[0]["number"])[0]
    assert largest_difference(kept, snapshot(calm)) == 0.0


def test_bfloat16_is_kept_to_the_last_bit(tmp_path: Path) -> None:
    calm, again = (
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "tanh", dtype="bfloat16")]) for _ in range(2)
    )
    again.set_weights(calm.get_weights())
    for model in (calm, again):
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    calm.fit(X, Y, epochs=1, callbacks=[quiet(tmp_path)], **CALM)
    again.fit(X, Y, epochs=1, callbacks=[quiet(tmp_path)], **CALM)  # nothing is left to train
    assert largest_difference(snapshot(calm), snapshot(again)) == 0.0
    assert np.abs(np.asarray(again.weights[0]).astype(np.float32)).max() > 0


@pytest.mark.parametrize(
    ("steps", "data", "expected"),
    [
        (1, {}, [3, 6]),
        (2, {}, [3, 6]),  # the last call of an epoch trains one minibatch, not two
        (5, {}, [3, 6]),
        (2, {"steps_per_epoch": 3}, [3, 6]),
    ],
)
def test_several_steps_in_one_call_are_counted_as_they_are(
    tmp_path: Path, steps: int, data: dict[str, Any], expected: list[int]
) -> None:
    model = network("sgd", steps_per_execution=steps)
    model.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0, callbacks=[quiet(tmp_path)], **data)
    epochs = epochs_of(path_in(tmp_path))
    assert [event["step"] for event in epochs] == expected
    assert int(np.asarray(model.optimizer.iterations)) == expected[-1]


def test_a_loss_scaling_that_leaves_steps_out_counts_them(tmp_path: Path) -> None:
    model = network("adam, scaled", steps_per_execution=2)
    model.optimizer.initial_scale = float("inf")
    model.fit(X, Y, epochs=1, batch_size=8, shuffle=False, verbose=0, callbacks=[quiet(tmp_path)])
    assert epochs_of(path_in(tmp_path))[-1]["step"] == 3


def test_only_validated_epochs_are_compared(tmp_path: Path) -> None:
    model = network("sgd", run_eagerly=True)

    class Scripted(keras.callbacks.Callback):
        """Gives the epochs the losses of a script, as a metric of somebody's own would."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["loss"] = 0.01
            if "val_loss" in logs:
                logs["val_loss"] = {1: 0.5, 3: 0.4, 5: 0.45, 7: 0.9}[epoch]

    said: list[str] = []
    sitter = Babysitter(tmp_path, say=said.append, patience=2)
    fit = {**CALM, "epochs": 20, "validation_data": VALIDATION, "validation_freq": 2}
    model.fit(X, Y, callbacks=[Scripted(), sitter], **fit)
    assert said[-1] == "Ended after epoch 8: no better epoch than 4 for 2 validated epochs."
    assert sitter.kept.best is not None
    assert sitter.kept.best["epoch"] == 4
    alarms = [event["text"] for event in read_journal(tmp_path).events if event["kind"] == "alarm"]
    assert alarms == ["val_loss 0.9 is far above its best, 0.4 at epoch 4"]


class Interrupted(keras.callbacks.Callback):
    """Ends ``fit`` by an exception in its first step."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        raise KeyboardInterrupt


def test_a_fit_that_ended_by_an_exception_leaves_its_folder_to_the_same_process(tmp_path: Path) -> None:
    kept: list[BaseException] = []  # as a notebook keeps the last exception, and with it every frame
    model, sitter = network("sgd", run_eagerly=True), quiet(tmp_path)
    for babysitter in (sitter, sitter, quiet(tmp_path)):
        with pytest.raises(KeyboardInterrupt) as error:
            model.fit(X, Y, callbacks=[babysitter, Interrupted()], **CALM)
        kept.append(error.value)
        assert is_held(tmp_path)
    model.fit(X, Y, epochs=2, callbacks=[quiet(tmp_path)], **CALM)
    assert [event["epoch"] for event in epochs_of(path_in(tmp_path))] == [1, 2]
    assert not is_held(tmp_path)


def test_a_thread_that_still_trains_keeps_its_folder(tmp_path: Path) -> None:
    trains, ends = threading.Event(), threading.Event()

    def wait() -> None:
        trains.set()
        assert ends.wait(60)

    model = network("sgd", run_eagerly=True)
    beside = [quiet(tmp_path), Person({1: wait})]
    thread = threading.Thread(target=lambda: model.fit(X, Y, callbacks=beside, **CALM))
    thread.start()
    assert trains.wait(60)
    with pytest.raises(UserError, match="is being babysat already by process"):
        Lock(tmp_path)
    ends.set()
    thread.join()
    Lock(tmp_path).release()


def test_a_step_that_xla_compiles_is_left_alone(tmp_path: Path) -> None:
    # Not among the others of test_beside.py, since op determinism forbids it.
    models = [network("sgd", jit_compile=True, metrics=[]) for _ in range(2)]
    for model, beside in zip(models, ([], [quiet(tmp_path)]), strict=True):
        assert model.jit_compile
        model.fit(X, Y, epochs=2, callbacks=beside, **CALM)
    for ours, theirs in zip(*(model.variables for model in models), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_a_later_fit_begins_where_keras_begins(tmp_path: Path) -> None:
    model = network("sgd", run_eagerly=True)
    for _ in range(2):  # the second time nothing is left to train
        model.fit(X, Y, epochs=2, callbacks=[quiet(tmp_path)], **CALM)
    assert model.fit(X, Y, epochs=2, **CALM).epoch == [0, 1]


class Gan(keras.Model):
    """Two networks, each with an optimizer of its own, and no loss of the name."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        self.maker = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        self.optimizers = {"critic": keras.optimizers.Adam(0.05), "maker": keras.optimizers.RMSprop(0.01)}

    def train_step(self, data: Any) -> dict[str, Any]:
        import tensorflow as tf

        noise = tf.ones((tf.shape(data)[0], 2))
        with tf.GradientTape(persistent=True) as tape:
            made = self.maker(noise)
            critic = tf.reduce_mean(self.critic(made)) - tf.reduce_mean(self.critic(data))
            maker = -tf.reduce_mean(self.critic(made))
        for name, loss in (("critic", critic), ("maker", maker)):
            weights = getattr(self, name).trainable_variables
            self.optimizers[name].apply(tape.gradient(loss, weights), weights)
        return {"critic_loss": critic, "maker_loss": maker}


def gan() -> Gan:
    keras.utils.set_random_seed(2)
    model = Gan()
    model.compile(run_eagerly=True)
    return model


def test_several_optimizers_are_kept_and_none_of_them_is_guessed_at(tmp_path: Path) -> None:
    calm, killed, started = gan(), gan(), gan()
    calm.fit(X, epochs=3, callbacks=[quiet(tmp_path / "calm")], **CALM)
    folder = tmp_path / "killed"
    act = Person({1: asks(folder, "set", values={"learning_rate": 0.1}), 2: asks(folder, "revert", to="0")})
    killed.fit(X, epochs=3, callbacks=[quiet(folder), act], **CALM)
    started.fit(X, epochs=3, callbacks=[quiet(folder)], **CALM)
    assert largest_difference(snapshot(calm), snapshot(started)) == 0.0
    assert "optimizer/optimizers.critic/0/momentum" in snapshot(started)
    events = read_journal(folder).events
    refused = next(event["why"] for event in events if event["kind"] == "refused")
    assert refused == (
        "learning_rate plays no part in this training. The model has several optimizers (optimizer, optimizers.critic,"
        " optimizers.maker), and it is not said of which. What can be changed: patience, epochs."
    )
    assert not [event for event in events if event["kind"] in ("alarm", "pause")]
    assert not calm.optimizer.built


def test_a_loss_of_any_name_that_is_not_finite_is_an_alarm(tmp_path: Path) -> None:
    model = gan()
    model.optimizers["critic"].learning_rate = 1e38

    def say(line: str) -> None:
        if line.startswith("Paused"):
            asks(tmp_path, "stop")()

    model.fit(X, epochs=3, callbacks=[Babysitter(tmp_path, say=say)], **CALM)
    alarms = [event["text"] for event in read_journal(tmp_path).events if event["kind"] == "alarm"]
    assert alarms
    assert re.match("the (critic|maker)_loss is -?(inf|nan) at step [2-4]", alarms[0])


def test_an_optimizer_of_optimizers(tmp_path: Path) -> None:
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        pytest.skip("this Keras has none")

    def several() -> keras.Model:
        inner = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.1, momentum=0.9))
        inner[".*bias"] = keras.optimizers.Adam(0.01)
        return network(keras.optimizers.MultiOptimizer(inner), run_eagerly=True)

    calm, killed, started = several(), several(), several()
    calm.fit(X, Y, epochs=3, callbacks=[quiet(tmp_path / "calm")], **CALM)
    folder = tmp_path / "killed"
    act = Person({2: asks(folder, "revert", to="0")})
    killed.fit(X, Y, epochs=3, callbacks=[quiet(folder), act], **CALM)
    started.fit(X, Y, epochs=3, callbacks=[quiet(folder)], **CALM)
    assert largest_difference(snapshot(calm), snapshot(started)) == 0.0
    assert "learning_rate" not in Live(calm).values()


def test_several_outputs_and_metrics_that_are_no_single_number(tmp_path: Path) -> None:
    x = keras.Input((3,))
    hidden = keras.layers.Dense(3)(x)
    model = keras.Model(x, [keras.layers.Dense(2, name="a")(hidden), keras.layers.Dense(2, name="b")(hidden)])
    loss = [keras.losses.SparseCategoricalCrossentropy(from_logits=True), "mse"]
    model.compile("sgd", loss, metrics=[[], [keras.metrics.R2Score(class_aggregation=None)]], run_eagerly=True)
    model.fit(X, [Y, X[:, :2]], epochs=2, callbacks=[quiet(tmp_path)], **CALM)
    assert {"loss", "a_loss", "b_loss"} <= set(epochs_of(path_in(tmp_path))[0]["logs"])


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.head = keras.layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.head(x)


def test_a_model_without_weights_is_refused_and_one_that_was_built_is_not(tmp_path: Path) -> None:
    models = [Subclassed() for _ in range(3)]
    for model in models:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.1), loss, run_eagerly=True)
    with pytest.raises(UserError, match=r"The model 'subclassed.*' has layers without weights before its first"):
        models[0].fit(X, Y, epochs=2, callbacks=[quiet(tmp_path)], **CALM)
    assert not (tmp_path / "journal.jsonl").exists()
    keras.utils.set_random_seed(1)
    for model in models[1:]:
        model(X)
    models[2].set_weights(models[1].get_weights())
    models[1].fit(X, Y, epochs=2, callbacks=[quiet(tmp_path / "calm")], **CALM)
    models[0](X)
    models[2].fit(X, Y, epochs=1, callbacks=[quiet(tmp_path)], **CALM)
    models[0].fit(X, Y, epochs=2, callbacks=[quiet(tmp_path)], **CALM)
    assert largest_difference(snapshot(models[0]), snapshot(models[1])) == 0.0


def test_a_checkpoint_that_was_kept_by_places_is_read(tmp_path: Path) -> None:
    model = network("rmsprop", run_eagerly=True)
    model.fit(X, Y, epochs=1, callbacks=[quiet(tmp_path)], **CALM)
    event = epochs_of(path_in(tmp_path))[-1]
    arrays, facts = Checkpoints(tmp_path).read(event["number"])
    old = {name: value for name, value in arrays.items() if name.startswith(("model/", "metrics/"))}
    old |= {f"optimizer/{place}": np.asarray(value) for place, value in enumerate(model.optimizer.variables)}
    write(path_of(tmp_path, event["number"]), old, facts)
    again = network("rmsprop", run_eagerly=True)
    again.fit(X, Y, epochs=1, callbacks=[quiet(tmp_path)], **CALM)
    assert largest_difference(snapshot(model), snapshot(again)) == 0.0
