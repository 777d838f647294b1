"""Settings of the user's own, read from a TOML file and checked against the space."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcourse import train
from tfcourse.errors import UserError
from tfcourse.space import SearchSpace
from tfcourse.space.course import default_space
from tfcourse.space.first_settings import read_first_settings
from tfcourse.space.space_file import read_space
from tfcourse.tuning import start as starting


def read(folder: Path, text: str) -> list[dict[str, object]]:
    path = folder / "first.toml"
    path.write_text(text, encoding="utf-8")
    return list(read_first_settings(path, default_space()))


def test_settings_are_read_and_units_stand_for_every_layer(tmp_path: Path) -> None:
    text = '[[setting]]\noptimizer = "adam"\nlearning_rate = 0.001\n[[setting]]\nunits = 64\nlayers = 3\n'
    assert read(tmp_path, text) == [
        {"optimizer": "adam", "learning_rate": 0.001},
        {"units_1": 64, "units_2": 64, "units_3": 64, "units_4": 64, "layers": 3},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[setting]]\nlearning_rte = 0.1", r"setting 1: 'learning_rte' is not searched.*Did you mean 'learning_rate'"),
        ("[[setting]]\nlearning_rate = 2.0", r"learning_rate = 2.0 was given, but the space allows 0.0001 to 1; widen"),
        ("[[setting]]\nunits = 64.5", r"units = 64.5 was given, but the space allows 50 to 100"),
        ("[[setting]]\nwidth = 64", r"'width' is not searched"),
        ("[[setting]]\nlayers = true", r"layers = True was given, but the space allows 2 to 4"),
        ('[[setting]]\nlearning_rate = "0.1"', r"learning_rate = '0.1' was given"),
        ('[[setting]]\noptimizer = "adamw"', r"optimizer = 'adamw' was given, but the space allows one of 'sgd'"),
        ('[[setting]]\noptimizer = "adam"\nrho = 0.95', r"'rho' plays no part with optimizer = 'adam'; leave it out"),
        ("learning_rate = 0.1", r"must hold tables headed \[\[setting\]\] and nothing else"),
        ("", r"must hold tables headed"),
        ("[[setting]", r"is not TOML"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize("space", [read_space("wide"), default_space("conv")], ids=["wide", "conv"])
def test_units_of_every_layer_are_refused_where_they_are_not_searched(tmp_path: Path, space: SearchSpace) -> None:
    path = tmp_path / "first.toml"
    path.write_text("[[setting]]\nunits = 64\n", encoding="utf-8")
    with pytest.raises(UserError, match="setting 1: 'units' is not searched"):
        read_first_settings(path, space)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--first: there is no file"):
        read_first_settings(tmp_path / "none.toml", default_space())


def test_a_mistake_ends_the_command_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("[[setting]]\ndropout = 0.7\n")
    assert train.main(["--first", "mine.toml", "--out", "run"]) == 2
    message = "--first: setting 1: dropout = 0.7 was given, but the space allows 0 to 0.5; widen it with --space."
    assert capsys.readouterr().err == f"error: {message}\n"
    assert not Path("run").exists()


@pytest.mark.parametrize(("trials", "starts"), [(16, (0, 12)), (30, (0, 15)), (12, (0,))])
def test_all_settings_of_ones_own_are_in_the_first_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trials: int, starts: tuple[int, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("".join(f"[[setting]]\nlearning_rate = {n / 1000}\n" for n in range(1, 13)))
    command = ["--first", "mine.toml", "--out", "run", "--trials", str(trials)]
    plan = starting.start(vars(train.build_parser().parse_args(command)), command).plan
    assert plan.starts == starts


def test_more_settings_than_trials_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("[[setting]]\nlearning_rate = 0.01\n" * 3)
    assert train.main(["--first", "mine.toml", "--trials", "2", "--out", "run"]) == 2
    message = "--first mine.toml holds 3 settings, but there are 2 trials; give --trials 3 or more."
    assert capsys.readouterr().err == f"error: {message}\n"
    assert not Path("run").exists()
