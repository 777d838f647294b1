"""What stands on the terminal: plain lines where it is none, names from the user's file as they are."""

from __future__ import annotations

import io
import math
import time
from typing import Any

import pytest
from rich.console import Console

from tfcourse.run.show import (
    SearchProgress,
    confusion_table,
    format_value,
    importance_order,
    make_console,
    measures_in_words,
    readable,
    show_data,
    show_result,
)

TEST = {
    "accuracy": 0.975,
    "accuracy_interval": [0.95, 0.9875],
    "log_loss": 0.12345,
    "macro_f1": 0.9,
    "confusion": [[8, 0], [1, 11]],
}
RESULT: dict[str, Any] = {
    "best": {
        "trial_id": "07",
        "epoch": 12,
        "hyperparameters": {"units_1": 64, "learning_rate": 0.0123456, "optimizer": "sgd", "momentum": 0.99},
        "validation": {"loss": 0.1, "accuracy": 0.98},
    },
    "baseline": {"validation": {"loss": 0.2, "accuracy": 0.9}, "test": {**TEST, "accuracy": 0.91}},
    "test": TEST,
    "trials": {"completed": 11, "diverged": 1, "failed": 0},
    "seconds": {"total": 95.2, "search": 80.0},
}


def plain(width: int = 100, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, force_terminal=terminal, soft_wrap=True)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"), (7300, "2 h 1 min")],
)
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    assert readable(seconds) == words


def test_how_the_data_was_read() -> None:
    console = plain()
    show_data(console, "[bold]x", {"train": 6, "test": 2}, ["size [cm]: number"], ["1 row repeats another one"])
    assert printed(console) == ("[bold]x: 6 train, 2 test rows\n  1 row repeats another one\n  size [cm]: number\n")


def test_the_result_in_words() -> None:
    console = plain()
    show_result(console, RESULT, ["no", "[yes]"])
    text = printed(console)
    rows = [line.replace("│", " ").split() for line in text.splitlines()]
    assert "Best setting: trial 07, epoch 12" in text
    hyperparameters = [row for row in rows if row and row[0] in RESULT["best"]["hyperparameters"]]
    assert hyperparameters == [
        ["learning_rate", "0.01235"],
        ["momentum", "0.99"],
        ["units_1", "64"],
        ["optimizer", "sgd"],
    ]
    assert ["test", "accuracy", "97.50%", "91.00%"] in rows
    assert ["its", "95", "%", "interval", "95.00%", "to", "98.75%", "95.00%", "to", "98.75%"] in rows
    assert ["no", "8", "·"] in rows
    assert ["[yes]", "1", "11"] in rows
    assert text.endswith("Trials: 11 completed, 1 diverged; 1 min 35 s in all.\n")


def test_many_classes_have_no_confusion_matrix_on_the_terminal() -> None:
    console = plain()
    show_result(console, RESULT, [str(number) for number in range(13)])
    assert "Confusion" not in printed(console)


def test_numbers_in_words() -> None:
    words = measures_in_words({"validation": {"loss": 0.1, "accuracy": 0.98}, "test": TEST})
    assert words == {
        "validation loss": "0.1000",
        "validation accuracy": "98.00%",
        "test accuracy": "97.50%",
        "its 95 % interval": "95.00% to 98.75%",
        "test log-loss": "0.1235",
        "test macro-F1": "0.9000",
    }


def test_a_confusion_table_keeps_brackets_in_names() -> None:
    console = plain()
    console.print(confusion_table([[1, 0], [0, 1]], ["[red]a", "b"]))
    assert printed(console).count("[red]a") == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.000123456, "0.0001235"), (64, "64"), ("[relu]", r"\[relu]"), (math.nan, "nan"), (True, "True")],
)
def test_values_as_people_write_them(value: object, text: str) -> None:
    assert format_value(value) == text


def test_the_course_ranks_the_learning_rate_first() -> None:
    names = ["units_2", "own", "batch_size", "learning_rate", "units_1", "momentum"]
    assert sorted(names, key=importance_order) == [
        "learning_rate", "momentum", "units_1", "units_2", "batch_size", "own",
    ]  # fmt: skip


def test_progress_in_plain_lines() -> None:
    console = plain()
    with SearchProgress(console, 3, 0, math.inf) as progress:
        for done in (1, 2, 3):
            progress.trials_done(done, "val_loss 0.1234")
    assert printed(console).splitlines()[-1] == "trials 3/3, 0 s left, best val_loss 0.1234"


def test_progress_on_a_terminal() -> None:
    console = plain(terminal=True)
    with SearchProgress(console, 3, 1, math.inf) as progress:
        progress.trials_done(2, "val_loss 0.1234")
        assert progress.bar is not None
        assert progress.bar.tasks[0].completed == 2
    assert "2/3" in printed(console)
    assert "best val_loss 0.1234" in printed(console)


def test_the_time_left_follows_the_pace_and_the_deadline() -> None:
    progress = SearchProgress(plain(), total=10, done=2, deadline=math.inf)
    progress.started = time.monotonic() - 3000.0
    progress.done = 5  # 3 trials in 3000 seconds, 5 to go
    assert progress.seconds_left() == pytest.approx(5000.0, rel=0.1)
    progress.deadline = time.monotonic() + 2000.0
    assert progress.seconds_left() == pytest.approx(2000.0, rel=0.1)
    progress.deadline = time.monotonic() - 1.0
    assert progress.seconds_left() == 0.0


def test_quiet_prints_nothing_and_json_leaves_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    make_console(quiet=True, stderr=False).print("nothing")
    assert capsys.readouterr() == ("", "")
    make_console(quiet=False, stderr=True).print("aside")
    assert capsys.readouterr() == ("", "aside\n")


def test_trials_under_way_count_towards_the_pace() -> None:
    progress = SearchProgress(plain(), total=10, done=0, deadline=math.inf)
    progress.started -= 100
    assert progress.seconds_left() == math.inf
    progress.trials_under_way(2.5)  # a quarter of the work in 100 s: 300 s are left
    assert progress.seconds_left() == pytest.approx(300.0, rel=0.1)
