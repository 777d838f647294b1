"""What the scripts ask of networks: a look inside without a trace left there, the losses many end with."""

from __future__ import annotations

import keras
import numpy as np
from material import Split

from tfcourse.cohort.fit import fit_together
from tfcourse.models.spec import NetworkSpec, OptimizerSpec


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
