"""The two programs in PyTorch's idiom."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn


def minimize(steps: int) -> float:
    """Minimize (w − 5)² from 0 by gradient descent at 0.01."""
    w = torch.tensor(0.0, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        ((w - 5) ** 2).backward()
        optimizer.step()
    return float(w.detach())


def train(
    initial: list[np.ndarray], minibatches: Iterable[tuple[np.ndarray, np.ndarray]], rate: float, epsilon: float
) -> list[np.ndarray]:
    """Train Dense → batch norm → ReLU → Dense on softmax cross-entropy by gradient descent; return the weights."""
    inputs, units = initial[0].shape
    network = nn.Sequential(
        nn.Linear(inputs, units, bias=False),
        nn.BatchNorm1d(units, eps=epsilon),
        nn.ReLU(),
        nn.Linear(units, initial[3].shape[1]),
    )
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), initial, strict=True):
            parameter.copy_(torch.from_numpy(value.T))
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    loss = nn.CrossEntropyLoss()
    for x, y in minibatches:
        optimizer.zero_grad()
        loss(network(torch.from_numpy(x)), torch.from_numpy(y)).backward()
        optimizer.step()
    return [parameter.detach().numpy().T for parameter in network.parameters()]
