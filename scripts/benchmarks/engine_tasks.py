"""What the engines train: the data, trials from the default space, and the peak of the machine to compare with."""

from __future__ import annotations

import gzip
import itertools
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.models.spec import NetworkSpec, OptimizerSpec

Trial = tuple[NetworkSpec, OptimizerSpec, int]
Data = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]
TASKS: dict[str, dict[str, Any]] = {
    "digits": {"trials": [200, 64], "epochs": 20, "batch_size": 64},
    "fashion": {"trials": [24], "epochs": 3, "batch_size": 128},
    "memory": {"trials": [3000], "epochs": 20, "batch_size": 64},
}


def digits() -> Data:
    """Return 1200 digits for training and 297 for validation, 64 features in [0, 1]."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x: NDArray[np.float32] = np.asarray(bunch.data / 16, dtype=np.float32)
    y: NDArray[np.int64] = np.asarray(bunch.target, dtype=np.int64)
    return x[:1200], y[:1200], x[1200:1497], y[1200:1497]


def fashion(folder: Path | None) -> Data:
    """Return Fashion-MNIST, 60000 and 10000 images of 784 features in [0, 1], from its files or Keras's cache."""
    if folder is None:
        import keras

        (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    else:
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        parts = []
        for name in names:
            content = gzip.decompress((folder / f"{name}-ubyte.gz").read_bytes())
            parts.append(np.frombuffer(content, np.uint8, offset=16 if "images" in name else 8))
        x, y, x_test, y_test = parts
    images = [np.asarray(np.reshape(each, (-1, 784)) / 255, dtype=np.float32) for each in (x, x_test)]
    return images[0], y.astype(np.int64), images[1], y_test.astype(np.int64)


def draw(count: int, data: Data, batch_size: int) -> list[Trial]:
    """Return trials from the default space: 2 to 4 layers of 50 to 100 units, any optimizer, decay and dropout."""
    rng = np.random.default_rng(0)
    steps = math.ceil(len(data[0]) / batch_size)
    trials = []
    for seed in range(count):
        units = tuple(rng.integers(50, 101, rng.integers(2, 5)).tolist())
        beta = 1 - 10 ** rng.uniform(-3, -1)
        optimizer = OptimizerSpec(
            ("sgd", "rmsprop", "adam")[rng.integers(3)],
            10 ** rng.uniform(-4, 0),
            momentum=beta,
            rho=beta,
            beta_1=beta,
            decay_rate=rng.uniform(0, 1),
            decay_steps=steps,
        )
        trials.append((NetworkSpec(data[0].shape[1], 10, units, dropout=rng.uniform(0, 0.5)), optimizer, seed))
    return trials


class Stopwatch:
    """Seconds that pass, and seconds that this process works on all its threads, from the moment it is made."""

    def __init__(self) -> None:
        self._began, self._worked = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Return both; on a machine with other work the second is the steadier."""
        return {
            "seconds": time.perf_counter() - self._began,
            "processor_seconds": time.process_time() - self._worked,
        }


def peak() -> dict[str, float]:
    """Return the machine's matrix-product peak now, from products of 2048 by 2048.

    ``gflops`` is by the time that passes, all cores at work; ``gflops_of_a_core`` by the time that the cores work.
    """
    import tensorflow as tf

    a = tf.random.normal((2048, 2048))
    product = tf.function(lambda: tf.matmul(a, a))
    product()
    best = {"gflops": 0.0, "gflops_of_a_core": 0.0}
    for _ in range(8):
        watch = Stopwatch()
        product().numpy()
        for (name, most), seconds in zip(list(best.items()), watch.read().values(), strict=True):
            best[name] = max(most, 2 * 2048**3 / seconds / 1e9)
    return best


def training_operations(network: NetworkSpec) -> int:
    """Return the operations of the matrix products of one example's forward and backward pass."""
    sizes = (network.inputs, *network.units, network.classes)
    products = [first * second for first, second in itertools.pairwise(sizes)]
    # The first layer needs no gradient of its input.
    return 2 * (3 * sum(products) - products[0])
