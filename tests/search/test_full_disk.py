"""A trial that KerasTuner trains alone, on a disk that is full: its weights are whole or not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SEARCH = """
import resource, signal, sys
import keras, keras_tuner, numpy as np
from tfcourse import CohortTuner

def build(hp):
    layers = [keras.layers.GaussianNoise(0.1), keras.layers.Dense(4000), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((8,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(hp.Float("rate", 0.01, 0.1)), loss)
    return model

tuner = CohortTuner(build, objective="val_loss", max_trials=1, directory="searches", project_name="one")
x, y = np.zeros((20, 8), "float32"), np.arange(20) % 2
if sys.argv[1] == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
tuner.search(x, y, validation_data=(x, y), epochs=1, verbose=0)
print("loss", tuner.get_best_models()[0].evaluate(x, y, verbose=0), tuner.oracle.get_best_trials()[0].score)
"""


def run(place: Path, how: str) -> subprocess.CompletedProcess[str]:
    """Search in a process of its own."""
    command = [sys.executable, "-c", SEARCH, how]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files")
def test_a_full_disk_ends_no_process_by_a_signal(tmp_path: Path) -> None:
    full = run(tmp_path, "full")
    assert full.returncode > 0, f"ended by signal {-full.returncode}"
    assert "File too large" in full.stderr + full.stdout
    assert not list(tmp_path.rglob("*.weights.h5"))


def test_the_kept_weights_are_the_best_epochs(tmp_path: Path) -> None:
    there = run(tmp_path, "empty")
    assert there.returncode == 0, there.stderr
    name, loss, score = there.stdout.split()[-3:]
    assert (name, float(loss)) == ("loss", pytest.approx(float(score), abs=1e-6))
