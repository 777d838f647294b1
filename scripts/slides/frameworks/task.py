"""One task for every framework: what runs where, the NumPy loop it is held to, and a process of its own for each."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from by_hand import backpropagate, update

from tfcourse.equations import softmax
from tfcourse.models.spec import OptimizerSpec

RUNS = {
    "TensorFlow": ("in_tensorflow", "tensorflow", ""),
    "JAX": ("in_jax", "jax", ""),
    "PyTorch": ("in_torch", "torch", ""),
    "PaddlePaddle": ("in_paddle", "paddle", ""),
    "Keras on TensorFlow": ("in_keras", "tensorflow", "tensorflow"),
    "Keras on JAX": ("in_keras", "jax", "jax"),
    "Keras on PyTorch": ("in_keras", "torch", "torch"),
}
MEASURE_ONE = Path(__file__).with_name("measure_one.py")
Result = dict[str, np.ndarray]


def by_numpy(
    initial: list[np.ndarray], x: np.ndarray, y: np.ndarray, rows: np.ndarray, rate: float
) -> list[np.ndarray]:
    """Return the weights after the same training by the loop written by hand, in Keras's shapes."""
    w = [value.T.reshape(value.shape[-1], -1).astype(float) for value in initial]
    nothing = [np.zeros_like(value) for value in w]
    for t, batch in enumerate(rows, start=1):
        _, gradients = backpropagate(w, x[batch].T, softmax.one_hot(y[batch], 10))
        update(OptimizerSpec("sgd", rate), w, [*nothing], nothing, gradients, t)
    return [value.T.reshape(start.shape) for value, start in zip(w, initial, strict=True)]


def run(name: str, folder: Path) -> Result | str:
    """Run one framework's programs in a process of its own; return what they gave, or the last line of the error."""
    program, module, backend = RUNS[name]
    if importlib.util.find_spec(module) is None:
        return "not installed here"
    out = folder / f"{name}.npz"
    command = [
        sys.executable,
        "-W",
        "ignore",
        str(MEASURE_ONE),
        program,
        str(folder / "task.npz"),
        str(out),
    ]
    environment = os.environ | ({"KERAS_BACKEND": backend} if backend else {})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return dict(np.load(out)) if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]
