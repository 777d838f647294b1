"""Somebody's own hypermodel in ``CohortTuner`` and in ``keras_tuner.RandomSearch``: seconds a trial, and their ratio.

    python scripts/benchmarks/drop_in.py
    python scripts/benchmarks/drop_in.py --trials 64 --sample 4
    python scripts/benchmarks/drop_in.py --long 1000

The hypermodel is a plain function with ``hp.Int``, ``hp.Float``, three Dense–BatchNormalization–ReLU blocks and SGD, on
the digits, 20 epochs; the oracle is KerasTuner's. Each way runs in a process of its own, the first of KerasTuner's
trials again at the end, so that a machine that became busy is noticed. KerasTuner trains a sample of the trials. The
ratio is also given by processor time, which a busy machine changes less. ``--long`` has CohortTuner alone search, and
prints what every hundred trials took and the memory after them: both should stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
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


class Hundreds:
    """Prints what every hundred trials took, and the memory that the process holds after them."""

    def __init__(self) -> None:
        self.trials, self.seconds, self.worked = 0, time.perf_counter(), time.process_time()

    def __call__(self, trial: Any) -> None:
        """Count a trial that has ended."""
        self.trials += 1
        if self.trials % 100:
            return
        seconds, worked = time.perf_counter(), time.process_time()
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        print(
            f"{self.trials:5d} trials: {(seconds - self.seconds) / 100:.3f} s a trial,"
            f" {(worked - self.worked) / 100:.3f} CPU s; {pages * os.sysconf('SC_PAGE_SIZE') / 2**20:.0f} MB",
            flush=True,
        )
        self.seconds, self.worked = seconds, worked


def search(way: str, trials: int, **options: Any) -> tuple[float, float]:
    """Search with one tuner and return the seconds of it and those of the processor, without those of the imports."""
    import keras_tuner
    from sklearn.datasets import load_digits

    from tfcourse import CohortTuner

    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean()) / x.std()).astype("float32")
    with tempfile.TemporaryDirectory() as folder:
        tuner = {"CohortTuner": CohortTuner, "RandomSearch": keras_tuner.RandomSearch}[way](
            build,
            objective="val_accuracy",
            max_trials=trials,
            seed=1,
            directory=folder,
            project_name="drop-in",
            **options,
        )
        started, worked = time.perf_counter(), time.process_time()
        tuner.search(
            x[:TRAINING],
            y[:TRAINING],
            validation_data=(x[TRAINING:], y[TRAINING:]),
            epochs=EPOCHS,
            batch_size=BATCH,
            verbose=0,
        )
        return time.perf_counter() - started, time.process_time() - worked


def in_a_process(way: str, trials: int) -> tuple[float, float]:
    """Return the seconds a trial of a search in a process of its own, and those of the processor."""
    command = [sys.executable, __file__, "--way", way, "--trials", str(trials)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    return found[0] / trials, found[1] / trials


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--sample", type=int, default=8, help="how many of them KerasTuner trains")
    parser.add_argument("--way", choices=("CohortTuner", "RandomSearch"), help=argparse.SUPPRESS)
    parser.add_argument("--long", type=int, metavar="TRIALS", help="only CohortTuner, with what each hundred took")
    options = parser.parse_args()
    if options.long:
        # As many at once as are reported together, or a report would hold the drawing of one part and not its training.
        search("CohortTuner", options.long, trials_at_once=100, on_trial_trained=Hundreds())
        return 0
    if options.way:
        print(json.dumps(search(options.way, options.trials)))
        return 0
    before = in_a_process("RandomSearch", options.sample)
    ours = in_a_process("CohortTuner", options.trials)
    after = in_a_process("RandomSearch", options.sample)
    wall, worked = ((first + last) / 2 / own for first, own, last in zip(before, ours, after, strict=True))
    sample = f"{before[0]:.2f} s before and {after[0]:.2f} s after, by {options.sample} trials"
    print(
        f"{options.trials} trials: CohortTuner {ours[0]:.3f} s a trial; keras_tuner.RandomSearch {sample}: {wall:.1f} x"
    )
    print(f"by processor time {ours[1]:.3f} s; {before[1]:.2f} s before and {after[1]:.2f} s after: {worked:.1f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
