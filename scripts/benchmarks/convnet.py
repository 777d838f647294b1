"""A convolutional network beside a fully connected one on images, in the same seconds of training.

    python scripts/benchmarks/convnet.py --data ../shared/data/fashion-mnist --seconds 180

The folder holds the four files of MNIST or Fashion-MNIST. Each network trains by ``Model.fit`` until its seconds are
over; the last sixth of the training images validates, and the best epoch's accuracy on the test images is told. The
seconds are the processor's, of all cores together, so that two cores have 90 seconds in 180, whoever else uses them.
Pixels are standardized, as ``python -m tfcourse.train`` does it.
"""

from __future__ import annotations

import argparse
import gzip
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfcourse import ConvNetSpec, NetworkSpec, OptimizerSpec, build_convnet, build_mlp


class Until(keras.callbacks.Callback):
    """Keep the best epoch's weights, and stop when the seconds are over."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.best, self.epochs = seconds, -1.0, 0
        self.weights: list[Any] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self.began = time.process_time()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Look whether this is the best epoch, and the last."""
        self.epochs = epoch + 1
        if logs and logs["val_accuracy"] > self.best:
            self.best, self.weights = logs["val_accuracy"], self.model.get_weights()
        self.model.stop_training = time.process_time() - self.began > self.seconds


def read(folder: Path, part: str) -> tuple[Any, Any]:
    """Return the images, shape (m, 28, 28, 1) of bytes, and labels of a part."""
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28, 1)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        return images, np.frombuffer(file.read(), np.uint8, offset=8).astype(int)


def main() -> None:
    """Train both and print their accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=180.0)
    options = parser.parse_args()
    (x, y), (x_test, y_test) = read(options.data, "train"), read(options.data, "t10k")
    cut = len(x) * 5 // 6
    mean, deviation = x[:cut].mean(), x[:cut].std()
    images = [((each - mean) / deviation).astype("float32") for each in (x, x_test)]
    flat = [each.reshape(len(each), -1) for each in images]
    rate = OptimizerSpec("adam", 0.003, decay_rate=0.5, decay_steps=391)
    conv = ConvNetSpec((28, 28, 1), 10, (32, 64), units=64, dropout=0.2)
    ways = {
        "fully connected": (build_mlp(NetworkSpec(784, 10, (256, 128), dropout=0.2), rate, seed=0), *flat),
        "convolutional": (build_convnet(conv, rate, seed=0), *images),
    }
    for name, (model, train, test) in ways.items():
        until = Until(options.seconds)
        model.fit(
            train[:cut], y[:cut], validation_data=(train[cut:], y[cut:]), validation_batch_size=1000, batch_size=128,
            epochs=1000, callbacks=[until], verbose=0,
        )  # fmt: skip
        model.set_weights(until.weights)
        accuracy = model.evaluate(test, y_test, batch_size=1000, verbose=0)[1]
        print(
            f"{name}: {accuracy:.2%} right on {len(test)} test images after {until.epochs} epochs, {until.best:.2%} on"
            f" {len(train) - cut} validation images",
            flush=True,
        )


if __name__ == "__main__":
    main()
