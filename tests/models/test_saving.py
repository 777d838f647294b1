"""Files of models and weights are made in memory, and hold what Keras's own hold."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from tfcourse.files.writing import write_bytes
from tfcourse.models.builders import build_mlp
from tfcourse.models.saving import model_content, weights_content
from tfcourse.models.spec import NetworkSpec

ROOT = str(Path(__file__).parents[2])


def network(seed: int) -> Any:
    """Return a network with batch normalization, dropout, and an optimizer that has its variables."""
    model = build_mlp(NetworkSpec(5, 3, (4, 4), dropout=0.5), seed=seed)
    model.optimizer.build(model.trainable_variables)
    return model


def arrays_of(file: Any) -> dict[str, Any]:
    """Return the arrays of an HDF5 file by their places."""
    found: dict[str, Any] = {}
    with h5py.File(file) as weights:
        weights.visititems(lambda name, each: found.update({name: each[()]} if isinstance(each, h5py.Dataset) else {}))
    return found


def test_they_hold_what_keras_writes(tmp_path: Path) -> None:
    model = network(seed=1)
    model.save_weights(tmp_path / "keras.weights.h5")
    model.save(tmp_path / "keras.keras")
    write_bytes(tmp_path / "our.weights.h5", weights_content(model))
    write_bytes(tmp_path / "our.keras", model_content(model))
    expected = arrays_of(tmp_path / "keras.weights.h5")
    assert len(expected) > 8
    np.testing.assert_equal(arrays_of(tmp_path / "our.weights.h5"), expected)
    with zipfile.ZipFile(tmp_path / "our.keras") as ours, zipfile.ZipFile(tmp_path / "keras.keras") as theirs:
        assert ours.read("config.json") == theirs.read("config.json")
        np.testing.assert_equal(arrays_of(io.BytesIO(ours.read("model.weights.h5"))), expected)
    other = network(seed=2)
    other.load_weights(tmp_path / "our.weights.h5")
    x = np.linspace(-1, 1, 10, dtype=np.float32).reshape(2, 5)
    for loaded in (other, keras.saving.load_model(tmp_path / "our.keras")):
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


ON_A_FULL_DISK = """
import os, resource, sys
from pathlib import Path
import keras
from tfcourse.files.writing import write_bytes
from tfcourse.models.saving import model_content, weights_content
model = keras.Sequential([keras.Input((50,)), keras.layers.Dense(90)])  # 18 kB
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
for name, content in (("a.weights.h5", weights_content(model)), ("a.keras", model_content(model))):
    try:
        write_bytes(Path(sys.argv[1]) / name, content)
    except OSError as error:
        print(error.strerror)
"""


@pytest.mark.parametrize("most", [0, 3000, 18_000])
def test_on_a_disk_that_stays_full_there_is_one_error_and_nothing_left(most: int, tmp_path: Path) -> None:
    pytest.importorskip("resource")
    words = [sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path), str(most)]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT})
    assert (done.returncode, done.stdout) == (0, "File too large\n" * 2), done.stderr
    assert "Exception ignored" not in done.stderr
    assert list(tmp_path.iterdir()) == []
