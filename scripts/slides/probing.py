"""What the scripts ask of networks: a look inside without a trace left there, the losses many end with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras
import numpy as np
from material import Split

from tfcourse.cohort.fit import fit_together
from tfcourse.models.spec import NetworkSpec, OptimizerSpec


@contextlib.contextmanager
def in_float64() -> Iterator[None]:
    """Let Keras compute in float64 meanwhile; the policy goes with it, because it is settled at the first layer."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def by_own_statistics(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Return the outputs for x as one minibatch, by its own μ and σ²; the stored averages stay as they are."""
    weights = model.get_weights()
    outputs = model(x, training=True).numpy()
    model.set_weights(weights)
    return outputs


def moved(now: np.ndarray, start: np.ndarray) -> float:
    """Return how far the units' means and deviations are from those at the start, in its σ; both (m, n)."""
    change = np.abs(now.mean(axis=0) - start.mean(axis=0)) + np.abs(now.std(axis=0) - start.std(axis=0))
    return float(change.mean() / start.std(axis=0).mean())


def final_losses(
    members: list[tuple[NetworkSpec, OptimizerSpec, int]],
    data: Split,
    epochs: int,
    batch_size: int | list[int] = 64,
    *,
    jit_compile: bool = True,
) -> np.ndarray:
    """Train all members together; return each one's last loss on the test examples, infinite if it diverged."""
    histories = fit_together(
        members,
        data.x,
        data.y,
        validation_data=(data.x_test, data.y_test),
        epochs=epochs,
        batch_size=batch_size,
        jit_compile=jit_compile,
    )
    losses = np.array([history.history["val_loss"][-1] for history in histories])
    return np.where(np.isfinite(losses), losses, np.inf)
