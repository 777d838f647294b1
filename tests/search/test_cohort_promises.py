"""``CohortTuner`` keeps ``keras_tuner.Tuner``'s promises: own methods, arguments, oracles that stop trials, retries."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import keras
import keras_tuner
import numpy as np
import pytest
from keras import layers

from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.search.oracle import RandomOracle
from tfcourse.space import Parameter, SearchSpace
from tfcourse.tuner.cohort_tuner import CohortTuner

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = (X @ RNG.normal(size=(4, 3))).argmax(axis=1)
FIT = {"x": X[:40], "y": Y[:40], "validation_data": (X[40:], Y[40:]), "epochs": 3, "shuffle": False, "verbose": 0}
SPACE = SearchSpace(
    (
        Parameter("layers", "choice", values=(1,)),
        Parameter("units_1", "integer", 4, 6),
        Parameter("optimizer", "choice", values=("sgd",)),
        Parameter("learning_rate", "log", 0.01, 0.02),
    )
)


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Return a network whose deeper layers' units are known only where it is deep."""
    model = keras.Sequential([keras.Input((4,))])
    for layer in range(hp.Int("layers", 1, 3)):
        start = keras.initializers.GlorotUniform(layer)
        model.add(layers.Dense(hp.Int(f"units_{layer}", 4, 99), activation="relu", kernel_initializer=start))
    model.add(layers.Dense(3, activation="softmax", kernel_initializer=keras.initializers.GlorotUniform(9)))
    # Keras runs it eagerly, because that takes less time than tracing so short a fit; a cohort compiles all the same.
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"], run_eagerly=True)
    return model


def mlp(kind: type[MLPHyperModel] = MLPHyperModel) -> MLPHyperModel:
    return kind(4, 3, rows=40, batch_size=20, space=SPACE, seed=5)


class Doubled(MLPHyperModel):
    """Builds networks with a second head behind the first."""

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        plain = super().build(hp)
        head = layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(3))(plain.output)
        model = keras.Model(plain.inputs, head)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
        return model


class OwnFit(MLPHyperModel):
    """Trains for one epoch, whatever is asked for."""

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        return super().fit(hp, model, *args, **{**kwargs, "epochs": 1})


def overridden(model: keras.Model, options: dict[str, Any]) -> keras.Model:
    """Compile a model with a tuner's own optimizer, loss or metrics."""
    own = {"optimizer": model.optimizer, "loss": model.loss, "metrics": ["accuracy"], **options}
    if isinstance(own["optimizer"], keras.optimizers.Optimizer):
        own["optimizer"] = type(own["optimizer"]).from_config(own["optimizer"].get_config())
    model.compile(**own)
    return model


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        (MLPHyperModel, {}, ""),
        (Doubled, {}, ""),
        (MLPHyperModel, {"optimizer": keras.optimizers.SGD(0.05), "metrics": ["accuracy"]}, ""),
        (MLPHyperModel, {"optimizer": "rmsprop", "metrics": ["accuracy"]}, ""),
        (MLPHyperModel, {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, "trained by Model.fit"),
        (MLPHyperModel, {"metrics": ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)]}, "by Model.fit"),
        (OwnFit, {}, "trained by Model.fit: the hypermodel has a fit of its own"),
    ],
)
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
def test_what_a_hypermodel_with_specs_and_a_tuner_say_otherwise_is_what_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: type[MLPHyperModel], options: dict[str, Any], said: str
) -> None:
    tuner = CohortTuner(mlp(kind), objective="val_loss", max_trials=1, directory=tmp_path, **options)
    tuner.search(**FIT)
    printed = capsys.readouterr().out
    assert said in printed
    assert bool(said) == ("Model.fit" in printed)
    [trial] = tuner.oracle.get_best_trials()
    model = mlp(kind).build(trial.hyperparameters)
    model = overridden(model, options) if options else model
    reference = mlp(kind).fit(trial.hyperparameters, model, **FIT)
    assert trial.score == pytest.approx(min(reference.history["val_loss"]), rel=1e-4)


def test_a_model_larger_than_allowed_fails_though_it_has_specs(tmp_path: Path) -> None:
    tuner = CohortTuner(mlp(), objective="val_loss", max_trials=2, max_model_size=5, directory=tmp_path)
    tuner.search(**FIT)
    assert [trial.status for trial in tuner.oracle.trials.values()] == ["FAILED", "FAILED"]
    assert "Oversized model" in tuner.oracle.trials["0"].message


def _returned(trial: Any) -> Any:
    return trial


def _status(trial: Any) -> Any:
    return trial.status


class Stopping(keras_tuner.oracles.RandomSearchOracle):
    """Stops each trial after its second epoch, and remembers what it was told."""

    def __init__(self, answer: Any) -> None:
        super().__init__(objective="val_loss", max_trials=2, seed=1)
        self.told: dict[str, list[float]] = {}
        self.answer = answer

    @keras_tuner.synchronized
    def update_trial(self, trial_id: str, metrics: Any, step: int = 0) -> Any:
        trial = super().update_trial(trial_id, metrics, step)
        self.told.setdefault(trial_id, []).append(metrics["val_loss"])
        if step == 1:
            trial.status = "STOPPED"
        return self.answer(trial)


class Begun(keras.callbacks.Callback):
    """Notes the epochs that began, of all trials."""

    epochs: ClassVar[list[int]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(epoch)


@pytest.mark.parametrize("answer", [_returned, _status])
def test_an_oracle_is_told_each_epoch_and_stops_a_trial(tmp_path: Path, answer: Any) -> None:
    Begun.epochs = []
    oracle = Stopping(answer)
    CohortTuner(build, oracle, directory=tmp_path).search(**FIT, callbacks=[Begun()])
    assert sorted(Begun.epochs) == [0, 0, 1, 1], "no third epoch begins"
    for trial in oracle.trials.values():
        reference = build(trial.hyperparameters).fit(**{**FIT, "epochs": 2}).history["val_loss"]
        curve = [point.value for point in trial.metrics.get_history("val_loss")]
        np.testing.assert_allclose(curve, [[value] for value in reference], rtol=1e-4)
        np.testing.assert_allclose(oracle.told[trial.trial_id], reference, rtol=1e-4)
        assert (trial.status, trial.best_step) == ("COMPLETED", int(np.argmin(reference)))
        assert trial.score == pytest.approx(min(reference), rel=1e-4)


@pytest.mark.parametrize("method", ["_build_and_fit_model", "run_trial", "on_epoch_end"])
def test_a_tuner_with_a_method_of_its_own_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    called = []

    def own(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.append(method)
        return getattr(keras_tuner.Tuner, method)(self, *args, **kwargs)

    kind = type("Own", (CohortTuner,), {method: own})
    kind(build, objective="val_loss", max_trials=1, directory=tmp_path).search(**{**FIT, "epochs": 1})
    assert called == [method]
    assert f"is trained by Model.fit: the tuner has a {method} of its own" in capsys.readouterr().out


def test_the_settings_drawn_are_keras_tuners_though_many_are_drawn_before_any_is_trained(tmp_path: Path) -> None:
    class Untrained(keras_tuner.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            self.hypermodel.build(trial.hyperparameters)
            return 0.0

    there = Untrained(build, objective="val_loss", max_trials=6, seed=3, directory=tmp_path / "there")
    there.search(verbose=0)
    here = CohortTuner(build, objective="val_loss", max_trials=6, seed=3, directory=tmp_path / "here")
    here.search(**{**FIT, "epochs": 1})
    values = [[trial.hyperparameters.values for trial in tuner.oracle.trials.values()] for tuner in (here, there)]
    assert values[0] == values[1]
    assert len({each["units_1"] for each in values[0] if each["layers"] > 1}) > 1


def test_a_trial_that_crashed_is_tried_again_in_a_cohort(tmp_path: Path) -> None:
    crashes = []

    def fragile(hp: keras_tuner.HyperParameters) -> keras.Model:
        model = build(hp)
        if len(crashes) in (1, 2):  # once for the cohort, once for Model.fit
            crashes.append("")
            raise MemoryError("no memory")
        crashes.append("")
        return model

    oracle = keras_tuner.oracles.RandomSearchOracle("val_loss", 1, seed=1, max_retries_per_trial=1)
    tuner = CohortTuner(oracle, fragile, directory=tmp_path)  # in the order of keras_tuner.Tuner
    tuner.search(FIT["x"], FIT["y"], None, 3, 0, None, 0.0, FIT["validation_data"], False)
    [trial] = oracle.trials.values()
    reference = build(trial.hyperparameters).fit(**FIT).history["val_loss"]
    assert trial.status == "COMPLETED"
    curve = [point.value[0] for point in trial.metrics.get_history("val_loss")]
    np.testing.assert_allclose(curve, reference, rtol=1e-4)
    assert tuner.get_best_models()[0].evaluate(*FIT["validation_data"], verbose=0)[0] == pytest.approx(min(reference))


def test_a_search_with_our_oracle_goes_on_after_a_reload_and_after_losses_that_are_no_numbers(tmp_path: Path) -> None:
    def wild(hp: keras_tuner.HyperParameters) -> keras.Model:
        model = build(hp)
        model.compile(keras.optimizers.SGD(hp.Choice("rate", [1e30, 0.1])), model.loss, metrics=["accuracy"])
        return model

    fit = {**FIT, "epochs": 1}
    for trials in (4, 9):
        tuner = CohortTuner(wild, RandomOracle("val_loss", trials, seed=2), directory=tmp_path)
        tuner.search(**fit)
    found = {(trial.status, trial.hyperparameters["rate"]) for trial in tuner.oracle.trials.values()}
    assert found == {("FAILED", 1e30), ("COMPLETED", 0.1)}
    assert len(tuner.oracle.trials) == 9
    diverged = [trial for trial in tuner.oracle.trials.values() if tuner.oracle.diverged(trial.trial_id)]
    assert all(trial.hyperparameters["rate"] == 1e30 for trial in diverged)
    assert "no longer a finite number in epoch 1" in diverged[0].message
    tuner.results_summary()
