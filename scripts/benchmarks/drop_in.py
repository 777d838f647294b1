"""Somebody's own hypermodel in ``CohortTuner`` and in ``keras_tuner.RandomSearch``: seconds a trial, and their ratio.

    python scripts/benchmarks/drop_in.py
    python scripts/benchmarks/drop_in.py --trials 64 --sample 4

The hypermodel is a plain function with ``hp.Int``, ``hp.Float``, three Dense–BatchNormalization–ReLU blocks and SGD, on
the digits, 20 epochs; the oracle is KerasTuner's. Each way runs in a process of its own, the first of KerasTuner's
trials again at the end, so that a machine that became busy is noticed. KerasTuner trains a sample of the trials.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from typing import Any

EPOCHS, BATCH, TRAINING = 20, 32, 1200


def build(hp: Any) -> Any:
    """Return a compiled classifier, as KerasTuner's guide writes one."""
    import keras

    model = keras.Sequential([keras.Input((64,))])
    for block in range(3):
        model.add(keras.layers.Dense(hp.Int(f"units_{block}", 16, 128, step=16)))
        model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(10, activation="softmax"))
    rate = hp.Float("learning_rate", 1e-3, 1.0, sampling="log")
    momentum = hp.Float("momentum", 0.0, 0.95)
    model.compile(keras.optimizers.SGD(rate, momentum), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def search(way: str, trials: int) -> float:
    """Search with one tuner and return the seconds of it, without those of the imports."""
    import keras_tuner
    from sklearn.datasets import load_digits

    from tfcourse import CohortTuner

    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean()) / x.std()).astype("float32")
    with tempfile.TemporaryDirectory() as folder:
        tuner = {"CohortTuner": CohortTuner, "RandomSearch": keras_tuner.RandomSearch}[way](
            build, objective="val_accuracy", max_trials=trials, seed=1, directory=folder, project_name="drop-in"
        )
        started = time.perf_counter()
        tuner.search(
            x[:TRAINING],
            y[:TRAINING],
            validation_data=(x[TRAINING:], y[TRAINING:]),
            epochs=EPOCHS,
            batch_size=BATCH,
            verbose=0,
        )
        return time.perf_counter() - started


def in_a_process(way: str, trials: int) -> float:
    """Return the seconds of a search in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--trials", str(trials)]
    return float(
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    )


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--sample", type=int, default=8, help="how many of them KerasTuner trains")
    parser.add_argument("--way", choices=("CohortTuner", "RandomSearch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(search(options.way, options.trials)))
        return 0
    before = in_a_process("RandomSearch", options.sample) / options.sample
    ours = in_a_process("CohortTuner", options.trials) / options.trials
    after = in_a_process("RandomSearch", options.sample) / options.sample
    print(
        f"{options.trials} trials: CohortTuner {ours:.3f} s a trial; keras_tuner.RandomSearch {before:.2f} s before and"
        f" {after:.2f} s after, by {options.sample} trials: {(before + after) / 2 / ours:.1f} x"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
