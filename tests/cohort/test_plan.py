"""Which trials share a program, and what their padding costs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tfcourse.cohort import fit_together, memory
from tfcourse.cohort.member import Member, member_of_spec
from tfcourse.cohort.memory import member_bytes, places_that_fit
from tfcourse.cohort.plan import padding_waste, plan_cohorts
from tfcourse.errors import UserError
from tfcourse.models.spec import NetworkSpec, OptimizerSpec


def member(*units: int, activation: str = "relu") -> Member:
    return member_of_spec(NetworkSpec(64, 10, units, activation=activation), OptimizerSpec(), 0)


def random_members(count: int, layers: int = 3) -> list[Member]:
    rng = np.random.default_rng(0)
    return [member(*rng.integers(50, 101, layers)) for _ in range(count)]


def test_depth_batch_size_and_activation_make_different_cohorts_and_nothing_is_lost():
    members = [member(60), member(70), member(60, 60), member(60, activation="tanh"), member(80)]
    plans = plan_cohorts(members * 8, [32, 32, 32, 32, 64] * 8)
    assert sorted(index for plan in plans for index in plan.indices) == list(range(40))
    assert all(len({kind(members[index % 5], index % 5) for index in plan.indices}) == 1 for plan in plans)
    assert {plan.batch_size for plan in plans if plan.indices[0] % 5 == 4} == {64}


def kind(one: Member, position: int) -> tuple[object, ...]:
    return (one.depth, one.key, position == 4)


def test_depths_share_a_program_where_compiling_another_costs_more_than_passing_blocks_by():
    members = [*random_members(20, 2), *random_members(20, 3), *random_members(20, 4)]
    brief, long = (plan_cohorts(members, [64] * 60, examples=examples) for examples in (1200 * 20, 1200 * 2000))
    assert {(plan.least_depth, len(plan.kinds), plan.branches) for plan in brief} == {(2, 4 * 4 + 1, True)}
    assert {(plan.least_depth, len(plan.kinds)) for plan in long} == {(2, 9), (3, 13), (4, 17)}
    assert not any(plan.branches for plan in long)
    for each in (*brief, *long):
        assert len({members[index].depth for index in each.indices}) == 1, "what passes a block by is the whole cohort"
    # All the blocks that may be passed by are as wide as what comes before them.
    assert {plan.widths[4:16] for plan in brief} == {(104,) * 12}


def test_networks_of_unlike_blocks_and_those_of_one_fixed_padding_do_not_share_by_chance():
    fixed = [dataclasses.replace(each, pad_to=100) for each in (*random_members(4, 2), *random_members(4, 3))]
    assert len({plan.kinds for plan in plan_cohorts(fixed, [64] * 8)}) == 2
    told = [dataclasses.replace(each, depths=(2, 4)) for each in fixed]
    assert {(plan.least_depth, len(plan.kinds)) for plan in plan_cohorts(told, [64] * 8)} == {(2, 17)}
    assert {len(plan.kinds) for plan in plan_cohorts(told[:1], [64])} == {17}, "though it trains alone"
    unlike = dataclasses.replace(random_members(1, 2)[0])
    unlike = dataclasses.replace(unlike, layers=(*unlike.layers[:3], *unlike.layers[4:]))  # one dropout fewer
    assert (unlike.block_size, unlike.depth) == (0, 2)
    plans = plan_cohorts([unlike, *random_members(2, 3)], [64] * 3)
    assert {len(plan.kinds) for plan in plans} == {8, 13}


def test_a_large_group_is_cut_into_even_cohorts_of_one_program():
    plans = plan_cohorts(random_members(67), [64] * 67, most=16)
    assert {plan.places for plan in plans} == {14}
    assert sorted(len(plan.indices) for plan in plans) == [11, 14, 14, 14, 14]
    assert len({plan.widths for plan in plans}) == 1


def test_each_worker_gets_a_cohort():
    assert [len(plan.indices) for plan in plan_cohorts(random_members(8), [64] * 8, workers=2)] == [4, 4]


def test_members_of_one_padding_get_places_that_serve_later_ones_too_unless_empty_ones_cost_more_than_a_program():
    fixed = [dataclasses.replace(each, pad_to=100) for each in random_members(5)]
    assert [plan.places for plan in plan_cohorts(fixed, [64] * 5, examples=1000 * 20)] == [8]
    assert [plan.places for plan in plan_cohorts(fixed, [64] * 5, examples=50_000 * 100)] == [5]
    assert [plan.places for plan in plan_cohorts(fixed[:1], [64], examples=50_000 * 100)] == [4]
    few = fixed[:3]  # five empty places of 44 000 multiplications: 1.3e6 an example, 160e9 by 120 000 of them
    assert [plan.places for plan in plan_cohorts(few, [64] * 3, examples=1000 * 20)] == [8]
    assert [plan.places for plan in plan_cohorts(few, [64] * 3, examples=1000 * 200)] == [4]
    assert [plan.places for plan in plan_cohorts(few, [64] * 3, examples=1000 * 20, most=6)] == [4]


def test_long_trainings_are_worth_more_programs_and_waste_less():
    members = random_members(200)
    brief, long = (plan_cohorts(members, [64] * 200, examples=examples) for examples in (1200, 1200 * 2000))
    assert len({plan.widths for plan in brief}) == 1 < len({plan.widths for plan in long})
    assert padding_waste(long, members) < 0.3 < padding_waste(brief, members) < 0.6


def test_equal_members_waste_nothing_but_the_rounding_to_eight():
    members = [member(64, 48) for _ in range(5)]
    plans = plan_cohorts(members, [32] * 5)
    assert plans[0].widths[-1] == 16  # a head of ten
    needed, done = (64 * 64 + 64 * 48 + 48 * head for head in (10, 16))
    assert padding_waste(plans, members) == pytest.approx(1 - needed / done)


def test_cohorts_are_as_large_as_the_memory_allows_and_one_that_does_not_fit_is_told():
    members = random_members(2)
    assert places_that_fit(members, [64, 64], 2**34, 2, 16) == 16
    fewer = places_that_fit(members, [64, 64], 2**26, 2, 16)
    assert 1 <= fewer < 16
    with pytest.raises(UserError, match=r"one member needs about .* MiB to train, but 1 MiB are free"):
        places_that_fit(members, [64, 64], 2**20, 2, 16)


def test_kernels_of_a_cohort_stay_in_the_cache_unless_a_number_of_places_is_asked_for():
    wide = [member_of_spec(NetworkSpec(784, 10, (80, 80, 80)), OptimizerSpec(), seed) for seed in range(16)]
    assert [len(plan.indices) for plan in plan_cohorts(wide, [64] * 16)] == [8, 8]
    assert [len(plan.indices) for plan in plan_cohorts(wide, [64] * 16, cached=np.inf)] == [16]
    fixed = [dataclasses.replace(each, pad_to=4000) for each in wide[:8]]
    assert [plan.places for plan in plan_cohorts(fixed, [64] * 8)] == [4, 4], "XLA keeps the axis k from four on"
    huge = [member_of_spec(NetworkSpec(784, 10, (4000,)), OptimizerSpec(), seed) for seed in range(2)]
    assert [plan.places for plan in plan_cohorts(huge, [64] * 2)] == [1, 1]


def test_training_keeps_to_the_memory_it_may_count_on():
    members = [member(60) for _ in range(4)]
    x, y = np.zeros((8, 64), np.float32), np.zeros(8, int)
    told: list[str] = []
    # Half of it may be used: two members at a time.
    enough_for_two = 2 * 2 * member_bytes(members[0], 8) + 1
    fit_together(members, x, y, batch_size=8, memory=enough_for_two, workers=1, on_plan=told.append)
    fit_together(members, x, y, batch_size=8, workers=1, on_plan=told.append)
    assert [words.split(" of ")[0] for words in told] == ["4 members train as 2 cohorts", "4 members train as 1 cohort"]
    with pytest.raises(UserError, match="Use fewer units or a smaller batch size, or free memory"):
        fit_together(members, x, y, memory=2**20)


def test_a_containers_limit_counts_when_it_leaves_less_than_the_machine(tmp_path: Path):
    assert memory._free_in_container(tmp_path) is None
    for name, content in {"memory.max": "max", "memory.current": "7", "memory.stat": "anon 1\n"}.items():
        (tmp_path / name).write_text(content)
    assert memory._free_in_container(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert memory._free_in_container(tmp_path) == 993
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 5\nactive_file 1\n")
    assert memory._free_in_container(tmp_path) == 998
    assert 2**20 < memory.available_memory() < 2**50
