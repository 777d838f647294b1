"""The region of the leading trials: narrower on the parameter's own scale, outward where they crowd an edge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import default_space
from tfcourse.space.zoom import crowds_edges, zoomed

RATE = Parameter("learning_rate", "log", 1e-4, 1.0)
BETA = Parameter("momentum", "one_minus_log", 0.9, 0.999)
UNITS = Parameter("units_1", "integer", 50, 100)
EVERYWHERE = (-math.inf, math.inf)


def test_a_log_range_narrows_in_decades() -> None:
    # 10^-3 ... 10^-2 lies at p = 0.25 ... 0.5; the mean gap of 3 values is 0.125, a decade is 0.25.
    narrower, words = zoomed(RATE, [1e-3, 10**-2.5, 1e-2], EVERYWHERE)
    assert (narrower.low, narrower.high) == (pytest.approx(10**-3.5), pytest.approx(10**-1.5))
    assert words == "learning_rate: 0.0001 ... 1 narrows to 0.000316 ... 0.0316"


def test_beta_narrows_in_decades_of_one_minus_beta() -> None:
    narrower, _ = zoomed(BETA, [1 - 10**-1.5, 0.99, 1 - 10**-2.5], EVERYWHERE)
    assert [1 - narrower.low, 1 - narrower.high] == pytest.approx([10**-1.0, 10**-3.0])
    narrower, _ = zoomed(BETA, [0.98, 0.99, 0.98, 0.985], EVERYWHERE)
    assert 0.97 < narrower.low < 0.98
    assert 0.99 < narrower.high < 0.994


def test_an_edge_that_is_crowded_moves_outward_before_anything_narrows() -> None:
    wider, words = zoomed(RATE, [0.9, 0.8, 0.95, 0.05], EVERYWHERE)
    assert wider.high > 1.0
    assert wider.low < 0.05
    assert words.startswith("learning_rate: the leading trials crowd 1, so 0.0001 ... 1 moves to ")
    # Up to a quarter of the range at least: one decade of four.
    assert wider.high == pytest.approx(10 ** (4 * max(0.25, (1 - RATE.to_unit(wider.low)) / 2)))


def test_beta_moves_towards_one_and_never_reaches_it() -> None:
    wider, _ = zoomed(BETA, [0.9985, 0.9986, 0.9989, 0.9988], EVERYWHERE)
    assert 0.999 < wider.high < 1
    assert zoomed(Parameter("b", "one_minus_log", 0.9, 1 - 1e-15), [1 - 1e-15] * 4, EVERYWHERE)[0].high < 1


def test_a_limit_is_kept_and_said() -> None:
    dropout = Parameter("dropout", "linear", 0.0, 0.5)
    narrower, words = zoomed(dropout, [0.0, 0.01, 0.02, 0.04], (0.0, 0.99))
    assert narrower.low == 0.0
    assert words.startswith("dropout: the leading trials crowd 0, beyond which it does not go; 0 ... 0.5 narrows to 0 ")
    units = Parameter("units_1", "integer", 1, 8)
    assert zoomed(units, [1, 1, 1, 2], (1, 8192))[0].low == 1
    same, words = zoomed(dropout, [0.0, 0.01, 0.02, 0.5], (0.0, 0.99))
    assert same == dropout
    assert words == "dropout: the leading trials crowd 0, beyond which it does not go"


def test_a_small_change_is_told_with_the_digits_that_it_takes() -> None:
    values = [0.9, 0.91, 0.93, 0.94, 0.96, 0.97, 0.98, 0.985, 0.9982]
    assert zoomed(BETA, values, EVERYWHERE)[1] == "momentum: 0.9 ... 0.999 narrows to 0.9 ... 0.9989"


def test_whole_numbers_stay_whole() -> None:
    narrower, _ = zoomed(UNITS, [60, 70, 80], EVERYWHERE)
    assert (narrower.low, narrower.high) == (50, 90)
    wider, _ = zoomed(UNITS, [99, 100, 98, 100], EVERYWHERE)
    assert wider.high == 113  # 49.5 + 1.25 * 51 numbers
    assert isinstance(narrower.from_unit(0.5), int)
    two = Parameter("layers", "integer", 2, 4)
    assert zoomed(two, [3, 3, 3], (2, 4))[0].low < zoomed(two, [3, 3, 3], (2, 4))[0].high


def test_choices_keep_what_leads() -> None:
    optimizer = Parameter("optimizer", "choice", values=("sgd", "rmsprop", "adam"))
    narrower, words = zoomed(optimizer, ["adam", "sgd", "adam"], EVERYWHERE)
    assert narrower.values == ("sgd", "adam")
    assert words == "optimizer: sgd, rmsprop, adam narrows to sgd, adam"
    assert zoomed(optimizer, ["adam", "sgd", "rmsprop"], EVERYWHERE)[1] == ""


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_leaders_change_nothing(count: int) -> None:
    assert zoomed(RATE, [0.9] * count, EVERYWHERE) == (RATE, "")


@pytest.mark.parametrize(("leaders", "least"), [(5, 3), (8, 4), (20, 10)])
def test_crowding_takes_half_of_the_leaders_and_more_than_chance(leaders: int, least: int) -> None:
    for hits in range(leaders + 1):
        values = [0.01] * hits + [0.5] * (leaders - hits)
        crowded, _ = crowds_edges(Parameter("p", "linear", 0.0, 1.0), values)
        assert crowded == (hits >= least)
        assert not crowded or binom.sf(hits - 1, leaders, 0.1) < 0.05


def test_leaders_drawn_at_random_are_seldom_taken_for_crowding() -> None:
    rng = np.random.default_rng(0)
    parameter = Parameter("p", "linear", 0.0, 1.0)
    alarms = np.mean([any(crowds_edges(parameter, rng.random(6).tolist())) for _ in range(2000)])
    assert alarms < 0.06


numbers = st.sampled_from([RATE, BETA, UNITS, Parameter("d", "linear", 0.0, 0.5), Parameter("l", "integer", 2, 4)])


@given(numbers, st.lists(st.floats(0.0, 1.0), min_size=3, max_size=12))
def test_every_leader_stays_inside_and_the_range_stays_a_range(parameter: Parameter, points: list[float]) -> None:
    values = [parameter.from_unit(p) for p in points]
    narrower, _ = zoomed(parameter, values, (parameter.low, parameter.high))
    assert narrower.low < narrower.high
    assert parameter.low <= narrower.low
    assert narrower.high <= parameter.high
    for value in values:
        assert narrower.low <= float(value) <= narrower.high or math.isclose(float(value), narrower.low)


def test_a_space_zooms_each_active_parameter_and_parents_only_narrow() -> None:
    space = default_space()
    leaders = [
        {"learning_rate": rate, "optimizer": "adam", "beta_1": 0.95, "layers": 4, "units_1": 75, "units_4": 80}
        for rate in (0.01, 0.02, 0.03, 0.02)
    ]
    limits = dict.fromkeys(space.names, (1e-09, 1000000000.0))
    zoomed_space, notes = space.zoomed(leaders, limits)
    assert zoomed_space.names == space.names
    assert zoomed_space["optimizer"].values == ("adam",)
    assert zoomed_space["layers"].high == 4, "units_5 is not declared, so layers cannot move outward"
    assert zoomed_space["units_3"] == space["units_3"], "no leader has it among its values"
    assert zoomed_space["momentum"] == space["momentum"]
    assert 0.001 < zoomed_space["learning_rate"].low < 0.01
    assert SearchSpace.from_json(zoomed_space.to_json()) == zoomed_space
    assert any(note.startswith("learning_rate: 0.0001 ... 1 narrows") for note in notes)
