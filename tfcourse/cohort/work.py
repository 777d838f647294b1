"""A cohort as a piece of work that another process can do: what goes out, what comes back, and who takes it.

A piece of work says all that its result depends on: the members with their seeds, the epochs from and to, the order of
the minibatches and the data's digest. So it may be done again, elsewhere, and gives the same.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.dataset import Examples, order_of_epoch
from tfcourse.cohort.history import MemberHistory, Stopping
from tfcourse.cohort.layout import Layout
from tfcourse.cohort.member import PLAIN, InputLayers, Member, State
from tfcourse.cohort.plan import CohortPlan
from tfcourse.cohort.scheduler import Scheduler

OPERATIONS = 2
"""A multiplication and an addition."""


class Watch(Protocol):
    """What follows one member's training, wherever it is, and ends it. A copy of it can be sent to where that is.

    Attributes:
        over: whether the training has ended.
    """

    over: bool

    def epoch_ended(self, history: MemberHistory) -> None:
        """Take in an epoch."""

    def take(self, other: Any) -> None:
        """Take over what a copy of this has seen."""


@dataclass(frozen=True)
class Table:
    """Learning rates of the steps from the ``first`` on, in the place of a schedule that cannot be sent."""

    first: int
    rates: NDArray[np.float32]

    def __call__(self, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the learning rates at ``steps``."""
        return self.rates[steps - self.first]


@dataclass(frozen=True)
class Shared:
    """Examples as arrays that can be sent: features after the input layers, labels and weights of both parts.

    Args:
        training: (m, n) float32, labels, weights (m,).
        validation: the same of the validation examples; empty for none.
    """

    training: tuple[NDArray[Any], ...]
    validation: tuple[NDArray[Any], ...] = ()

    @functools.cached_property
    def digest(self) -> str:
        """What tells it from other data."""
        found = hashlib.blake2b(digest_size=16)
        for array in (*self.training, *self.validation):
            found.update(f"{array.shape}{array.dtype}".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()

    @classmethod
    def of(cls, training: Examples, validation: Examples | None, layers: InputLayers) -> Shared:
        """Return the examples as they are after ``layers``."""
        parts = [tuple(each.numpy() for each in part.tensors(layers)) for part in (training, validation) if part]
        return cls(*parts)

    def examples(self) -> tuple[Examples, Examples | None]:
        """Return the examples as the engine holds them."""
        parts = [Examples(part[0], part[1], part[2]) for part in (self.training, self.validation) if part]
        return parts[0], parts[1] if len(parts) > 1 else None


@dataclass(frozen=True)
class Cohort:
    """A cohort to train.

    Args:
        plan: positions of its members among all, widths and places.
        layout: of its program.
        members: that train in it, as they can be sent.
        stopping: when each stops early.
        watches: copies of what follows each; empty for none.
        epochs: the epoch to end at, of each.
        initial_epoch: the epoch to begin at.
        data: the digest of its data.
        seed: of the minibatch order.
        shuffle: whether there is one.
        jit_compile: whether XLA compiles the program.
    """

    plan: CohortPlan
    layout: Layout
    members: tuple[Member, ...]
    stopping: tuple[Stopping, ...]
    watches: tuple[Watch, ...]
    epochs: tuple[int, ...]
    initial_epoch: int
    data: str
    seed: int
    shuffle: bool
    jit_compile: bool

    @property
    def operations(self) -> float:
        """Operations of its training, if no member stops early."""
        return float(OPERATIONS * self.layout.multiplications * (max(self.epochs) - self.initial_epoch))

    @property
    def in_words(self) -> str:
        """What it is, for a message."""
        return f"a cohort of {len(self.members)} in epochs {self.initial_epoch + 1} to {max(self.epochs)}"


@dataclass(frozen=True)
class Trained:
    """What came of one member's training.

    Args:
        curves: name → one value an epoch.
        epochs: the epochs trained.
        best_epoch: the best epoch by what is monitored; None if there is none.
        diverged: whether its loss was no longer a finite number.
        seconds: its share of the time.
        steps: minibatches of an epoch.
        state: what it ended with; None where a watch ended it and keeps what is wanted.
        watch: what followed it.
    """

    curves: dict[str, list[float]]
    epochs: list[int]
    best_epoch: int | None
    diverged: bool
    seconds: float
    steps: int
    state: State | None
    watch: Watch | None


@dataclass(frozen=True)
class Work:
    """What :func:`tfcourse.cohort.fit_together` hands to an executor.

    Args:
        cohorts: the pieces of work.
        data: by digest.
        ended: called with a piece of work and what came of its members, or the reason why nothing did, in words.
        progressed: called after the pieces of work that end at a time, and at least twice a second, with the epochs of
            members of which there is news, by their position among all; what it raises ends everything.
    """

    cohorts: Sequence[Cohort]
    data: Mapping[str, Shared]
    ended: Callable[[Cohort, list[Trained] | str], None]
    progressed: Callable[[Mapping[int, int]], object] = field(default=lambda news: None)


class Executor(Protocol):
    """Where cohorts are trained, if not on threads of this process."""

    @property
    def size(self) -> int:
        """How many cohorts train at the same time."""

    @property
    def beside(self) -> int:
        """How many of them train on one machine, and share its memory."""

    def submit(self, batch: Work) -> None:
        """Train every cohort of a batch, in whichever order, and tell of each."""


def portable(member: Member, steps: int, epochs: int) -> Member:
    """Return a member that can be sent and trains the same.

    Args:
        member: the member.
        steps: minibatches of an epoch.
        epochs: how many it trains at most.
    """
    optimizer = member.optimizer
    if optimizer.schedule is not None:
        table = np.arange(optimizer.iterations, optimizer.iterations + steps * epochs, dtype=np.int64)
        optimizer = replace(optimizer, schedule=Table(optimizer.iterations, optimizer.rates(table)))
    # What begins from a seed is small; weights that are trained already go as they are.
    start = member.start if isinstance(member.start, functools.partial) else functools.partial(_same, member.start())
    return replace(member, optimizer=optimizer, start=start, input_layers=PLAIN, finish=_nothing)


def _same(state: State) -> State:
    return state


def _nothing(state: State, steps: int) -> None:
    """Keep nothing: the state goes back to who sent the member."""


def train_cohort(
    cohort: Cohort, data: tuple[Examples, Examples | None], on_epoch: Callable[[dict[int, int]], object]
) -> list[Trained]:
    """Train a cohort here and return what came of each member.

    Args:
        cohort: the cohort.
        data: training and validation examples.
        on_epoch: called at the end of each member's epoch with its position among all and the epochs trained; what it
            raises ends the training.
    """
    watches = cohort.watches
    whose = zip(cohort.stopping, cohort.epochs, strict=True)
    histories = [MemberHistory(index, *each) for index, each in enumerate(whose)]

    def progressed(news: Mapping[int, int]) -> None:
        on_epoch({cohort.plan.indices[place]: epochs for place, epochs in news.items()})

    order = functools.lru_cache(maxsize=8)(
        lambda epoch, size: order_of_epoch(cohort.seed, epoch, data[0].rows, size, cohort.shuffle)
    )
    Scheduler(
        cohort.members,
        histories,
        [replace(cohort.plan, indices=tuple(range(len(histories))))],
        *data,
        order,
        jit_compile=cohort.jit_compile,
        workers=1,
        open_at_once=1,
        initial_epoch=cohort.initial_epoch,
        on_epoch_end=looking_on(None, watches, progressed),
        on_members_end=None,
        layouts=[cohort.layout],
    ).run()
    return [_trained(history, watches[history.index] if watches else None) for history in histories]


def looking_on(
    on_epoch_end: Callable[[MemberHistory], object] | None,
    watches: Sequence[Watch] | None,
    on_progress: Callable[[Mapping[int, int]], object] | None,
) -> Callable[[MemberHistory], None]:
    """Return what is called with a member's history at the end of each of its epochs."""

    def epoch_ended(history: MemberHistory) -> None:
        if watches:
            watches[history.index].epoch_ended(history)
            if watches[history.index].over:
                history.stop()
        if on_epoch_end is not None:
            on_epoch_end(history)
        if on_progress is not None:
            on_progress({history.index: history.epoch[-1] + 1})

    return epoch_ended


def _trained(history: MemberHistory, watch: Watch | None) -> Trained:
    ended = watch is not None and watch.over
    return Trained(
        history.history,
        history.epoch,
        history.best_epoch,
        history.diverged,
        history.seconds,
        history.params["steps"],
        None if ended else history.state,
        watch,
    )
