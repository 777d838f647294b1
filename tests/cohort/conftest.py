"""Small data and the reference: each member's own ``Model.fit``.

Tolerances. One float32 operation rounds by up to 6e-8 of its result. XLA and Keras's graph sum in another order, so a
step's gradient differs by some 1e-7 of its largest term, and each later step starts from the difference before it:
after 1 and 10 steps 5e-6 leaves a margin of ten over the largest difference seen. After 100 steps the training itself
has spread the differences, and 2e-4 is asked. Where a gradient is 0 by mathematics (a kernel whose scale batch
normalization takes out, under a layer of one unit), Adam divides rounding by rounding and no tolerance holds: such
layers are drawn with a larger epsilon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest

from tfcourse.cohort import MemberHistory
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

Trial = tuple[NetworkSpec, OptimizerSpec, int]
LONGEST_EAGER_STEPS = 12
TOLERANCE = {1: 5e-6, 10: 5e-6, 100: 2e-4}

OPTIMIZERS = (
    OptimizerSpec("sgd", 0.1, decay_rate=0.5, decay_steps=5),
    OptimizerSpec("sgd", 0.05, momentum=0.9),
    OptimizerSpec("sgd", 0.05, momentum=0.95, nesterov=True, decay_rate=1.0, decay_steps=5),
    OptimizerSpec("rmsprop", 0.01, rho=0.95),
    # With ρ = 0.999 the first steps are 30 times the rate, whatever the gradient's size: see above on epsilon.
    OptimizerSpec("rmsprop", 0.003, rho=0.999, epsilon=1e-4, decay_rate=0.1, decay_steps=3),
    OptimizerSpec("adam", 0.01, beta_1=0.9, beta_2=0.999),
    OptimizerSpec("adam", 0.003, beta_1=0.98, beta_2=0.9, decay_rate=2.0, decay_steps=5),
    OptimizerSpec("adamw", 0.01, weight_decay=0.05),
)


@pytest.fixture(scope="session")
def data() -> tuple[np.ndarray, np.ndarray]:
    """Return 150 examples with 20 features of 4 classes that a line almost separates."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 20)).astype(np.float32)
    return x, (x @ rng.normal(size=(20, 4)) + rng.normal(size=(150, 4))).argmax(axis=1)


def fit_alone(trial: Trial, x: np.ndarray, y: np.ndarray, **fit: Any) -> keras.Model:
    """Return the trial's Keras model after its own ``Model.fit``; its ``history`` is in ``model.history``.

    Keras runs a short fit eagerly, because tracing it takes longer; the longer ones are traced, as a person's is.
    """
    model = build_mlp(trial[0], trial[1], seed=trial[2])
    model.run_eagerly = fit["epochs"] * -(-len(x) // fit.get("batch_size", 32)) <= LONGEST_EAGER_STEPS
    model.fit(x, y, verbose=0, **fit)
    return model


def assert_same_training(history: MemberHistory, model: keras.Model, *, tolerance: float) -> None:
    """Assert equal weights, moving statistics and curves, relative to the largest value of each array."""
    assert list(history.history) == list(model.history.history)
    for name, values in model.history.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=tolerance, atol=tolerance, err_msg=name)
    assert_same_weights(history.weights, model.get_weights(), tolerance=tolerance)


def assert_same_weights(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray], *, tolerance: float) -> None:
    """Assert equal lists of arrays, each to ``tolerance`` of its largest value (or of 1, if that is more)."""
    assert [array.shape for array in ours] == [array.shape for array in theirs]
    for position, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        scale = max(1.0, float(np.abs(their).max()))
        np.testing.assert_allclose(our / scale, their / scale, rtol=0, atol=tolerance, err_msg=f"weight {position}")


@pytest.fixture(autouse=True)
def same_weights_each_time() -> None:
    """Layers without a seed of their own begin with the same weights in every run of a test."""
    keras.utils.set_random_seed(1)
