"""The default space is the course's: which hyperparameters, on which scales, in which ranges."""

from __future__ import annotations

import math

import pytest

from tfcourse.space import Parameter
from tfcourse.space.course import build_space, default_space
from tfcourse.space.known import KNOWN
from tfcourse.space.names import OPTIMIZERS

COURSE = {
    "learning_rate": ("log", 1e-4, 1.0),
    "momentum": ("one_minus_log", 0.9, 0.999),
    "rho": ("one_minus_log", 0.9, 0.999),
    "beta_1": ("one_minus_log", 0.9, 0.999),
    "layers": ("integer", 2, 4),
    "units_1": ("integer", 50, 100),
    "units_4": ("integer", 50, 100),
}


@pytest.mark.parametrize("name", COURSE)
def test_the_course_gives_the_scale_and_the_range(name: str) -> None:
    parameter = default_space()[name]
    assert (parameter.scale, parameter.low, parameter.high) == COURSE[name]


def test_what_is_active_with_each_optimizer() -> None:
    space = default_space()
    of_optimizers = {"momentum", "rho", "beta_1"}
    found = {
        optimizer: {name for name in of_optimizers if space[name].active({"optimizer": optimizer})}
        for optimizer in ("sgd", "rmsprop", "adam")
    }
    assert found == {"sgd": {"momentum"}, "rmsprop": {"rho"}, "adam": {"beta_1"}}


@pytest.mark.parametrize(("layers", "active"), [(2, [1, 2]), (3, [1, 2, 3]), (4, [1, 2, 3, 4])])
def test_each_layer_has_its_units(layers: int, active: list[int]) -> None:
    space = default_space()
    assert [number for number in range(1, 5) if space[f"units_{number}"].active({"layers": layers})] == active


def test_listed_depths_need_not_follow_on_each_other() -> None:
    space = build_space({"layers": Parameter("layers", "choice", values=(1, 3))})
    assert [name for name in space.names if name.startswith("units")] == ["units_1", "units_2", "units_3"]
    assert space["units_1"].parent == ""
    assert space["units_2"].parent_values == (3,)


def test_what_each_hyperparameter_admits() -> None:
    assert not KNOWN["learning_rate"].admits(0.0)
    assert KNOWN["learning_rate"].admits(1e-9)
    assert KNOWN["momentum"].admits(0)
    assert not KNOWN["momentum"].admits(1.0)
    assert KNOWN["layers"].admits(16)
    assert not KNOWN["layers"].admits(17)
    assert not KNOWN["layers"].admits(2.5)
    assert not KNOWN["layers"].admits(True)
    assert not KNOWN["dropout"].admits(math.nan)
    assert KNOWN["nesterov"].admits(True)
    assert not KNOWN["nesterov"].admits(1)
    assert [name for name in ("sgd", "adamw", "Adam") if KNOWN["optimizer"].admits(name)] == ["sgd", "adamw"]
    assert set(KNOWN["optimizer"].choices) == set(OPTIMIZERS)
