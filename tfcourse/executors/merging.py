"""Several cohorts as one, for a worker that trains many members at a time, as a GPU does.

Members of one fixed padding come out the same to the last bit, whoever trains beside them; so the planner need not know
who will train what, and a cohort that is lost goes to a worker of any size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tfcourse.cohort.work import Cohort

Item = TypeVar("Item")


def alike(cohort: Cohort) -> tuple[object, ...]:
    """Return what cohorts have in common that can train as one; those without one fixed padding have it with none."""
    first = cohort.members[0]
    return (
        replace(cohort.layout, places=0), first.family, first.depth, cohort.data, cohort.initial_epoch, cohort.seed,
        cohort.shuffle, cohort.jit_compile, bool(cohort.watches),
        None if all(member.pad_to for member in cohort.members) else id(cohort),
    )  # fmt: skip


def merged(cohorts: Sequence[Cohort]) -> Cohort:
    """Return cohorts that are alike as one, with the places of all."""
    first, places = cohorts[0], sum(cohort.plan.places for cohort in cohorts)
    if len(cohorts) == 1:
        return first

    def all_of(name: str) -> Any:
        return tuple(itertools.chain.from_iterable(getattr(cohort, name) for cohort in cohorts))

    indices = tuple(index for cohort in cohorts for index in cohort.plan.indices)
    return replace(
        first,
        plan=replace(first.plan, indices=indices, places=places),
        layout=replace(first.layout, places=places),
        members=all_of("members"),
        stopping=all_of("stopping"),
        watches=all_of("watches"),
        epochs=all_of("epochs"),
    )


def apart(found: Sequence[Item], cohorts: Sequence[Cohort]) -> Iterator[list[Item]]:
    """Give what came of merged cohorts, of each in turn."""
    results = iter(found)
    for cohort in cohorts:
        yield list(itertools.islice(results, len(cohort.members)))


def bytes_needed(cohort: Cohort) -> float:
    """Return about how many bytes a worker needs for a cohort, by the planner's own estimate."""
    from tfcourse.cohort.memory import member_bytes

    largest = max(member_bytes(member, cohort.plan.batch_size) for member in cohort.members)
    return float(cohort.plan.places * largest)
