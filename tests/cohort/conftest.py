"""Small data and the reference: each member's own ``Model.fit``."""

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


@pytest.fixture(scope="session")
def data() -> tuple[np.ndarray, np.ndarray]:
    """Return 150 examples with 20 features of 4 classes that a line almost separates."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 20)).astype(np.float32)
    return x, (x @ rng.normal(size=(20, 4)) + rng.normal(size=(150, 4))).argmax(axis=1)


def fit_alone(trial: Trial, x: np.ndarray, y: np.ndarray, **fit: Any) -> keras.Model:
    """Return the trial's Keras model after its own ``Model.fit``; its ``history`` is in ``model.history``."""
    model = build_mlp(trial[0], trial[1], seed=trial[2])
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
