"""Old checkpoints go, so that the disk stays bounded; what matters stays."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tfcourse.babysitting.checkpoints import DAY, HOUR, Kept, to_drop

GAPS = st.lists(st.floats(1.0, 3 * DAY), min_size=1, max_size=60)


def checkpoints(gaps: list[float]) -> list[Kept]:
    times, now = [], 0.0
    for gap in gaps:
        now += gap
        times.append(now)
    return [Kept(number, time, 10) for number, time in enumerate(times)]


@given(GAPS, st.sets(st.integers(0, 59)))
def test_protected_and_recent_ones_stay(gaps: list[float], protected: set[int]) -> None:
    kept = checkpoints(gaps)
    now = kept[-1].time
    dropped = set(to_drop(kept, protected, now, 1e12))
    assert not dropped & protected
    assert not dropped & {each.number for each in kept if now - each.time <= DAY}


@given(GAPS, st.sets(st.integers(0, 59), max_size=3), st.integers(0, 600))
def test_the_size_is_bounded_but_for_the_protected(gaps: list[float], protected: set[int], most: int) -> None:
    kept = checkpoints(gaps)
    dropped = to_drop(kept, protected, kept[-1].time, most)
    assert len(dropped) == len(set(dropped))
    left = {each.number for each in kept} - set(dropped)
    assert not set(dropped) & protected
    assert 10 * len(left) <= most or left <= protected


def test_the_older_the_fewer() -> None:
    kept = [Kept(number, number * HOUR / 2, 1) for number in range(2 * 24 * 30)]  # one each half hour for 30 days
    now = kept[-1].time
    left = {each.number: now - each.time for each in kept}
    for number in to_drop(kept, {0}, now, 1e9):
        del left[number]
    ages = list(left.values())
    assert sum(age <= DAY for age in ages) == 49  # all of them
    assert sum(DAY < age <= 7 * DAY for age in ages) == 6 * 24  # one an hour
    assert sum(age > 7 * DAY for age in ages) in (23, 24)  # one a day
    assert 0 in left


def test_when_space_is_short_the_past_is_sparse_and_the_present_dense() -> None:
    kept = [Kept(number, 60.0 * number, 1) for number in range(1000)]  # one a minute, all of the last day
    left = sorted(set(range(1000)) - set(to_drop(kept, {0, 999}, 60.0 * 999, 20)))
    gaps = [later - earlier for earlier, later in itertools.pairwise(left)]
    assert len(left) == 20
    assert {0, 999} <= set(left)
    assert gaps[-1] <= 3
    assert max(gaps[-5:]) < max(gaps[:5])
