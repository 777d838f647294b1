"""The plan of a search: its space and how long to train, by default from the size of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tfcourse.data.minibatches import even_batch_size
from tfcourse.errors import UserError
from tfcourse.space import Parameter, SearchSpace, Value
from tfcourse.space.names import MLP

LEAST_STEPS, LEAST_ROWS = 1000, 512_000
"""Minibatches that a training should get to see, where 60 epochs give that many, and rows, where 30 do."""


@dataclass(frozen=True)
class Plan:
    """What a search will do.

    Args:
        space: what is searched; it holds ``batch_size``.
        trials: the most trials.
        epochs: the most epochs of a trial.
        patience: epochs without a better validation loss after which a trial stops.
        objective: ``val_loss`` or ``val_accuracy``.
        engine: what trains the trials.
        seed: of the draws, the initial weights and the minibatch order.
        sampler: ``random`` or ``quasi-random`` points.
        starts: number of each round's first trial, 0 first.
        first: settings tried before any draw: the user's own, then those of the portfolio.
        portfolio: how many of these are the portfolio's.
        repeats: seeds that each trial is trained from.
        halving: whether trials are thinned after a few epochs, the better third going on.
        network: ``mlp``, fully connected networks, or ``conv``, convolutional ones.
    """

    space: SearchSpace
    trials: int
    epochs: int
    patience: int
    objective: str
    engine: str
    seed: int
    sampler: str = "random"
    starts: tuple[int, ...] = (0,)
    first: tuple[dict[str, Value], ...] = ()
    portfolio: int = 0
    repeats: int = 1
    halving: bool = False
    network: str = MLP

    @property
    def own(self) -> tuple[dict[str, Value], ...]:
        """The user's own settings."""
        return self.first[: len(self.first) - self.portfolio]

    def to_json(self) -> dict[str, Any]:
        """Return the plan JSON-ready."""
        return {**asdict(self), "space": self.space.to_json()}


def default_batch_size(rows: int) -> int:
    """Return the power of two in 16...64 that gives about 32 minibatches an epoch; all rows where they are fewer.

    More than 64 give worse networks on large tables, in hardly less time. It is a little less where the last minibatch
    would be nearly empty.

    >>> [default_batch_size(rows) for rows in (9, 108, 1078, 1057, 20000)]
    [9, 16, 32, 28, 64]
    """
    return even_batch_size(min(rows, int(2 ** min(6, max(4, round(math.log2(max(1, rows / 32))))))), [rows])


def default_epochs(rows: int, batch_size: int) -> int:
    """Return the epochs, 10 to 60, in which a training sees so many minibatches and, where 30 do, so many rows.

    >>> default_epochs(1078, 32), default_epochs(32000, 64), default_epochs(60000, 64)
    (30, 16, 10)
    """
    by_rows = min(30, math.ceil(LEAST_ROWS / rows))
    return min(60, max(10, math.ceil(LEAST_STEPS / math.ceil(rows / batch_size)), by_rows))


def default_patience(epochs: int) -> int:
    """Return the epochs to wait for a better validation loss: a quarter of all, at least 3.

    >>> default_patience(30)
    7
    """
    return max(3, epochs // 4)


def with_batch_size(space: SearchSpace, batch_sizes: Sequence[int] | None, rows: int) -> SearchSpace:
    """Return the space with ``batch_size`` in it: as given, as the space says, or by the number of training rows.

    Raises:
        UserError: if a batch is larger than the training split, or is given twice.

    >>> from tfcourse.space.course import default_space
    >>> with_batch_size(default_space(), None, 1078)["batch_size"].values
    (32,)
    """
    if batch_sizes and len(set(batch_sizes)) < len(batch_sizes):
        raise UserError(f"--batch-size: {' '.join(map(str, batch_sizes))} was given; give each size once.")
    stated = next((parameter for parameter in space if parameter.name == "batch_size"), None)
    if stated is not None and batch_sizes:
        raise UserError("--batch-size was given, but the --space file states batch_size as well; keep one of them.")
    if stated is None:
        sizes = tuple(batch_sizes or (default_batch_size(rows),))
        space = SearchSpace((*space.parameters, Parameter("batch_size", "choice", values=sizes)))
    parameter = space["batch_size"]
    largest = max((int(size) for size in parameter.values), default=int(parameter.high))
    if largest > rows:
        flag = "--batch-size:" if stated is None else "--space: batch_size"
        raise UserError(f"{flag} {largest} was given, but the training split has {rows} rows; give at most {rows}.")
    return space


def plan_from_json(fields: dict[str, Any]) -> Plan:
    """Return the plan whose ``to_json`` gave ``fields``.

    >>> from tfcourse.space.course import default_space
    >>> plan = Plan(default_space(), 12, 30, 7, "val_loss", "keras", 0)
    >>> plan_from_json(plan.to_json()) == plan
    True
    """
    lists: dict[str, Any] = {name: tuple(fields[name]) for name in ("starts", "first") if name in fields}
    return Plan(**{**fields, **lists, "space": SearchSpace.from_json(fields["space"])})


def round_starts(trials: int, rounds: int) -> tuple[int, ...]:
    """Return the number of each round's first trial: rounds of equal size, the first taking what is left over.

    >>> round_starts(32, 2), round_starts(10, 3)
    ((0, 16), (0, 4, 7))
    """
    size = trials // rounds
    return (0, *(trials - size * left for left in range(rounds - 1, 0, -1)))
