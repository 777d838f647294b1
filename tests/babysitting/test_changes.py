"""Changes on a command line: what is understood, and what is refused with which words."""

from __future__ import annotations

import pytest

from tfcourse.babysitting.changes import check_values, parse_changes
from tfcourse.errors import UserError


def test_changes_are_read() -> None:
    words = ["learning_rate=3e-3", "momentum=0.95", "dropout=0", "batch_size=128", "patience=off", "epochs=40"]
    assert parse_changes(words) == {
        "learning_rate": 0.003, "momentum": 0.95, "dropout": 0.0, "batch_size": 128, "patience": None, "epochs": 40,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["learning_rate"], "set: 'learning_rate' was given; give NAME=VALUE, such as learning_rate=0.003."),
        (["learning_rate=0"], "learning_rate = 0.0 was given; allowed are numbers above 0."),
        (["learning_rate=fast"], "set: learning_rate=fast was given; allowed are numbers above 0."),
        (["learning_rate=nan"], "set: learning_rate=nan was given; allowed are numbers above 0."),
        (["learning_rate=inf"], "set: learning_rate=inf was given; allowed are numbers above 0."),
        (["learning_rate=off"], "set: learning_rate=off was given; allowed are numbers above 0."),
        (["momentum=1"], "momentum = 1.0 was given; allowed are numbers from 0 below 1."),
        (["dropout=1"], "dropout = 1.0 was given; allowed are numbers from 0 below 1."),
        (["batch_size=1.5"], "batch_size = 1.5 was given; allowed are whole numbers from 1."),
        (["patience=never"], "set: patience=never was given; allowed are whole numbers from 1 or off."),
        (["epochs=0"], "epochs = 0 was given; allowed are whole numbers from 1 or off."),
        (["dropout=0.1", "dropout=0.2"], "set: dropout was given twice; give it once."),
    ],
)
def test_mistakes_are_told(words: list[str], message: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_changes(words)
    assert str(raised.value) == message


def test_unknown_names_have_a_suggestion() -> None:
    with pytest.raises(UserError, match=r"'learning_rte' cannot be set here. Did you mean 'learning_rate'"):
        parse_changes(["learning_rte=1"])
    with pytest.raises(UserError, match="'units' cannot be changed while a model trains"):
        check_values({"units": 3})
    with pytest.raises(UserError, match="No change was given"):
        check_values({})
