"""KerasTuner's chief and worker variables: the same program ends as with a tuner of KerasTuner's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tfcourse.errors import UserError
from tfcourse.models.hypermodels import MLPHyperModel
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.oracle import RandomOracle
from tfcourse.space.course import default_space

PROGRAM = """
import json, sys
import keras, numpy as np
from keras import layers
import tfcourse

def build(hp):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(hp.Int("units", 2, 3)), layers.Dense(2, "softmax")])
    rate = hp.Choice("rate", [1e30, 0.01])
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

x = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
y = (x[:, 0] > 0).astype(int)
tuner = tfcourse.CohortTuner(
    build, objective="val_loss", max_trials=4, seed=1, directory=sys.argv[1], max_consecutive_failed_trials=5
)
tuner.search(x, y, validation_data=(x, y), epochs=2, verbose=0)
if sys.argv[2] == "worker":
    best = tuner.oracle.get_best_trials(4)
    ended = [[trial.status, trial.hyperparameters.get("rate")] for trial in best]
    print(json.dumps([ended, len(tuner.get_best_models())]))
"""


def test_a_chief_and_a_worker_end_as_with_keras_tuner_also_when_a_trial_diverges(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(port), "TF_CPP_MIN_LOG_LEVEL": "3"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path), name],
            env={**os.environ, **variables, "KERASTUNER_TUNER_ID": name},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("chief", "worker")
    ]
    try:
        said, errors = processes[1].communicate(timeout=240)
        assert processes[1].returncode == 0, errors
        assert processes[0].wait(timeout=60) == 0
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    lines = said.splitlines()
    assert "CohortTuner: every trial is trained by Model.fit: KERASTUNER_ORACLE_IP makes this process" in said
    ended, models = json.loads(lines[-1])
    assert len(ended) == 4
    assert models == 1
    assert {(status, rate > 1) for status, rate in ended} == {("COMPLETED", False), ("FAILED", True)}


def test_train_refuses_to_be_a_part_of_keras_tuners_parallel_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    hypermodel = MLPHyperModel(4, 3, rows=9, space=default_space())
    with pytest.raises(UserError, match=r"^KERASTUNER_ORACLE_IP is set, .* Unset it\.$"):
        FitTuner(RandomOracle("val_loss", 2), hypermodel, directory=tmp_path)
