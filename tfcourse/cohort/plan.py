"""Which members can train together, in cohorts of which size, and how much their padding wastes."""

from __future__ import annotations

import math
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfcourse.cohort.layers import Dense, variables, widths
from tfcourse.cohort.member import Member
from tfcourse.errors import UserError

# Measured on two cores: two programs of 16 members, one a core, run twice as fast as one program of 32 on both.
CPU_PLACES, GPU_PLACES = 16, 256
# Bytes of kernels that a cohort may have on a CPU. Networks of 784 features and three layers of 80 ran at full speed up
# to ten together, 3 MB, at 60 % of it with 14 and at half with 16: then they no longer stay in the cache.
CACHED = 3e6
# Odd widths make the matrix products up to 1.7 times slower; multiples of 8 waste less than multiples of 16 and cost
# nothing a multiplication.
VECTOR = 8
MEMORY_SHARE = 0.5
# Operations of training that take as long as compiling one more program: two seconds at 80 GFLOP/s.
COMPILING = 160e9


class NotFusableError(UserError):
    """A model that cannot be trained in a cohort; the message gives the reason."""


@dataclass(frozen=True)
class CohortPlan:
    """One cohort to train.

    Args:
        indices: positions of its members among those given.
        widths: units after each layer, padding included; equal for all cohorts of a group.
        places: number of members k of its program, at least ``len(indices)``.
        batch_size: examples of a minibatch.
    """

    indices: tuple[int, ...]
    widths: tuple[int, ...]
    places: int
    batch_size: int


def plan_cohorts(
    members: Sequence[Member],
    batch_sizes: Sequence[int],
    *,
    examples: int = 0,
    most: int = CPU_PLACES,
    cached: float = CACHED,
    workers: int = 1,
) -> list[CohortPlan]:
    """Return the cohorts of ``members``: by what must be equal, by width where it pays, the largest first.

    Args:
        members: the trials.
        batch_sizes: the minibatch size of each.
        examples: training examples times epochs; the more, the more widths are worth a program of their own.
        most: the most places of a cohort.
        cached: bytes that the kernels of a cohort of several members may take.
        workers: cohorts trained at the same time; a group is cut so that each has work.
    """
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, (member, batch_size) in enumerate(zip(members, batch_sizes, strict=True)):
        groups[(member.key, batch_size)].append(index)
    plans = []
    for whole in groups.values():
        for indices in _by_width(whole, members, examples):
            size = padded_widths([members[index] for index in indices])
            indices.sort(key=lambda index: -members[index].parameters)
            least, bytes_each = least_places([members[indices[0]]]), 4 * _multiplications(size, members[indices[0]])
            room = min(most, max(least, int(min(most, cached / bytes_each))))
            count = max(math.ceil(len(indices) / room), min(workers, len(indices) // 4), 1)
            share = math.ceil(len(indices) / count)
            places = _places(share, room, [members[index] for index in indices], size, examples * count)
            for start in range(0, len(indices), share):
                cut = tuple(indices[start : start + share])
                plans.append(CohortPlan(cut, size, places, batch_sizes[indices[0]]))
    return sorted(plans, key=lambda plan: -_multiplications(plan.widths, members[plan.indices[0]]))


def least_places(members: Iterable[Member]) -> int:
    """Return the fewest places of a program: for members of one fixed padding, enough that XLA keeps the axis k.

    It drops an axis of length one and then sums in another order.
    """
    return 4 if any(member.pad_to for member in members) else 1


def _places(share: int, room: int, members: Sequence[Member], size: tuple[int, ...], examples: int) -> int:
    """Return the places of a program for ``share`` members, at most ``room``.

    Members of one fixed padding come again, in later rounds and trainings: for them a number of places that will serve
    those as well, unless the empty ones cost more than compiling another program.
    """
    least = least_places(members)
    if least == 1:
        return share
    for multiple in (2 * least, least):
        places = math.ceil(share / multiple) * multiple
        empty = (places - share) * _multiplications(size, members[0])
        if places <= room and empty * 6 * examples < COMPILING:
            return places
    return max(share, least)


def _by_width(indices: list[int], members: Sequence[Member], examples: int) -> list[list[int]]:
    """Return the group cut in two, again and again, at the layer and width that save the most, while it pays."""
    whole = padded_widths([members[index] for index in indices])
    cost = len(indices) * _multiplications(whole, members[indices[0]])
    best, parts = cost, [indices]
    for layer in (place for place, kind in enumerate(members[indices[0]].layers) if isinstance(kind, Dense)):
        size = {index: padded_widths([members[index]])[layer] for index in indices}
        for width in sorted(set(size.values()))[:-1]:
            cut = [[i for i in indices if size[i] <= width], [i for i in indices if size[i] > width]]
            sizes = [padded_widths([members[i] for i in part]) for part in cut]
            new = sum(len(p) * _multiplications(s, members[p[0]]) for p, s in zip(cut, sizes, strict=True))
            if new < best:
                best, parts = new, cut
    # Forward, and backward for the kernel and for the input, each a multiplication and an addition.
    if len(parts) == 1 or (cost - best) * 6 * examples < COMPILING:
        return [indices]
    return [part for half in parts for part in _by_width(half, members, examples)]


def padded_widths(members: Sequence[Member]) -> tuple[int, ...]:
    """Return the units after each layer that hold every member, multiples of 8.

    So is the head's number: XLA unrolls the products of an odd one, which takes it a tenth of its compiling.

    >>> from tfcourse.cohort.member import member_of_spec
    >>> from tfcourse.models.spec import NetworkSpec, OptimizerSpec
    >>> specs = [NetworkSpec(4, 3, (20, 40)), NetworkSpec(4, 3, (30, 10))]
    >>> padded_widths([member_of_spec(spec, OptimizerSpec(), 0) for spec in specs])
    (32, 32, 32, 32, 40, 40, 40, 40, 8)
    """
    sizes = [max(each) for each in zip(*(widths(m.layers, m.inputs) for m in members), strict=True)]
    dense = [index for index, layer in enumerate(members[0].layers) if isinstance(layer, Dense)]
    first, head = dense[0], dense[-1]
    least = max(member.pad_to for member in members)
    return tuple(
        math.ceil(max(size, least if index < head else 0) / VECTOR) * VECTOR if first <= index else size
        for index, size in enumerate(sizes)
    )


def padding_waste(plans: Sequence[CohortPlan], members: Sequence[Member]) -> float:
    """Return the share of the multiplications that padding and empty places waste, in [0, 1)."""
    done = sum(plan.places * _multiplications(plan.widths, members[plan.indices[0]]) for plan in plans)
    needed = sum(_multiplications(widths(member.layers, member.inputs), member) for member in members)
    return 1 - needed / done if done else 0.0


def in_words(plans: Sequence[CohortPlan], members: Sequence[Member]) -> str:
    """Return what is planned as a person would say it, with the share of the work that padding wastes.

    >>> from tfcourse.cohort.member import member_of_spec
    >>> from tfcourse.models.spec import NetworkSpec, OptimizerSpec
    >>> members = [member_of_spec(NetworkSpec(4, 3, (8 * n,)), OptimizerSpec(), 0) for n in (1, 2)]
    >>> in_words(plan_cohorts(members, [32, 32]), members)
    '2 members train as 1 cohort of 1 program; 25 % of its multiplications are padding'
    """
    programs = len({(plan.widths, plan.places, plan.batch_size, members[plan.indices[0]].key) for plan in plans})
    cohorts = f"{len(plans)} cohort{'s' * (len(plans) > 1)} of {programs} program{'s' * (programs > 1)}"
    whose = "their" if len(plans) > 1 else "its"
    return (
        f"{len(members)} member{'s' * (len(members) > 1)} train{'s' * (len(members) == 1)} as {cohorts};"
        f" {padding_waste(plans, members):.0%} of {whose} multiplications are padding"
    ).replace("%", " %")


def _multiplications(sizes: Sequence[int], member: Member) -> int:
    total, inputs = 0, member.inputs
    for layer, units in zip(member.layers, sizes, strict=True):
        total += inputs * units if isinstance(layer, Dense) else 0
        inputs = units
    return total


def member_bytes(member: Member, batch_size: int) -> int:
    """Return about how many bytes a member takes while it trains.

    The weights, their two averages and their gradients, each old and new; and the activations of a minibatch (or of a
    chunk of the validation examples), forward and backward.
    """
    padded = padded_widths([member])
    inputs, weights = member.inputs, 0
    for layer, units in zip(member.layers, padded, strict=True):
        if isinstance(layer, Dense):
            weights += (inputs + 1) * units
        inputs = units
    weights = max(weights, sum(math.prod(v.shape) for each in variables(member.layers, member.inputs) for v in each))
    return 4 * (8 * weights + 3 * max(batch_size, 512) * (member.inputs + sum(padded)))


def places_that_fit(members: Sequence[Member], batch_sizes: Sequence[int], memory: int, workers: int, most: int) -> int:
    """Return how many places a cohort may have when ``workers`` cohorts share ``memory`` bytes.

    Raises:
        UserError: if not even one member fits.
    """
    largest = max(member_bytes(m, b) for m, b in zip(members, batch_sizes, strict=True))
    fitting = int(memory * MEMORY_SHARE) // largest
    if fitting < 1:
        raise UserError(
            f"One member needs about {largest / 2**20:,.0f} MiB to train, but {memory / 2**20:,.0f} MiB are free and "
            f"half of them may be used. Use fewer units or a smaller batch size, or free memory."
        )
    return max(1, min(most, fitting // workers))


def available_memory() -> int:
    """Return the bytes of memory that are free for use, or 4 GiB where the system does not say."""
    free = [_free_memory(), _free_in_container()]
    return min((each for each in free if each is not None), default=4 * 2**30)


def _free_memory() -> int | None:
    try:
        with open("/proc/meminfo") as lines:
            free = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(free.split()[1]) * 1024
    except (OSError, StopIteration):
        if "SC_AVPHYS_PAGES" in getattr(os, "sysconf_names", {}):
            return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return None


def _free_in_container(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return what a container's limit leaves free, its file cache counted as free; None where there is no limit."""
    try:
        limit, used = ((folder / name).read_text().strip() for name in ("memory.max", "memory.current"))
        cached = re.search(r"^inactive_file (\d+)", (folder / "memory.stat").read_text(), re.MULTILINE)
    except OSError:
        return None
    if limit == "max":
        return None
    return max(0, int(limit) - int(used) + (int(cached[1]) if cached else 0))
