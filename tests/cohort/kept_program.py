"""Train networks of two depths, with dropout; print whether their programs came from disk, and a digest of all."""

from __future__ import annotations

import hashlib

import numpy as np

from tfcourse.cohort import fit_together, program
from tfcourse.models.spec import NetworkSpec, OptimizerSpec


def train() -> tuple[list[bool], str]:
    """Return of each program whether it came from disk, and a digest of all weights and curves."""
    x = np.random.default_rng(0).normal(size=(40, 5)).astype("float32")
    pairs = [(NetworkSpec(5, 3, (8,) * depth, dropout=0.2), OptimizerSpec("adam", 0.01)) for depth in (1, 2)]
    histories = fit_together(pairs, x, np.arange(40) % 3, validation_data=(x[:9], np.arange(9) % 3), epochs=3)
    digest = hashlib.sha256(str([history.history for history in histories]).encode())
    for history in histories:
        for weight in history.weights:
            digest.update(weight.tobytes())
    return [each.epoch.from_disk for each in program._programs.values()], digest.hexdigest()


if __name__ == "__main__":
    print(*train())
