"""Which members can train together, in cohorts of which size, and how much their padding wastes.

Members of a cohort have one depth. Cohorts of several depths may share one program that has the most hidden blocks and
passes by those that a cohort lacks: its epochs take a tenth longer, but compiling each depth takes seconds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tfcourse.cohort.kinds import Kind
from tfcourse.cohort.layers import Dense, widths
from tfcourse.cohort.member import Member, in_program

# Measured on two cores: two programs of 16 members, one a core, run twice as fast as one program of 32 on both.
CPU_PLACES, GPU_PLACES = 16, 256
# Bytes of kernels that a cohort may have on a CPU. Networks of 784 features and three layers of 80 ran at full speed up
# to ten together, 3 MB, at 60 % of it with 14 and at half with 16: then they no longer stay in the cache.
CACHED = 3e6
# Odd widths make the matrix products up to 1.7 times slower; multiples of 8 waste less than multiples of 16 and cost
# nothing a multiplication.
VECTOR = 8
# Operations of training that take as long as compiling one more program: two seconds at 80 GFLOP/s.
COMPILING = 160e9
# What an epoch costs in a program that may pass blocks by, over one of its own: 8 to 20 % were measured.
BRANCHING = 1.12
# Places of a program that is to serve again: for members of one fixed padding, who come in later rounds and trainings
# too, and for several depths, into which the trials of a later call fall otherwise.
FIXED_PLACES = 8
# How many trainings of a kind a run may be expected to have where their number must not matter.
USUAL_MEMBERS = 32


@dataclass(frozen=True)
class CohortPlan:
    """One cohort to train.

    Args:
        indices: positions of its members among those given.
        widths: units after each layer, padding included; equal for all cohorts of a group.
        places: number of members k of its program, at least ``len(indices)``.
        batch_size: examples of a minibatch.
        kinds: what the program's networks share of each layer, with as many hidden blocks as the deepest has.
        least_depth: hidden blocks, in front, that all networks have that train in the program.
    """

    indices: tuple[int, ...]
    widths: tuple[int, ...]
    places: int
    batch_size: int
    kinds: tuple[Kind, ...]
    least_depth: int

    @property
    def program(self) -> tuple[object, ...]:
        """What cohorts of one program have in common, as far as the plan says."""
        return (self.widths, self.places, self.batch_size, self.kinds, self.least_depth)

    @property
    def branches(self) -> bool:
        """Say whether a network may lack some of the program's hidden blocks."""
        return self.least_depth < sum(kind.begins_block for kind in self.kinds) - 1


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
    families: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, (member, batch_size) in enumerate(zip(members, batch_sizes, strict=True)):
        families[(member.family, batch_size)].append(index)
    planner = _Planner(members, batch_sizes, examples, most, cached, workers)
    plans = [plan for indices in families.values() for plan in planner.of_family(indices)]
    return sorted(plans, key=lambda plan: -planner.multiplications(plan))


@dataclass(frozen=True)
class _Planner:
    """Plans the cohorts of one family after the other; the arguments are those of :func:`plan_cohorts`."""

    members: Sequence[Member]
    batch_sizes: Sequence[int]
    examples: int
    most: int
    cached: float
    workers: int

    def of_family(self, indices: Sequence[int]) -> list[CohortPlan]:
        """Return the cohorts of members that differ in nothing but widths and, where blocks are alike, depth."""
        by_depth: dict[int, list[int]] = defaultdict(list)
        for index in indices:
            by_depth[self.members[index].depth].append(index)
        groups = list(by_depth.values())
        if self.members[indices[0]].depths is not None:
            return self._sharing(groups)
        apart = [
            plan for group in groups for part in _by_width(group, self.members, self.examples)
            for plan in self._sharing([part])
        ]  # fmt: skip
        first = self.members[indices[0]]
        # With one fixed padding a program must not depend on who else trains.
        may_share = len(groups) > 1 and first.block_size > 0 and first.pad_to == 0
        return min(apart, self._sharing(groups), key=self._cost) if may_share else apart

    def _sharing(self, groups: Sequence[list[int]]) -> list[CohortPlan]:
        """Return the cohorts of ``groups``, each of one depth, in one program."""
        everyone = [self.members[index] for group in groups for index in group]
        least, deepest = _depths(everyone)
        size, first = padded_widths(everyone), everyone[0]
        bytes_each = 4 * _multiplications(size, max(everyone, key=lambda member: member.depth))
        room = min(self.most, max(least_places(everyone), int(min(self.most, self.cached / bytes_each))))
        places = self._places(groups, room, size)
        kinds = tuple(layer.kind for layer in first.layers)
        if first.block_size:
            kinds = kinds[: first.block_size] * deepest + kinds[-1:]
        else:
            least = len(kinds)  # nothing in it can be passed by
        plans = []
        for group in groups:
            group = sorted(group, key=lambda index: -self.members[index].parameters)
            count = max(math.ceil(len(group) / places), min(self.workers, len(group) // 4) if len(groups) == 1 else 1)
            share = math.ceil(len(group) / count)
            for start in range(0, len(group), share):
                cut = tuple(group[start : start + share])
                plans.append(CohortPlan(cut, size, places, self.batch_sizes[cut[0]], kinds, least))
        return plans

    def _places(self, groups: Sequence[list[int]], room: int, size: tuple[int, ...]) -> int:
        """Return the places of a program, at most ``room``, with which few stay empty and each worker has a cohort.

        Members of one fixed padding come again, in later rounds and trainings: for them a number of places that will
        serve those as well, unless the empty ones cost more than compiling another program.
        """
        counts = [len(group) for group in groups]
        if any(self.members[index].pad_to for group in groups for index in group):
            most = max(counts)
            empty = -most % FIXED_PLACES * _multiplications(size, self.members[groups[0][0]])
            if room >= FIXED_PLACES and empty * 6 * self.examples < COMPILING:
                return FIXED_PLACES
            cohorts = max(math.ceil(most / room), min(self.workers, most // 4), 1)
            return max(least_places([self.members[groups[0][0]]]), math.ceil(most / cohorts))
        if len(groups) > 1 and max(counts) >= FIXED_PLACES <= room:
            return FIXED_PLACES
        enough = min(self.workers, sum(counts) // 4)

        def work(places: int) -> tuple[float, int]:
            # Each cohort costs about as much as one more member would.
            cohorts = [math.ceil(count / places) for count in counts]
            cost = sum(
                number * (places + 1) * _multiplications(size, self.members[group[0]])
                for number, group in zip(cohorts, groups, strict=True)
            )
            return (cost if sum(cohorts) >= enough else math.inf, -places)

        return min(range(1, room + 1), key=work)

    def multiplications(self, plan: CohortPlan) -> int:
        """Return the multiplications of one example in all places of a cohort."""
        return plan.places * _multiplications(plan.widths, self.members[plan.indices[0]])

    def _cost(self, plans: Sequence[CohortPlan]) -> float:
        """Return the operations that training takes, and those in whose time the programs compile."""
        branching = [BRANCHING if plan.branches else 1.0 for plan in plans]
        work = sum(factor * self.multiplications(plan) for factor, plan in zip(branching, plans, strict=True))
        return 6 * self.examples * work + COMPILING * len({plan.program for plan in plans})


def sharing_pays(depths: tuple[int, int], inputs: int, units: int, examples: int) -> bool:
    """Say whether networks of several depths are trained sooner in one program than in one for each depth.

    Args:
        depths: the fewest and the most hidden blocks.
        inputs: number of features.
        units: units of each hidden layer.
        examples: training examples times epochs.
    """
    more, deepest = depths[1] - depths[0], inputs * units + (depths[1] - 1) * units**2
    return more > 0 and USUAL_MEMBERS * 6 * examples * deepest * (BRANCHING - 1) < more * COMPILING


def _depths(members: Sequence[Member]) -> tuple[int, int]:
    """Return the fewest and the most hidden blocks of the networks that share the members' program."""
    fixed = [member.depths for member in members if member.depths is not None]
    depths = [member.depth for member in members]
    return min([*depths, *(least for least, _ in fixed)]), max([*depths, *(most for _, most in fixed)])


def least_places(members: Iterable[Member]) -> int:
    """Return the fewest places of a program: for members of one fixed padding, enough that XLA keeps the axis k.

    It drops an axis of length one and then sums in another order.
    """
    return 4 if any(member.pad_to for member in members) else 1


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
    shallowest, deepest = _depths(members)
    block = members[0].block_size
    count = block * deepest + 1 if block else len(members[0].layers)
    sizes = [0] * count
    for member in members:
        own = widths(member.layers, member.inputs)
        for index, (_, mine) in enumerate(in_program(member, count)):
            sizes[index] = max(sizes[index], own[mine] if mine is not None else 0)
    if block:  # what passes a block by must be as wide as what comes out of it
        passed = slice(max(shallowest - 1, 0) * block, deepest * block)
        sizes[passed] = [max(sizes[passed])] * (deepest * block - passed.start)
    first = next(index for index, layer in enumerate(members[0].layers) if isinstance(layer, Dense))
    head = max(index for index, layer in enumerate(members[0].layers) if isinstance(layer, Dense))
    head += count - len(members[0].layers)
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
    '2 members train as 1 cohort of 1 program; 56 % of its multiplications are padding'
    """
    programs = len({(plan.program, members[plan.indices[0]].family) for plan in plans})
    cohorts = f"{len(plans)} cohort{'s' * (len(plans) > 1)} of {programs} program{'s' * (programs > 1)}"
    whose = "their" if len(plans) > 1 else "its"
    return (
        f"{len(members)} member{'s' * (len(members) > 1)} train{'s' * (len(members) == 1)} as {cohorts};"
        f" {padding_waste(plans, members):.0%} of {whose} multiplications are padding"
    ).replace("%", " %")


def _multiplications(sizes: Sequence[int], member: Member) -> int:
    """Return the multiplications of one example in a program of ``sizes``, without the blocks that the member lacks."""
    total, inputs = 0, member.inputs
    for units, (layer, own) in zip(sizes, in_program(member, len(sizes)), strict=True):
        if own is not None:
            total += inputs * units if isinstance(layer, Dense) else 0
            inputs = units
    return total
