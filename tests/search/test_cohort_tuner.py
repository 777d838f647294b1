"""``CohortTuner`` in the place of a KerasTuner tuner: any hypermodel, any oracle, the same results."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from keras import layers
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.plugins.hparams import plugin_data_pb2

from tfcourse.errors import UserError
from tfcourse.models.builders import build_mlp
from tfcourse.models.convnet_hypermodel import ConvNetHyperModel
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.search.oracle import RandomOracle
from tfcourse.tuner.cohort_tuner import CohortTuner

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 6)).astype(np.float32)
Y = (X @ RNG.normal(size=(6, 3))).argmax(axis=1)
FIT = {"x": X[:80], "y": Y[:80], "validation_data": (X[80:], Y[80:]), "epochs": 3, "batch_size": 32, "verbose": 0}


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Return a small classifier, its weights the same for equal hyperparameters.

    Keras runs it eagerly wherever it trains it, because that takes less time than tracing so short a fit; a cohort's
    program is compiled all the same.
    """
    model = keras.Sequential([keras.Input((6,))])
    for layer in range(hp.Int("layers", 1, 2)):
        units = hp.Int(f"units_{layer}", 4, 12)
        model.add(layers.Dense(units, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(layer)))
    model.add(layers.Dense(3, activation="softmax", kernel_initializer=keras.initializers.GlorotUniform(9)))
    model.compile(
        keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e-1, sampling="log")),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        run_eagerly=True,
    )
    return model


def build_convolution(hp: keras_tuner.HyperParameters) -> keras.Model:
    filters = hp.Int("filters", 2, 3)
    convolution = [layers.Reshape((6, 1), name="columns"), layers.Conv1D(filters, 2), layers.Flatten()]
    model = keras.Sequential([keras.Input((6,)), *convolution, layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return model


def build_overfitting(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Return a classifier whose validation loss rises while its training loss falls."""
    hidden = [
        layers.Dense(64, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(n)) for n in (0, 1)
    ]
    model = keras.Sequential([keras.Input((6,)), *hidden, layers.Dense(3, activation="softmax")])
    rate = hp.Float("rate", 0.02, 0.03)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def only_the_loss() -> keras_tuner.HyperParameters:
    """Return a space of the two losses of one network."""
    space = keras_tuner.HyperParameters()
    space.Choice("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
    return space


class SpecsHyperModel(keras_tuner.HyperModel):
    """A hypermodel whose trials need no Keras model; it counts those it builds."""

    built = 0

    def specs(self, hp):
        network = NetworkSpec(6, 3, (hp.Int("units", 4, 12),), dropout=hp.Float("dropout", 0, 0.3))
        return network, OptimizerSpec("sgd", hp.Float("rate", 0.01, 1.0, sampling="log")), 32

    def declare_hyperparameters(self, hp):
        self.specs(hp)

    def build(self, hp):
        from tfcourse.models.builders import build_mlp

        type(self).built += 1
        return build_mlp(*self.specs(hp)[:2])


def oracle(kind: str = "RandomSearchOracle", trials: int = 5, objective: str = "val_accuracy") -> keras_tuner.Oracle:
    return getattr(keras_tuner.oracles, kind)(objective=objective, max_trials=trials, **SEED.get(kind, {}))


SEED = {"RandomSearchOracle": {"seed": 1}, "BayesianOptimizationOracle": {"seed": 1, "num_initial_points": 2}}


def test_the_winner_of_a_search_is_its_model_fit_and_survives_a_reload(tmp_path, capsys):
    tuner = CohortTuner(build, oracle(), directory=tmp_path, project_name="p")
    tuner.search(**FIT, shuffle=False)
    trials = tuner.oracle.get_best_trials(10)
    assert [trial.status for trial in trials] == ["COMPLETED"] * 5
    assert [trial.score for trial in trials] == sorted((trial.score for trial in trials), reverse=True)

    best, hyperparameters = tuner.get_best_models()[0], tuner.get_best_hyperparameters()[0]
    _, accuracy = best.evaluate(*FIT["validation_data"], verbose=0)
    assert accuracy == pytest.approx(trials[0].score, abs=1e-6)
    reference = build(hyperparameters).fit(**FIT, shuffle=False)
    for name, values in reference.history.items():
        curve = [point.value[0] for point in trials[0].metrics.get_history(name)]
        np.testing.assert_allclose(curve, values, rtol=2e-5, err_msg=name)
    assert trials[0].best_step == int(np.argmax(reference.history["val_accuracy"]))

    again = CohortTuner(build, oracle(), directory=tmp_path, project_name="p")
    assert again.oracle.get_best_trials()[0].trial_id == trials[0].trial_id
    np.testing.assert_array_equal(again.get_best_models()[0].get_weights()[0], best.get_weights()[0])
    again.results_summary()
    assert "Score: " in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["BayesianOptimizationOracle", "GridSearchOracle", "RandomOracle"])
def test_other_oracles(tmp_path, kind):
    own = RandomOracle("val_loss", 4) if kind == "RandomOracle" else oracle(kind, 4, "val_loss")
    tuner = CohortTuner(build, own, directory=tmp_path, trials_at_once=2)
    tuner.search(**FIT)
    trials = tuner.oracle.get_best_trials(10)
    assert len(trials) == 4
    assert len({tuple(sorted(trial.hyperparameters.values.items())) for trial in trials}) == 4
    assert not tuner.oracle.ongoing_trials


def test_a_hypermodel_with_specs_builds_no_model_during_the_search(tmp_path):
    SpecsHyperModel.built = 0
    tuner = CohortTuner(SpecsHyperModel(), oracle(trials=6), directory=tmp_path)
    tuner.search(**{**FIT, "batch_size": None}, callbacks=[keras.callbacks.EarlyStopping(patience=1)])
    assert SpecsHyperModel.built == 0
    [best] = tuner.get_best_models()
    assert SpecsHyperModel.built == 1
    _, accuracy = best.evaluate(*FIT["validation_data"], verbose=0)
    assert accuracy == pytest.approx(tuner.oracle.get_best_trials()[0].score, abs=1e-6)


def test_hyperband_is_refused_with_what_to_use():
    with pytest.raises(UserError, match=r"a HyperbandOracle, .* use keras_tuner.Hyperband\.$"):
        CohortTuner(build, keras_tuner.oracles.HyperbandOracle("val_loss"))


def test_the_plan_is_told_with_the_share_of_padding(tmp_path, capsys):
    tuner = CohortTuner(SpecsHyperModel(), oracle(trials=2), directory=tmp_path)
    tuner.search(**{**FIT, "verbose": 1})
    assert re.search(
        r"CohortTuner: 2 members train as .*; \d+ % of .* multiplications are padding\.", capsys.readouterr().out
    )


def test_random_search_arguments_in_place_of_an_oracle(tmp_path):
    tuner = CohortTuner(build, objective="val_loss", max_trials=2, seed=3, directory=tmp_path)
    tuner.search(**FIT)
    assert len(tuner.oracle.get_best_trials(5)) == 2


# Keras loads an untrained optimizer from the checkpoint of a trained one, and says so.
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
def test_a_convolution_is_trained_by_model_fit_and_one_line_says_so(tmp_path, capsys):
    tuner = CohortTuner(build_convolution, oracle(trials=2), directory=tmp_path)
    tuner.search(**FIT)
    said = [line for line in capsys.readouterr().out.splitlines() if "CohortTuner" in line]
    assert len(said) == 1
    assert "is trained by Model.fit: layer 'columns' cannot be trained in a cohort" in said[0]
    assert [trial.status for trial in tuner.oracle.get_best_trials(5)] == ["COMPLETED"] * 2
    assert tuner.get_best_models()[0].output_shape == (None, 3)


class EveryBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


class Slower(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 1e-4


@pytest.mark.parametrize(
    ("callback", "reason"),
    [
        (EveryBatch(), "callback EveryBatch is called at each batch"),
        (keras.callbacks.ReduceLROnPlateau(), "callback ReduceLROnPlateau changes the learning rate"),
        (Slower(), "a callback changed the learning rate"),
    ],
)
def test_callbacks_that_a_cohort_cannot_honour_fall_back(tmp_path, capsys, callback, reason):
    tuner = CohortTuner(build, oracle(trials=2), directory=tmp_path)
    tuner.search(**{**FIT, "epochs": 1}, callbacks=[callback])
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("CohortTuner")]
    assert len(said) == 1, "once, not for each trial"
    assert "is trained by Model.fit" in said[0]
    assert reason in said[0]
    assert [trial.status for trial in tuner.oracle.get_best_trials(5)] == ["COMPLETED"] * 2


def test_the_reason_is_told_once_for_layers_that_keras_has_numbered(tmp_path, capsys):
    def build_reshaped(hp):
        hp.Float("unused", 0, 1)
        model = keras.Sequential([keras.Input((6,)), layers.Reshape((2, 3)), layers.Flatten(), layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, metrics=["accuracy"], run_eagerly=True)
        return model

    tuner = CohortTuner(build_reshaped, oracle(trials=3), directory=tmp_path)
    tuner.search(**{**FIT, "epochs": 1})
    assert capsys.readouterr().out.count("is trained by Model.fit: layer 'reshape") == 1


def test_a_tuner_that_is_quiet_says_nothing_of_many_programs(tmp_path, capsys, caplog):
    for size in (21, 22, 23, 24, 25, 26):
        tuner = CohortTuner(
            SpecsHyperModel(), oracle(trials=2), directory=tmp_path / str(size), fit_options={"jit_compile": False}
        )
        tuner.search(**{**FIT, "epochs": 1, "batch_size": size})
    assert caplog.text == ""
    assert capsys.readouterr().err == ""


def test_arguments_of_fit_that_a_cohort_does_not_know_fall_back(tmp_path, capsys):
    tuner = CohortTuner(build, oracle(trials=1), directory=tmp_path)
    tuner.search(**FIT, validation_batch_size=20)
    assert "is trained by Model.fit: argument 'validation_batch_size' of search" in capsys.readouterr().out
    assert tuner.oracle.get_best_trials()[0].status == "COMPLETED"


def test_a_validation_split_is_that_of_model_fit(tmp_path, capsys):
    weights = np.linspace(0.5, 2, 120)
    fit = {"x": X, "y": Y, "sample_weight": weights, "epochs": 2, "shuffle": False, "verbose": 0}
    tuner = CohortTuner(build, oracle(trials=2), directory=tmp_path)
    tuner.search(**fit, validation_split=0.3)
    assert "Model.fit" not in capsys.readouterr().out
    for trial in tuner.oracle.trials.values():
        reference = build(trial.hyperparameters).fit(**fit, validation_split=0.3)
        for name in ("loss", "val_loss", "val_accuracy"):
            curve = [point.value[0] for point in trial.metrics.get_history(name)]
            np.testing.assert_allclose(curve, reference.history[name], rtol=2e-5, err_msg=name)
    with pytest.raises(UserError, match=r"validation_split=1.0 leaves no rows of 120"):
        CohortTuner(build, oracle(trials=1), directory=tmp_path / "none").search(**fit, validation_split=1.0)


class WarmUp(keras.callbacks.Callback):
    """Sets the rate before each epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.001 * (epoch + 1)


class Begin(keras.callbacks.Callback):
    """Sets the rate before the training."""

    def on_train_begin(self, logs=None):
        self.model.optimizer.learning_rate = 0.3


class Late(keras.callbacks.Callback):
    """Sets the rate before the last epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.optimizer.learning_rate = 0.3


class Halved(keras.callbacks.Callback):
    """Halves all weights after the first epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.model.set_weights([weight / 2 for weight in self.model.get_weights()])


@pytest.mark.parametrize(
    ("callback", "changed"),
    [(WarmUp, "learning rate"), (Begin, "learning rate"), (Late, "learning rate"), (Halved, "weights")],
)
def test_a_callback_that_changes_what_is_trained_is_noticed_and_followed(tmp_path, capsys, callback, changed):
    tuner = CohortTuner(build, oracle(trials=2), directory=tmp_path)
    tuner.search(**FIT, shuffle=False, callbacks=[callback()])
    assert f"is trained by Model.fit: a callback changed the {changed}" in capsys.readouterr().out
    for trial in tuner.oracle.trials.values():
        reference = build(trial.hyperparameters).fit(**FIT, shuffle=False, callbacks=[callback()])
        assert trial.status == "COMPLETED"
        assert trial.score == pytest.approx(max(reference.history["val_accuracy"]), abs=1e-6)


def test_the_kept_weights_are_the_objectives_though_early_stopping_restores_those_of_another_curve(tmp_path):
    stopping = keras.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    tuner = CohortTuner(build_overfitting, oracle(trials=1, objective="val_loss"), directory=tmp_path)
    tuner.search(**{**FIT, "x": X[:20], "y": Y[:20], "epochs": 60}, callbacks=[stopping])
    [trial] = tuner.oracle.get_best_trials()
    assert trial.best_step < 59, "validation loss was best before the end, training loss at the end"
    loss, _ = tuner.get_best_models()[0].evaluate(*FIT["validation_data"], verbose=0)
    assert loss == pytest.approx(trial.score, rel=1e-5)


def test_an_accuracy_by_another_name_is_still_maximized(tmp_path, capsys):
    def named(hp):
        model = build(hp)
        top = keras.metrics.SparseCategoricalAccuracy("top")
        model.compile(model.optimizer, model.loss, metrics=[top], run_eagerly=True)
        return model

    objective = keras_tuner.Objective("val_top", "max")
    own = keras_tuner.oracles.RandomSearchOracle(objective=objective, max_trials=1, seed=1)
    tuner = CohortTuner(named, own, directory=tmp_path)
    tuner.search(**FIT, shuffle=False)
    [trial] = tuner.oracle.get_best_trials()
    reference = named(trial.hyperparameters).fit(**FIT, shuffle=False)
    assert "metric 'top' cannot be computed in a cohort" in capsys.readouterr().out
    assert trial.score == pytest.approx(max(reference.history["val_top"]), abs=1e-6)


def test_a_trial_that_cannot_be_trained_fails_alone(tmp_path):
    def either(hp):
        model = build(hp)
        loss = hp.Choice("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
        model.compile("sgd", loss, run_eagerly=True)
        return model

    own = keras_tuner.oracles.GridSearchOracle(
        objective="val_loss", max_trials=2, hyperparameters=only_the_loss(), tune_new_entries=False
    )
    tuner = CohortTuner(either, own, directory=tmp_path)
    tuner.search(**FIT)
    found = {trial.hyperparameters["loss"]: trial.status for trial in own.trials.values()}
    assert found == {"sparse_categorical_crossentropy": "COMPLETED", "categorical_crossentropy": "FAILED"}


@pytest.mark.parametrize(
    ("changes", "options", "reason"),
    [
        ({"x": scipy.sparse.csr_matrix(FIT["x"])}, {}, "needs x and y as arrays"),
        ({}, {"memory": 1000}, "one member needs about"),
    ],
)
def test_what_keras_can_train_and_a_cohort_cannot_falls_back(tmp_path, capsys, changes, options, reason):
    tuner = CohortTuner(build, oracle(trials=2), directory=tmp_path, fit_options=options)
    tuner.search(**{**FIT, **changes, "epochs": 1})
    assert reason in capsys.readouterr().out
    assert [trial.status for trial in tuner.oracle.trials.values()] == ["COMPLETED"] * 2
    assert not tuner.oracle.ongoing_trials


def test_a_callback_that_changes_the_rate_makes_a_trial_of_several_executions_fall_back_once(tmp_path, capsys):
    tuner = CohortTuner(build, oracle(trials=1), directory=tmp_path, executions_per_trial=2)
    tuner.search(**{**FIT, "epochs": 1}, callbacks=[Slower()])
    assert capsys.readouterr().out.count("a callback changed the learning rate") == 1
    assert tuner.oracle.end_order == ["0"]


def test_weights_of_classes_reach_the_cohort(tmp_path):
    tuner = CohortTuner(build, oracle(trials=1), directory=tmp_path)
    tuner.search(**FIT, shuffle=False, class_weight={0: 5.0, 2: 0.1})
    [trial] = tuner.oracle.get_best_trials()
    reference = build(trial.hyperparameters).fit(**FIT, shuffle=False, class_weight={0: 5.0, 2: 0.1})
    curve = [point.value[0] for point in trial.metrics.get_history("loss")]
    np.testing.assert_allclose(curve, reference.history["loss"], rtol=2e-5)


class WithoutDropout(SpecsHyperModel):
    """Networks that are trained alike by any engine."""

    def specs(self, hp):
        network, optimizer, batch_size = super().specs(hp)
        return dataclasses.replace(network, dropout=0.0), optimizer, batch_size


class Wild(SpecsHyperModel):
    """Every other setting of its grid diverges in the first epoch."""

    def specs(self, hp):
        rate = hp.Choice("rate", [0.1, 1e30, 0.01, 2e30, 0.001, 3e30, 0.05, 4e30])
        return NetworkSpec(6, 3, (8,), batch_norm=False), OptimizerSpec("sgd", rate), 32


class Broken(Wild):
    """Every setting of its grid diverges."""

    def specs(self, hp):
        network, _, batch_size = super().specs(hp)
        return network, OptimizerSpec("sgd", 1e30), batch_size


def test_trials_that_diverge_fail_alone_though_all_of_them_end_before_the_others(tmp_path):
    tuner = CohortTuner(Wild(), oracle("GridSearchOracle", 8, "val_loss"), directory=tmp_path)
    tuner.search(**FIT)
    trials = tuner.oracle.trials.values()
    for trial in trials:
        diverges = trial.hyperparameters["rate"] >= 1e30
        assert trial.status == ("FAILED" if diverges else "COMPLETED")
        assert not diverges or "no longer a finite number in epoch 1" in trial.message
    assert sum(trial.status == "FAILED" for trial in trials) == 4
    assert tuner.oracle.end_order == tuner.oracle.start_order
    assert tuner.get_best_hyperparameters()[0]["rate"] < 1


def test_three_failures_in_a_row_end_a_search_as_in_keras_tuner(tmp_path):
    tuner = CohortTuner(Broken(), oracle("GridSearchOracle", 8, "val_loss"), directory=tmp_path)
    with pytest.raises(RuntimeError, match="consecutive failures exceeded the limit of 3"):
        tuner.search(**FIT)


def test_a_search_that_is_reloaded_goes_on_with_more_trials(tmp_path):
    CohortTuner(build, oracle(trials=2), directory=tmp_path, project_name="p").search(**FIT)
    again = CohortTuner(build, oracle(trials=4), directory=tmp_path, project_name="p")
    assert len(again.oracle.trials) == 2
    again.search(FIT["x"], FIT["y"], 32, 3, validation_data=FIT["validation_data"], verbose=0)  # as Model.fit orders
    assert [trial.status for trial in again.oracle.get_best_trials(9)] == ["COMPLETED"] * 4
    assert len(again.get_best_models(3)) == 3
    assert len({tuple(hp.values.items()) for hp in again.get_best_hyperparameters(4)}) == 4


class Weights(keras.callbacks.Callback):
    """Writes the model's accuracy on the validation data, as the model computes it, beside the epoch's log."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        predicted = np.asarray(self.model(FIT["validation_data"][0])).argmax(axis=1)
        accuracy = float((predicted == FIT["validation_data"][1]).mean())
        with self.path.open("a") as lines:
            lines.write(json.dumps([accuracy, logs["val_accuracy"]]) + "\n")


def hyperparameters_in(board: Path) -> dict[str, float]:
    """Return the values that TensorBoard's HParams plugin finds in a trial's folder."""
    values: dict[str, float] = {}
    for path in board.glob("events*"):
        for event in event_file_loader.EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                content = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
                values |= {name: each.number_value for name, each in content.session_start_info.hparams.items()}
    return values


def test_per_epoch_callbacks_work(tmp_path):
    callbacks = [
        keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=0, min_delta=1.0),
        keras.callbacks.TensorBoard(tmp_path / "board", histogram_freq=1),
        keras.callbacks.CSVLogger(tmp_path / "log.csv", append=True),
        Weights(tmp_path / "weights.jsonl"),
    ]
    tuner = CohortTuner(build, oracle(trials=2), directory=tmp_path / "search")
    tuner.search(**FIT, callbacks=callbacks)
    for trial in tuner.oracle.get_best_trials(2):
        assert len(trial.metrics.get_history("loss")) == 2, "it stops after the second epoch"
        board = tmp_path / "board" / trial.trial_id / "execution0"
        assert {path.name for path in board.iterdir()} >= {"train", "validation"}
        assert hyperparameters_in(board)["rate"] == pytest.approx(trial.hyperparameters["rate"])
    logged = pd.read_csv(tmp_path / "log.csv")
    assert list(logged["epoch"]) == [0, 1, 0, 1], "one trial's epochs after the other's"
    losses = [[point.value[0] for point in trial.metrics.get_history("loss")] for trial in tuner.oracle.trials.values()]
    assert sorted(logged["loss"]) == pytest.approx(sorted(np.ravel(losses)))
    rows = [json.loads(line) for line in (tmp_path / "weights.jsonl").read_text().splitlines()]
    assert len(rows) == 4
    np.testing.assert_allclose([row[0] for row in rows], [row[1] for row in rows], atol=1e-6)


def test_several_executions_are_averaged_as_keras_tuner_does(tmp_path):
    tuner = CohortTuner(
        WithoutDropout(), oracle(trials=2, objective="val_loss"), directory=tmp_path, executions_per_trial=2
    )
    tuner.search(**FIT, shuffle=False)
    for trial in tuner.oracle.get_best_trials(2):
        network, optimizer, _ = tuner.hypermodel.specs(trial.hyperparameters)
        losses = []
        for execution in range(2):
            model = build_mlp(network, optimizer, seed=tuner.trial_seed(trial, execution))
            losses.append(min(model.fit(**FIT, shuffle=False).history["val_loss"]))
        assert trial.status == "COMPLETED"
        assert losses[0] != pytest.approx(losses[1], rel=1e-3)
        assert trial.score == pytest.approx(np.mean(losses), rel=1e-4)


def test_convolutional_networks_are_trained_by_model_fit_and_the_reason_is_theirs(tmp_path, capsys):
    images = np.random.default_rng(0).normal(size=(24, 4, 4, 1)).astype("float32")
    oracle = keras_tuner.oracles.RandomSearchOracle(objective="val_loss", max_trials=1)
    tuner = CohortTuner(ConvNetHyperModel((4, 4, 1), 2), oracle, directory=tmp_path)
    labels = np.arange(24) % 2
    tuner.search(images, labels, validation_data=(images, labels), epochs=1, verbose=0)
    assert "trained by Model.fit: its networks are convolutional" in capsys.readouterr().out
    assert tuner.oracle.get_best_trials()[0].status == "COMPLETED"


def test_an_objective_of_its_own_fit_falls_back(tmp_path, capsys):
    class Own(keras_tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            model.fit(*args, **kwargs)
            return {"mine": 1.0}

    own = keras_tuner.oracles.RandomSearchOracle(objective=keras_tuner.Objective("mine", "max"), max_trials=1)
    tuner = CohortTuner(Own(), own, directory=tmp_path)
    tuner.search(**FIT)
    assert "the hypermodel has a fit of its own" in capsys.readouterr().out
    assert tuner.oracle.get_best_trials()[0].score == 1.0
