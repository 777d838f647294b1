"""The two programs in Keras's idiom, on the backend that KERAS_BACKEND names; the network by the package's builder."""

from __future__ import annotations

from collections.abc import Iterable

import keras
import numpy as np

from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec


def minimize(steps: int) -> float:
    """Minimize (w − 5)² from 0 by gradient descent at 0.01: the squared error of w · 1 against 5."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.01), loss="mean_squared_error")
    ones, fives = np.ones((steps, 1), "float32"), np.full((steps, 1), 5.0, "float32")
    model.fit(ones, fives, batch_size=1, verbose=0)
    return float(model.get_weights()[0][0, 0])


def train(
    initial: list[np.ndarray], minibatches: Iterable[tuple[np.ndarray, np.ndarray]], rate: float, epsilon: float
) -> list[np.ndarray]:
    """Train Dense → batch norm → ReLU → Dense on softmax cross-entropy by gradient descent; return the weights."""
    inputs, units = initial[0].shape
    network = NetworkSpec(inputs, initial[3].shape[1], (units,), batch_norm_epsilon=epsilon)
    model = build_mlp(network, OptimizerSpec("sgd", learning_rate=rate))
    for variable, value in zip(model.trainable_variables, initial, strict=True):
        variable.assign(value)
    for x, y in minibatches:
        model.train_on_batch(x, y)
    return [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
