"""A TOML file changes the default space; a mistake in it names the key, what was given and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcourse import train
from tfcourse.errors import UserError
from tfcourse.space import Parameter
from tfcourse.space.course import default_space
from tfcourse.space.known import KNOWN
from tfcourse.space.space_file import read_space

CHANGES = """
dropout = 0.0                      # a single value fixes the parameter
optimizer = ["adam", "sgd"]        # a list gives its choices
batch_size = [16, 64]

[learning_rate]                    # a table gives its range, and its scale if another than usual
low = 1e-3
high = 0.1

[momentum]
low = 0.5
high = 0.95
scale = "linear"

[units]
low = 8
high = 32
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "space.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_values_lists_and_tables(tmp_path: Path) -> None:
    space = read_space(write(tmp_path, CHANGES))
    assert space["dropout"] == Parameter("dropout", "choice", values=(0.0,))
    assert space["optimizer"].values == ("adam", "sgd")
    assert space["batch_size"].values == (16, 64)
    assert space["learning_rate"] == Parameter("learning_rate", "log", 1e-3, 0.1)
    assert (space["momentum"].scale, space["momentum"].low, space["momentum"].parent) == ("linear", 0.5, "optimizer")
    assert [(space[f"units_{layer}"].low, space[f"units_{layer}"].high) for layer in range(1, 5)] == [(8, 32)] * 4
    assert space["beta_1"] == default_space()["beta_1"]
    assert "rho" not in space.names, "no optimizer of this space has it"


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert read_space(write(tmp_path, "# nothing yet\n")) == default_space()


OPTIMIZERS = "'sgd', 'rmsprop', 'adam', 'adamw'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dropout = = 3", "--space: 'space.toml' is not TOML: Invalid value (at line 1, column 11)."),
        (
            "learning_rat = 0.1",
            "--space: 'learning_rat' is not a hyperparameter. Did you mean 'learning_rate'? Allowed are"
            f" {', '.join(KNOWN)}.",
        ),
        ('optimizer = ["adam", "sdg"]', f"--space: optimizer = 'sdg' was given; allowed are one of {OPTIMIZERS}."),
        (
            "[optimizer]\nlow = 1\nhigh = 2",
            f"--space: optimizer has no range; give a list of choices, each one of {OPTIMIZERS}.",
        ),
        ('units = "64"', "--space: units = '64' was given; allowed are whole numbers from 1 to 8192."),
        ("units = [[8]]", "--space: units = [8] was given; allowed are whole numbers from 1 to 8192."),
        ("layers = true", "--space: layers = True was given; allowed are whole numbers from 1 to 16."),
        ("layers = [2, 2]", "--space: layers: values must differ, but [2, 2] was given."),
        ("dropout = 1.0", "--space: dropout = 1.0 was given; allowed are numbers from 0 below 1."),
        ("dropout = nan", "--space: dropout = nan was given; allowed are numbers from 0 below 1."),
        ("learning_rate = 0", "--space: learning_rate = 0 was given; allowed are numbers above 0."),
        ("activation = []", "--space: activation: values must hold at least one choice, but it is empty."),
        (
            "[learning_rate]\nlow = 0.1\nhigh = 0.1",
            "--space: learning_rate: low < high must hold, but low = 0.1 and high = 0.1 were given. To fix a parameter"
            " give it a single value.",
        ),
        (
            'rho = 0.9\noptimizer = ["adam", "sgd"]',
            "--space: rho plays no part with optimizer = 'adam', 'sgd'; leave it out or add another.",
        ),
        (
            "[learning_rate]\nlow = 1\nhigh = 0.1",
            "--space: learning_rate: low < high must hold, but low = 1 and high = 0.1 were given. To fix a parameter"
            " give it a single value.",
        ),
        (
            "[learning_rate]\nlow = 1",
            "--space: learning_rate.high is missing; a range needs low and high.",
        ),
        (
            '[learning_rate]\nlow = 0.1\nhigh = 1\nscal = "log"',
            "--space: learning_rate.scal is not a setting. Did you mean 'scale'? Allowed are low, high, scale; a"
            " single value or a list of values needs no table.",
        ),
        (
            '[learning_rate]\nlow = 0.1\nhigh = 1\nscale = "lin"',
            "--space: learning_rate.scale = 'lin' was given; allowed are linear, log, one_minus_log. Did you mean"
            " 'linear'?",
        ),
        (
            '[learning_rate]\nlow = 0.1\nhigh = 1\nscale = "choice"',
            "--space: learning_rate.scale = 'choice' was given; allowed are linear, log, one_minus_log.",
        ),
        (
            '[units]\nlow = 1\nhigh = 9\nscale = "log"',
            "--space: units.scale = 'log' was given; allowed are integer.",
        ),
        (
            "[units]\nlow = 1.5\nhigh = 9",
            "--space: units.low = 1.5 was given; allowed are whole numbers from 1 to 8192.",
        ),
        (
            "[learning_rate_decay]\nlow = 0\nhigh = 1",
            "--space: learning_rate_decay: low > 0 must hold on a log scale, but low = 0 and high = 1 were given.",
        ),
        (
            "[momentum]\nlow = 0.5\nhigh = 1",
            "--space: momentum.high = 1 was given; allowed are numbers from 0 below 1.",
        ),
        (
            "[learning_rate]\nlow = 0.1\nhigh = inf",
            "--space: learning_rate.high = inf was given; allowed are numbers above 0.",
        ),
    ],
)
def test_a_mistake_names_the_key(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(write(tmp_path, text).parent)
    assert train.main(["--space", "space.toml", "--out", "run"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"error: {message}\n")
    assert not Path("run").exists()


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin.toml").write_bytes("# größe".encode("cp1252"))
    for name, message in [
        ("gone.toml", "--space: there is no file 'gone.toml'."),
        ("folder.toml", "--space: 'folder.toml' cannot be read: Is a directory."),
        ("latin.toml", "--space: 'latin.toml' is not UTF-8 (byte 4); save it as UTF-8."),
    ]:
        with pytest.raises(UserError) as caught:
            read_space(name)
        assert str(caught.value) == message
