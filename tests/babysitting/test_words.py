"""What a babysitter says in its log, its journal and its status is the same, true, and can be acted on."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import keras
import pytest

from tests.babysitting.tiny import VALIDATION, Person, X, Y, asks, babysit, minibatches, network
from tests.conftest import pets
from tfcourse import babysit as command
from tfcourse.babysitting.babysitter import Babysitter
from tfcourse.babysitting.checkpoints import Checkpoints
from tfcourse.babysitting.journal import Journal, read_journal
from tfcourse.babysitting.lock import Heartbeat
from tfcourse.babysitting.show import changed_after, curves, status_lines, status_of
from tfcourse.babysitting.words import event_words
from tfcourse.errors import UserError
from tfcourse.models.spec import OptimizerSpec


def told(folder: Path, *kinds: str) -> list[str]:
    """Return what the journal says of events, without the time."""
    return [event_words(event)[21:] for event in read_journal(folder).events if event["kind"] in kinds]


def test_an_ended_training_names_the_command_that_goes_on_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pets().to_csv(tmp_path / "pets.csv", index=False)
    folder = tmp_path / "my nursery"
    again = ["start", "--out", str(folder)]
    advice = f"python -m tfcourse.babysit {shlex.join(again)}"
    data = ["--data", str(tmp_path / "pets.csv"), "--target", "kind"]
    assert command.main([*again, *data, "--set", "units=4", "epochs=1"]) == 0
    capsys.readouterr()
    assert command.main(["set", str(folder), "epochs=3", "patience=off"]) == 2
    assert capsys.readouterr().err.strip().endswith(f"Go on with it: {advice} --set epochs=3 patience=off")
    assert command.main(["pause", str(folder)]) == 2
    assert capsys.readouterr().err.strip().endswith(f"Go on with it: {advice}")
    assert command.main([*again, "--set", "learning_rate=0.00123456"]) == 2
    error = capsys.readouterr().err.strip()
    why = "error: This training has ended: 1 epoch was asked for. To go on, set that higher or off:"
    assert error == f"{why} {advice} --set learning_rate=0.00123456 epochs=2"
    assert command.main(shlex.split(error.partition(" -m tfcourse.babysit ")[2])) == 0
    said = capsys.readouterr().out
    assert "Ended after epoch 2: 2 epochs were asked for." in said
    assert "On the test split (looked at for the 2nd time):" in said


def test_every_limit_that_is_reached_is_in_the_advice(tmp_path: Path) -> None:
    still = network(OptimizerSpec("sgd", learning_rate=1e-12))
    _, sitter, _ = babysit(tmp_path, 2, model=still, patience=1)
    best = sitter.kept.best
    assert best is not None
    assert (sitter.kept.epoch, best["epoch"]) == (2, 1)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(UserError, match=f"--out {re.escape(str(tmp_path))} --set epochs=4 patience=2$"):
        Babysitter(tmp_path, say=print).open(still)
    with pytest.raises(UserError, match=r"ended: no better epoch than 1 for 1 epoch\. .* --set epochs=9 patience=2$"):
        Babysitter(tmp_path, say=print).open(still, {"epochs": 9})


def test_the_program_of_a_model_of_ones_own_is_told_how_to_go_on(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fit: dict[str, Any] = {"x": X, "y": Y, "batch_size": 8, "verbose": 0}
    model.fit(**fit, epochs=5, callbacks=[Babysitter(tmp_path, epochs=1, say=print)])
    again = Babysitter(tmp_path, say=print)
    with pytest.raises(UserError, match=re.escape("open(model, {'epochs': 2}) of the Babysitter, before it trains")):
        model.fit(**fit, epochs=5, callbacks=[again])
    again.open(model, {"epochs": 2})
    model.fit(**fit, epochs=5, callbacks=[again])
    assert again.kept.epoch == 2


@pytest.fixture
def branched(tmp_path: Path) -> Path:
    """Return a training branched at epoch 38, changed after 39 and 41, and now at epoch 42."""
    journal = Journal(tmp_path)
    journal.add("start", step=380, epoch=38, offset=0, checkpoint=True)
    for epoch in range(39, 43):
        journal.add("epoch", step=10 * epoch, epoch=epoch, logs={"loss": 1.0 / epoch})
        if epoch % 2 and epoch < 42:
            values = {"dropout": 0.1}
            journal.add("change", step=10 * epoch, epoch=epoch, old=values, new=values, values=values)
    Heartbeat(tmp_path).beat(0, lambda: {"step": 420, "epoch": 42}, now=True)
    return tmp_path


def test_the_curve_of_a_branch_says_which_epochs_it_shows(branched: Path) -> None:
    status = status_of(branched)
    lines = status_lines(status)
    assert "42 epochs and step 420 done" in lines[0]
    axis = next(number for number, line in enumerate(lines) if "└" in line)
    assert lines[axis + 2] == f"{' ' * 13}epochs 39 to 42; · loss; ^ changed"
    # Four columns an epoch: the changes stand below the first and the third epoch that is drawn.
    assert lines[axis + 1] == f"{' ' * 13}^       ^       "
    assert changed_after(status.path) == [39, 41]


def test_the_curve_of_a_whole_training_begins_at_epoch_1() -> None:
    assert curves({"loss": [3.0, 2.0]})[-1] == f"{' ' * 13}epochs 1 to 2; · loss"


def test_the_journal_prints_the_numbers_that_a_revert_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acts = {
        7: asks(tmp_path, "set", values={"dropout": 0.4}),
        8: asks(tmp_path, "set", values={"dropout": 0.3}),
        9: asks(tmp_path, "revert", to="#2"),
    }
    babysit(tmp_path, 3, acts)
    events = read_journal(tmp_path).events
    width = len(f"#{events[-1]['number']}")
    assert command.main(["journal", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    numbers = {line[:width].strip(): line[width + 22 :] for line in lines}
    assert numbers["#2"] == "epoch 2, step 7: dropout 0.2 → 0.4"
    assert numbers["#3"] == "epoch 2, step 8: dropout 0.4 → 0.3"
    back = next(event for event in events if event["kind"] == "revert")
    assert back["to"] == 2
    # What is no state that was kept cannot be gone back to, so it has no number.
    assert sorted(numbers) == ["", "#2", "#3"]
    assert {int(number[1:]) for number in numbers if number} <= Checkpoints(tmp_path).numbers


def test_log_and_journal_give_the_epoch_of_the_last_step(tmp_path: Path) -> None:
    acts = {
        5: asks(tmp_path, "set", values={"dropout": 0.5}),  # the last step of epoch 1
        7: asks(tmp_path, "set", values={"dropout": 0.4}),
        8: asks(tmp_path, "pause"),
        13: asks(tmp_path, "revert", to="1"),
    }
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("Paused"):
            asks(tmp_path, "resume")()

    sitter = Babysitter(tmp_path, minibatches=minibatches(), epochs=3, say=say)
    sitter.train(network(), callbacks=[Person(acts)], validation_data=VALIDATION)
    changes = ["epoch 1, step 5: dropout 0.2 → 0.5", "epoch 2, step 7: dropout 0.5 → 0.4"]
    assert told(tmp_path, "change") == changes
    assert [line for line in said if "dropout" in line and "back" not in line] == [
        f"E{change[1:]}." for change in changes
    ]
    assert told(tmp_path, "pause") == ["epoch 2, step 8: paused"]
    assert "Paused at epoch 2, step 8." in said
    back = told(tmp_path, "revert")
    assert back[0].startswith("epoch 1, step 5: back to here, from epoch 3, step 13, with dropout 0.4 → 0.2")
    assert f"E{back[0][1:]}." in said
    assert told(tmp_path, "end") == ["epoch 3, step 15: ended: 3 epochs were asked for"]


def test_the_epoch_of_somebody_elses_fit_is_counted_too(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    acts = {
        5: asks(tmp_path, "set", values={"learning_rate": 0.5}),
        7: asks(tmp_path, "set", values={"learning_rate": 0.25}),
        8: asks(tmp_path, "revert", to="1"),
    }
    said: list[str] = []
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[Babysitter(tmp_path, say=said.append), Person(acts)])
    assert told(tmp_path, "change") == [
        "epoch 1, step 5: learning_rate 0.01 → 0.5", "epoch 2, step 7: learning_rate 0.5 → 0.25",
    ]  # fmt: skip
    assert "Epoch 2, step 7: learning_rate 0.5 → 0.25." in said
    assert told(tmp_path, "revert")[0].startswith("epoch 1, step 5: back to here, from epoch 2, step 8,")


def test_the_readme_says_that_a_branch_trains_in_the_foreground() -> None:
    readme = (Path(__file__).parents[2] / "tfcourse" / "babysitting" / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if line.startswith("| `branch DIR"))
    assert "in the foreground; `--detach` leaves the terminal free" in row
