"""The hypermodel declares the course's space so that any KerasTuner tuner draws it on the right scales."""

from __future__ import annotations

from pathlib import Path

import keras_tuner
import numpy as np
import pytest

from tfcourse.models.hypermodels import MLPHyperModel, declare
from tfcourse.space.course import default_space
from tfcourse.space.names import values_from_hp

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 6)).astype("float32"), np.arange(60) % 3


def draws(count: int) -> list[dict[str, float]]:
    hp = keras_tuner.HyperParameters()
    declare(default_space(), hp)
    found = []
    for _ in range(count):
        values: dict[str, float] = {}
        for parameter in hp.space:
            hp.values[parameter.name] = parameter.prob_to_value(RNG.random())
        for parameter in hp.space:
            if hp.is_active(parameter):
                values[parameter.name] = hp.values[parameter.name]
        found.append(values_from_hp(values))
    return found


def test_quantiles_under_kerastuners_own_maps() -> None:
    values = draws(1000)
    rates = np.array([v["learning_rate"] for v in values])
    assert np.mean(rates < 1e-2) == pytest.approx(0.5, abs=0.05)
    momenta = np.array([v["momentum"] for v in values if "momentum" in v])
    assert np.mean(momenta > 0.99) == pytest.approx(0.5, abs=0.1)
    assert momenta.min() >= 0.9 - 1e-12
    assert momenta.max() <= 0.999 + 1e-12
    assert {v["units_1"] for v in values} == set(range(50, 101))


def test_a_parameter_is_active_only_where_it_plays_a_part() -> None:
    for values in draws(200):
        assert ("momentum" in values) == (values["optimizer"] == "sgd")
        assert ("rho" in values) == (values["optimizer"] == "rmsprop")
        assert ("beta_1" in values) == (values["optimizer"] == "adam")
        assert sorted(name for name in values if name.startswith("units")) == [
            f"units_{layer}" for layer in range(1, int(values["layers"]) + 1)
        ]


def test_specs_and_build_describe_the_same_network() -> None:
    hypermodel = MLPHyperModel(6, 3, rows=60, batch_size=16)
    hp = keras_tuner.HyperParameters()
    hp.values = {
        "learning_rate": 0.03, "optimizer": "sgd", "one_minus_momentum": 0.05, "layers": 2, "units_1": 51,
        "units_2": 52, "learning_rate_decay": 0.5, "dropout": 0.1,
    }  # fmt: skip
    network, optimizer, batch_size = hypermodel.specs(hp)
    assert (network.units, optimizer.momentum, optimizer.decay_steps, batch_size) == ((51, 52), 0.95, 4, 16)
    model = hypermodel.build(hp)
    assert model.get_layer("dense_2").units == 52
    assert model.optimizer.momentum == 0.95


@pytest.mark.filterwarnings("ignore")  # KerasTuner's own
def test_kerastuners_random_search_takes_it(tmp_path: Path) -> None:
    tuner = keras_tuner.RandomSearch(
        MLPHyperModel(6, 3, rows=40, batch_size=20),
        objective="val_loss", max_trials=2, seed=1, directory=tmp_path, project_name="search",
    )  # fmt: skip
    tuner.search(X[:40], Y[:40], validation_data=(X[40:], Y[40:]), epochs=1, verbose=0)
    best = tuner.get_best_hyperparameters()[0]
    assert 1e-4 <= best["learning_rate"] <= 1
    assert tuner.get_best_models()[0].predict(X, verbose=0).shape == (60, 3)
