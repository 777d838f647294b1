"""Parameters map both ways between the unit interval and their values, and refuse ranges that are none."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import loguniform, randint

from tfcourse.errors import UserError
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import default_space

unit = st.floats(0.0, 1.0)


@st.composite
def numbers(draw: st.DrawFn) -> Parameter:
    """A parameter with a range, on any scale of real numbers."""
    scale = draw(st.sampled_from(["linear", "log", "one_minus_log"]))
    low, high = sorted([draw(st.floats(1e-6, 0.9999)), draw(st.floats(1e-6, 0.9999))])
    assume(high - low > 1e-4)
    return Parameter("p", scale, low, high)


@given(numbers(), unit)
def test_a_value_comes_back_from_the_unit_interval(parameter: Parameter, p: float) -> None:
    value = parameter.from_unit(p)
    assert parameter.contains(value)
    assert parameter.to_unit(value) == pytest.approx(p, abs=1e-6)


@given(numbers(), unit, unit)
def test_every_scale_rises(parameter: Parameter, p: float, q: float) -> None:
    values = [float(parameter.from_unit(min(p, q))), float(parameter.from_unit(max(p, q)))]
    assert values == sorted(values)


@given(numbers())
def test_the_ends_are_the_range_itself(parameter: Parameter) -> None:
    assert parameter.from_unit(0.0) == pytest.approx(parameter.low, rel=1e-9)
    assert parameter.from_unit(1.0) == pytest.approx(parameter.high, rel=1e-9)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.25, 0.5, 0.9, 1.0])
def test_log_scales_have_the_quantiles_of_a_log_uniform_number(p: float) -> None:
    assert Parameter("a", "log", 1e-4, 1.0).from_unit(p) == pytest.approx(loguniform(1e-4, 1.0).ppf(p))
    expected = 1 - loguniform(1e-3, 1e-1).ppf(1 - p)
    assert Parameter("b", "one_minus_log", 0.9, 0.999).from_unit(p) == pytest.approx(expected)


@given(st.integers(-50, 50), st.integers(1, 60), st.floats(0.001, 1.0))
def test_integers_have_the_quantiles_of_a_uniform_integer(low: int, more: int, p: float) -> None:
    assume(abs(p * (more + 1) - round(p * (more + 1))) > 1e-6)  # away from the edges between two integers
    value = Parameter("n", "integer", low, low + more).from_unit(p)
    assert value == randint(low, low + more + 1).ppf(p)
    assert isinstance(value, int)


@given(st.integers(-50, 50), st.integers(1, 60), unit)
def test_integers_come_back(low: int, more: int, p: float) -> None:
    parameter = Parameter("n", "integer", low, low + more)
    value = parameter.from_unit(p)
    assert low <= value <= low + more
    assert parameter.from_unit(parameter.to_unit(value)) == value


def test_every_choice_has_the_same_share() -> None:
    parameter = Parameter("optimizer", "choice", values=("sgd", "rmsprop", "adam"))
    drawn = [parameter.from_unit(p) for p in np.linspace(0, 1, 3000, endpoint=False)]
    assert [drawn.count(value) for value in parameter.values] == [1000, 1000, 1000]
    assert parameter.from_unit(1.0) == "adam"
    assert [parameter.from_unit(parameter.to_unit(value)) for value in parameter.values] == list(parameter.values)


def test_a_parameter_knows_its_values() -> None:
    layers = Parameter("layers", "integer", 2, 4)
    assert [layers.contains(value) for value in (1, 2, 4, 5, "3")] == [False, True, True, False, False]
    activation = Parameter("activation", "choice", values=("relu", "tanh"))
    assert [activation.contains(value) for value in ("relu", "gelu")] == [True, False]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"scale": "linear", "low": 1.0, "high": 1.0},
            "p: low < high must hold, but low = 1.0 and high = 1.0 were given. To fix a parameter give it a single"
            " value.",
        ),
        (
            {"scale": "log", "low": 0.0, "high": 1.0},
            "p: low > 0 must hold on a log scale, but low = 0.0 and high = 1.0 were given.",
        ),
        (
            {"scale": "one_minus_log", "low": 0.9, "high": 1.0},
            "p: high < 1 must hold on a one_minus_log scale, but low = 0.9 and high = 1.0 were given.",
        ),
        (
            {"scale": "integer", "low": 1, "high": 2.5},
            "p: low and high must be whole numbers, but low = 1 and high = 2.5 were given.",
        ),
        (
            {"scale": "linear", "low": 0.0, "high": math.inf},
            "p: low and high must be finite numbers, but low = 0.0 and high = inf were given.",
        ),
        (
            {"scale": "linear", "low": math.nan, "high": 1.0},
            "p: low and high must be finite numbers, but low = nan and high = 1.0 were given.",
        ),
        ({"scale": "choice"}, "p: values must hold at least one choice, but it is empty."),
        ({"scale": "choice", "values": (2, 2)}, "p: values must differ, but [2, 2] was given."),
        (
            {"scale": "logg"},
            "p: scale = 'logg' was given; allowed are linear, log, one_minus_log, integer, choice. Did you mean 'log'?",
        ),
    ],
)
def test_a_range_that_is_none_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        Parameter("p", **fields)
    assert str(caught.value) == message


def test_a_space_survives_json() -> None:
    space = default_space()
    again = SearchSpace.from_json(json.loads(json.dumps(space.to_json())))
    assert again == space
    assert hash(again) == hash(space)


def test_only_active_parameters_get_values() -> None:
    space = default_space()
    middle = dict.fromkeys(space.names, 0.5)
    values = space.values_at({**middle, "optimizer": 0.0, "layers": 0.5})
    assert (values["optimizer"], values["layers"]) == ("sgd", 3)
    assert {"momentum", "units_1", "units_2", "units_3"} < set(values)
    assert not {"rho", "beta_1", "units_4"} & set(values)


def test_a_name_may_stand_once() -> None:
    dropout = Parameter("dropout", "linear", 0.0, 0.5)
    with pytest.raises(UserError) as caught:
        SearchSpace((dropout, dropout))
    assert str(caught.value) == "The search space holds 'dropout' twice; each name may stand once."


def test_a_parent_comes_first() -> None:
    momentum = Parameter("momentum", "one_minus_log", 0.9, 0.999, parent="optimizer", parent_values=("sgd",))
    with pytest.raises(UserError) as caught:
        SearchSpace((momentum, Parameter("optimizer", "choice", values=("sgd", "adam"))))
    assert str(caught.value) == "momentum: its parent 'optimizer' must come before it."
