"""The settings that a search tries first: which lie in a space, where they stand in a plan, and who is told."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tfcourse import train
from tfcourse.search.rounds_oracle import RoundsOracle
from tfcourse.space import SearchSpace, portfolio
from tfcourse.space.course import default_space
from tfcourse.space.first_settings import completed_setting, read_first_settings
from tfcourse.space.space_file import space_from_toml
from tfcourse.tuning import start as starting
from tfcourse.tuning.plan import Plan, with_batch_size

SHIPPED = Path(portfolio.__file__).with_name("portfolio.toml")
EVERY = portfolio.portfolio(default_space())


def test_the_shipped_settings_are_whole_settings_of_the_default_space_and_a_file_for_first() -> None:
    space = default_space()
    assert read_first_settings(SHIPPED, space) == EVERY, "none is left out, and --first takes the file"
    assert [completed_setting(space, setting) for setting in EVERY] == EVERY, "none leaves out what is active"
    assert len({json.dumps(setting, sort_keys=True) for setting in EVERY}) == len(EVERY)


def allowed(name: str, values: list[Any]) -> list[dict[str, Any]]:
    return [setting for setting in EVERY if setting.get(name) in [None, *values]]


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        ({}, EVERY),
        ({"optimizer": "adam"}, allowed("optimizer", ["adam"])),
        ({"layers": [2, 3]}, allowed("layers", [2, 3])),
        ({"dropout": 0.0}, []),
        ({"units": 64}, []),
        ({"activation": ["relu", "tanh"], "beta_2": 0.99}, EVERY),
        ({"dropout": {"low": 0.0, "high": 0.1}}, [s for s in EVERY if s["dropout"] <= 0.1]),
        ({"units": {"low": 1, "high": 512}, "layers": {"low": 1, "high": 8}}, EVERY),
    ],
)
def test_settings_outside_a_space_are_left_out(entries: dict[str, Any], left: list[dict[str, Any]]) -> None:
    assert portfolio.portfolio(space_from_toml(entries)) == left


def plan_of(command: str, folder: Path) -> Plan:
    words = ["--out", str(folder / "run"), *command.split()]
    return starting.start(vars(train.build_parser().parse_args(words)), words).plan


@pytest.mark.parametrize(
    ("command", "own", "tried", "starts"),
    [
        ("", 0, len(EVERY), (0, 32)),
        ("--no-portfolio", 0, 0, (0, 32)),
        ("--trials 2", 0, len(EVERY), (0,)),  # a resumed search goes on with them
        ("--trials 16", 0, 4, (0, 8)),  # half of the first round
        ("--trials 22", 0, 5, (0, 11)),
        ("--first mine.toml --trials 16", 3, 4, (0, 8)),
        ("--first mine.toml --trials 16 --rounds 4", 3, 1, (0, 4, 8, 12)),
        ("--first mine.toml --trials 16 --rounds 8", 3, 0, (0, 3, 4, 6, 8, 10, 12, 14)),
        ("--first mine.toml --no-portfolio", 3, 0, (0, 32)),
        ("--space fixed.toml", 0, 0, (0, 32)),
        ("--network conv", 0, 0, (0, 32)),
        ("--engine keras", 0, len(EVERY), (0, 32)),
        ("--budget 1h", 0, 4, (0, 50_000)),  # half of what a round begins with
        ("--budget 1h --rounds 1", 0, len(EVERY), (0,)),
    ],
)
def test_what_is_tried_first(
    command: str, own: int, tried: int, starts: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("".join(f"[[setting]]\nlearning_rate = {n / 1000}\n" for n in (1, 2, 3)))
    Path("fixed.toml").write_text("dropout = 0.0\n")
    plan = plan_of(command, tmp_path)
    assert (plan.starts, plan.portfolio, len(plan.own)) == (starts, tried, own)
    assert list(plan.first[own:]) == EVERY[:tried]
    assert json.loads(Path("run/run.json").read_text())["plan"]["portfolio"] == tried


def drawn(first: list[dict[str, Any]], count: int, **how: Any) -> list[dict[str, Any]]:
    oracle = RoundsOracle("val_loss", 64, space=SPACE, first=first, **how)
    return [oracle.values_of(trial) for trial in range(count)]


SPACE: SearchSpace = with_batch_size(default_space(), None, 1078)


@pytest.mark.parametrize("sampler", ["random", "quasi-random"])
def test_the_portfolio_takes_the_place_of_the_first_draws_alone(sampler: str) -> None:
    number = len(EVERY)
    found = drawn(EVERY, number + 4, sampler=sampler, portfolio=number)
    assert [{**setting, "batch_size": 32} for setting in EVERY] == found[:number]
    others = drawn([], number + 4, sampler=sampler)
    assert found[number:] == (others[number:] if sampler == "random" else others[:4])


def test_a_setting_of_ones_own_that_the_portfolio_has_too_is_tried_once(tmp_path: Path) -> None:
    oracle = RoundsOracle("val_loss", 4, space=SPACE, first=[EVERY[1], *EVERY[:2]], portfolio=2)
    oracle._set_project_dir(str(tmp_path), "search")
    trials = [oracle.create_trial(f"tuner{n}") for n in range(4)]
    assert len({json.dumps(trial.hyperparameters.values, sort_keys=True) for trial in trials}) == 4
    assert [oracle.notes[trial.trial_id].get("given") for trial in trials] == ["own", "portfolio", None, None]


def test_a_run_says_which_trials_came_from_the_portfolio(pets_run: Path) -> None:
    record, result = (json.loads((pets_run / name).read_text()) for name in ("run.json", "result.json"))
    assert record["plan"]["first"][:3] == EVERY[:3]
    trials = [json.loads((pets_run / "search" / f"trial_{n}" / "trial.json").read_text()) for n in range(3)]
    assert [trial["tfcourse"]["given"] for trial in trials] == ["portfolio"] * 3
    with (pets_run / "trials.csv").open() as file:
        assert [row["given"] for row in csv.DictReader(file)] == ["portfolio"] * 3
    sentence = next(each for each in result["verdict"]["sentences"] if each["topic"] == "portfolio")
    assert sentence["text"] == (
        "Only the 3 settings that were good on many tables completed here;"
        f" trial {result['best']['trial_id']} is the best of them."
    )
    assert result["verdict"]["numbers"]["portfolio"]["trials"] == [0, 1, 2]
    assert f"{result['best']['trial_id']} (portfolio)" in (pets_run / "report.html").read_text()
