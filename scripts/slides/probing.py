"""A look at a network as it trains, without a trace left in it."""

from __future__ import annotations

import keras
import numpy as np


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
