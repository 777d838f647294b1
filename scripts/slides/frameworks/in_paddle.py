"""The two programs in PaddlePaddle's idiom."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import paddle
from paddle import nn


def minimize(steps: int) -> float:
    """Minimize (w − 5)² from 0 by gradient descent at 0.01."""
    w = paddle.create_parameter([1], "float32", default_initializer=nn.initializer.Constant(0.0))
    optimizer = paddle.optimizer.SGD(0.01, parameters=[w])
    for _ in range(steps):
        ((w - 5) ** 2).backward()
        optimizer.step()
        optimizer.clear_grad()
    return float(w.numpy()[0])


def train(
    initial: list[np.ndarray], minibatches: Iterable[tuple[np.ndarray, np.ndarray]], rate: float, epsilon: float
) -> list[np.ndarray]:
    """Train Dense → batch norm → ReLU → Dense on softmax cross-entropy by gradient descent; return the weights."""
    inputs, units = initial[0].shape
    network = nn.Sequential(
        nn.Linear(inputs, units, bias_attr=False),
        nn.BatchNorm1D(units, epsilon=epsilon),
        nn.ReLU(),
        nn.Linear(units, initial[3].shape[1]),
    )
    parameters = [p for p in network.parameters() if not p.stop_gradient]  # the moving averages are left out
    for parameter, value in zip(parameters, initial, strict=True):
        parameter.set_value(value)
    optimizer = paddle.optimizer.SGD(rate, parameters=parameters)
    loss = nn.CrossEntropyLoss()
    for x, y in minibatches:
        loss(network(paddle.to_tensor(x)), paddle.to_tensor(y)).backward()
        optimizer.step()
        optimizer.clear_grad()
    return [parameter.numpy() for parameter in parameters]
