"""Train a few settings again from fresh seeds: what the verdict on the winner stands on.

Fully connected networks train in one cohort, convolutional ones one after the other by ``Model.fit``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfcourse.cohort import MemberHistory, fit_together
from tfcourse.cohort.member import Member, OwnRows, State
from tfcourse.cohort.work import Executor
from tfcourse.errors import UserError
from tfcourse.models.networks import AnySpec
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.search.fit import Schedule, Training, TrainingData, fit_network
from tfcourse.search.following import Following
from tfcourse.search.padding import Padding

SEEDS = 5
_FRESH = 0x5EED


class OutOfTimeError(Exception):
    """The deadline passed before all trainings had ended; those that had were told."""


@dataclass(frozen=True)
class Recipe:
    """What is trained again: a network, its optimizer and its minibatch size."""

    network: AnySpec
    optimizer: OptimizerSpec
    batch_size: int


def fresh_seeds(seed: int, count: int = SEEDS) -> tuple[int, list[int]]:
    """Return a seed of the minibatch order, and those of initial weights and dropout, none used by the search.

    >>> order, seeds = fresh_seeds(0)
    >>> len({order, *seeds}), fresh_seeds(0) == fresh_seeds(0), fresh_seeds(0) == fresh_seeds(1)
    (6, True, False)
    """
    state = np.random.SeedSequence([seed, _FRESH, count, 0]).generate_state(count + 1) >> 1
    return int(state[0]), [int(value) for value in state[1:]]


def retrain(
    jobs: Sequence[tuple[Recipe, int]],
    examples: TrainingData,
    schedule: Schedule,
    *,
    padding: Padding,
    on_end: Callable[[int, Training], None],
    rows: Sequence[OwnRows] | None = None,
    executor: Executor | None = None,
) -> None:
    """Train settings from seeds of their own, stopped as the search's trials are, and tell what came of each.

    Args:
        jobs: a setting and the seed of its initial weights and dropout masks. A network of fewer inputs than there are
            features takes the first of them; the others must be zero, and its weights for them are, and stay so.
        examples: what they train and validate on.
        schedule: for how long each, in which order of minibatches, and until when.
        padding: of the fully connected networks, as in the search.
        on_end: called with the position of each job that ended, in the caller's thread. The weights are those of the
            job's network.
        rows: those of each job, all in one number; None trains and validates all on all. Their own seeds give the order
            of minibatches. Only for fully connected networks.
        executor: where they are trained; None is on threads of this process.

    Raises:
        OutOfTimeError: when the schedule's deadline passes first.
        KeyboardInterrupt: when the schedule says so.
        UserError: if not even one member fits into the memory, or one could not be trained anywhere.
    """
    together = [place for place, (setting, _) in enumerate(jobs) if isinstance(setting.network, NetworkSpec)]
    if together:
        _retrain_together(
            [jobs[place] for place in together],
            examples,
            schedule,
            padding,
            lambda index, training: on_end(together[index], training),
            rows,
            executor,
        )
    for place in sorted(set(range(len(jobs))) - set(together)):
        on_end(place, _retrained_alone(*jobs[place], examples, schedule))


def _retrained_alone(setting: Recipe, seed: int, examples: TrainingData, schedule: Schedule) -> Training:
    def stop() -> bool:
        if time.monotonic() > schedule.deadline:
            raise OutOfTimeError
        return schedule.interrupted()

    endless = replace(schedule, deadline=math.inf, interrupted=stop)
    return fit_network(setting.network, setting.optimizer, examples, endless, batch_size=setting.batch_size, seed=seed)


def _retrain_together(
    jobs: Sequence[tuple[Recipe, int]],
    examples: TrainingData,
    schedule: Schedule,
    padding: Padding,
    on_end: Callable[[int, Training], None],
    rows: Sequence[OwnRows] | None,
    executor: Executor | None,
) -> None:
    endless = replace(schedule, deadline=math.inf)  # a training that is cut short would not be comparable
    followings = [Following(endless) for _ in jobs]

    def progressed(news: Mapping[int, int]) -> None:
        if schedule.interrupted():
            raise KeyboardInterrupt
        of_these = [followings[index] for index in news] or followings
        if time.monotonic() > schedule.deadline and not all(following.over for following in of_these):
            raise OutOfTimeError

    def ended(history: MemberHistory) -> None:
        if history.lost:
            raise UserError(f"{history.lost}. Go on with it where there are other workers, or without them.")
        training = followings[history.index].training
        if training.weights:
            training.weights[0] = training.weights[0][: jobs[history.index][0].network.inputs]
        on_end(history.index, training)

    members = [
        _widened(padding.member(setting.network, setting.optimizer, seed), examples.x.shape[1])
        for setting, seed in jobs
        if isinstance(setting.network, NetworkSpec)
    ]
    if rows is not None:
        members = [replace(member, rows=own) for member, own in zip(members, rows, strict=True)]
    fit_together(
        members,
        examples.x,
        examples.y,
        sample_weight=examples.weights,
        validation_data=examples.validation,
        epochs=schedule.epochs,
        batch_size=[setting.batch_size for setting, _ in jobs],
        seed=schedule.order_seed,
        watches=followings,
        on_progress=progressed,
        on_member_end=ended,
        executor=executor,
    )


def _widened(member: Member, inputs: int) -> Member:
    """Return a member that takes further features, which are all zero, with weights of zero for them."""
    more = inputs - member.inputs
    if more == 0:
        return member

    def start() -> State:
        state = member.start()
        return State(*([np.pad(each[0], ((0, more), (0, 0))), *each[1:]] for each in vars(state).values()))

    return replace(member, inputs=inputs, start=start)
