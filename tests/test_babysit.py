"""A babysat training through the real command line: changed, reverted, killed, started again, stopped, replayed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import pets
from tfcourse import babysit, predict, retest, train
from tfcourse.babysitting.checkpoints import Checkpoints
from tfcourse.babysitting.journal import NAME, Journal, read_journal
from tfcourse.babysitting.lineage import epochs_of, surviving
from tfcourse.babysitting.lock import is_held
from tfcourse.babysitting.training import open_training
from tfcourse.data.labels import to_numbers
from tfcourse.data.sources import load
from tfcourse.report import __main__ as report
from tfcourse.run import exported
from tfcourse.run.measure import log_loss

ROOT = Path(__file__).parents[1]
MOST_SECONDS = 120.0
pytestmark = pytest.mark.usefixtures("no_op_determinism_after_these_tests")


def command(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tfcourse.babysit", *words], cwd=ROOT, capture_output=True, text=True, **options
    )


def here(*words: str) -> int:
    """Run a command in this process, which has loaded TensorFlow already, and leave signals as they were."""
    before = signal.getsignal(signal.SIGHUP)
    try:
        return babysit.main(list(words))
    finally:
        signal.signal(signal.SIGHUP, before)


def until(holds: Any) -> None:
    """Wait until something holds; a machine that is busy may take long."""
    deadline = time.monotonic() + MOST_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def process_of(folder: Path) -> int:
    return int(json.loads((folder / "status.json").read_text())["process"])


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Return a training after five interventions, a revert, a kill and a restart, and what the commands said."""
    place = tmp_path_factory.mktemp("babysit")
    pets().to_csv(place / "pets.csv", index=False)
    folder = place / "nursery"
    said: dict[str, Any] = {"folder": folder, "data": place / "pets.csv"}
    start = ["start", "--data", str(place / "pets.csv"), "--target", "kind", "--out", str(folder)]
    settings = ["--set", "units=8,4", "learning_rate=0.02", "dropout=0.2", "batch_size=16"]
    try:
        said["start"] = command(*start, *settings, "--detach")
        os.kill(process_of(folder), signal.SIGHUP)  # the terminal that started it goes away
        until(lambda: len(epochs_of(read_journal(folder).events)) >= 3)
        said["status"] = command("status", str(folder))
        said["second"] = command(*start)
        said["rate"] = command("set", str(folder), "learning_rate=0.005", "--note", "flat since epoch 2")
        said["batch"] = command("set", str(folder), "batch_size=24", "beta_1=0.95")
        said["refused"] = command("set", str(folder), "dropout=0.1", "momentum=0.9")
        said["revert"] = command("revert", str(folder), "--to", "2", "--set", "dropout=0.1")
        said["pause"] = command("pause", str(folder))
        paused = read_journal(folder).events[-1]["step"]
        said["decay"] = command("set", str(folder), "weight_decay=0.001")
        said["paused"] = command("status", "--json", str(folder))
        said["paused at"] = (paused, read_journal(folder).events[-1]["step"])
        said["resume"] = command("resume", str(folder))
        seen = len(epochs_of(read_journal(folder).events))
        until(lambda: len(epochs_of(read_journal(folder).events)) >= seen + 2)
        os.kill(process_of(folder), signal.SIGKILL)
        until(lambda: not is_held(folder))
        said["journal when killed"] = (folder / NAME).read_bytes()
        with (folder / NAME).open("ab") as file:
            file.write(b'{"number": 99, "kind": "epo')  # the kill tore a line
        said["dead"] = command("status", str(folder))
        said["to the dead"] = command("set", str(folder), "dropout=0.3")
        said["again"] = command("start", "--out", str(folder), "--detach")
        said["last"] = command("set", str(folder), "learning_rate=0.002")
        said["stop"] = command("stop", str(folder), "--note", "good enough")
        yield said
    finally:
        if is_held(folder):
            until(lambda: (folder / "status.json").exists())
            os.kill(process_of(folder), signal.SIGKILL)


def test_every_command_was_answered(lived: dict[str, Any]) -> None:
    for name in ("start", "status", "rate", "batch", "revert", "pause", "decay", "resume", "again", "last", "stop"):
        assert lived[name].returncode == 0, lived[name].stderr
    assert 'learning_rate 0.02 → 0.005 ("flat since epoch 2")' in lived["rate"].stdout
    assert "batch_size 16 → 24, beta_1 0.9 → 0.95" in lived["batch"].stdout
    assert "epoch 2, step 10: back to here, from epoch" in lived["revert"].stdout
    assert "training, process" in lived["status"].stdout
    assert "· loss; o val_loss" in lived["status"].stdout
    assert json.loads(lived["paused"].stdout)["state"] == "paused"
    assert lived["paused at"][0] == lived["paused at"][1]
    assert lived["stop"].stdout.strip().endswith("model.keras.")


def test_what_cannot_be_done_was_refused_and_changed_nothing(lived: dict[str, Any]) -> None:
    for name in ("refused", "second", "to the dead"):
        assert lived[name].returncode == 2
        assert "Traceback" not in lived[name].stderr
    assert lived["refused"].stderr.startswith("error: set: momentum plays no part in this training.")
    assert "is being babysat already by process" in lived["second"].stderr
    assert "is not running, so nothing can be changed in it now. Go on with it:" in lived["to the dead"].stderr
    assert "not running; it ended without being stopped after" in lived["dead"].stdout
    changes = [event["new"] for event in read_journal(lived["folder"]).events if event["kind"] == "change"]
    assert [set(change) for change in changes] == [
        {"learning_rate"}, {"batch_size", "beta_1"}, {"dropout"}, {"weight_decay"}, {"learning_rate"},
    ]  # fmt: skip


def test_the_journal_is_whole_after_the_kill(lived: dict[str, Any]) -> None:
    journal = (lived["folder"] / NAME).read_bytes()
    assert journal.startswith(lived["journal when killed"])
    found = read_journal(lived["folder"])
    assert len(found.torn) == 1
    kinds = [event["kind"] for event in found.events]
    assert kinds.count("revert") == kinds.count("restart") == kinds.count("end") == 1
    assert [event["number"] for event in found.events] == list(range(len(found.events)))
    killed = json.loads(lived["journal when killed"].splitlines()[-1])
    restart = next(event for event in found.events if event["kind"] == "restart")
    assert killed["epoch"] - restart["epoch"] <= 1  # at most one checkpoint interval is lost


def test_the_replay_agrees_with_journal_curve_and_model(lived: dict[str, Any], tmp_path: Path) -> None:
    folder = lived["folder"]
    path = surviving(read_journal(folder).events)
    replayed = command("replay", str(folder))
    assert replayed.returncode == 0, replayed.stderr
    assert f"compared {len(epochs_of(path))} epochs" in replayed.stdout
    assert "The same to the last bit: curve, weights and optimizer." in replayed.stdout
    epochs = [epoch["epoch"] for epoch in epochs_of(path)]
    assert epochs == list(range(1, len(epochs) + 1))
    best = min(epochs_of(path), key=lambda epoch: epoch["logs"]["val_loss"])
    assert json.loads((folder / "result.json").read_text())["epoch"] == best["epoch"]
    assert best["number"] in Checkpoints(folder).numbers
    # model.keras, from raw columns, gives on the validation rows the loss that the journal has for that epoch.
    prepared = open_training(folder).prepared
    dataset = load(str(lived["data"]), target="kind")
    y = to_numbers(dataset.labels, prepared.classes, "--data")
    model = exported.load_exported(folder / "model.keras", prepared.features, len(prepared.classes))
    everything = exported.probabilities_of(model, exported.model_inputs(dataset.x, prepared.features))
    matrix = prepared.features.transform(dataset.x)  # type: ignore[arg-type]
    rows = [int(np.flatnonzero((matrix == row).all(axis=1))[0]) for row in prepared.validation.x]
    assert log_loss(everything[rows], y[rows]) == pytest.approx(best["logs"]["val_loss"], rel=1e-4)
    out = tmp_path / "labels.csv"
    assert predict.main([str(folder), "--data", str(lived["data"]), "--out", str(out)]) == 0
    assert len(out.read_text().splitlines()) == 121


def test_the_page_and_the_journal_tell_what_was_done(lived: dict[str, Any]) -> None:
    page = (lived["folder"] / "report.html").read_text()
    for text in ("flat since epoch 2", "batch_size 16 → 24", "good enough", "back to here, from epoch"):
        assert text in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    told = command("journal", str(lived["folder"]))
    assert "learning_rate 0.02 → 0.005" in told.stdout
    assert "learning_rate 0.02 → 0.002" in told.stdout
    assert "learning_rate 0.005 → 0.02" in told.stdout  # what the revert brought back
    assert "is torn and was left out" in told.stderr


def test_a_branch_goes_its_own_way_from_a_checkpoint(lived: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "branch"
    words = ["--to", "2", "--out", str(out), "--set", "learning_rate=0.1", "epochs=4"]
    assert here("branch", str(lived["folder"]), *words) == 0
    first = epochs_of(surviving(read_journal(out).events))
    assert [epoch["epoch"] for epoch in first] == [3, 4]
    start = read_journal(out).events[0]
    assert (start["branch_of"]["folder"], start["epoch"]) == (str(lived["folder"].resolve()), 2)
    assert here("replay", str(out)) == 0
    both = tmp_path / "both.html"
    assert babysit.main(["report", str(lived["folder"]), str(out), "--out", str(both)]) == 0
    assert "Side by side" in both.read_text()
    assert f"<td>{lived['folder'].name}, epoch 2</td>" in both.read_text()


NOTHING = "'nothing' holds no babysat training"
START = ["start", "--out", "x"]
MISTAKES = [
    ([], "the following arguments are required: COMMAND. See python -m tfcourse.babysit --help."),
    (["status", "nothing"], f"{NOTHING}. Start one: python -m tfcourse.babysit start --out nothing"),
    (["set", "nothing", "dropout=0.1"], f"{NOTHING}; start one there with --out nothing."),
    (["set", "nothing", "dropout=2"], "dropout = 2.0 was given; allowed are numbers from 0 below 1."),
    (["revert", "nothing", "--to", "-1d"], f"{NOTHING}; start one there with --out nothing."),
    (["replay", "nothing"], "There is no run folder 'nothing'; give the folder that a search wrote."),
    ([*START, "--set", "speed=9"], "--set: 'speed' cannot be set here."),
    ([*START, "--set", "units=0"], "--set: units=0 was given; allowed are whole numbers from 1 to 8192."),
    ([*START, "--set", "momentum=0.9"], "--set: momentum plays no part with optimizer=adam; it is for sgd."),
    ([*START, "--set", "batch_size=2000"], "--set: batch_size=2000 was given, but the training split has 1079 rows"),
    ([*START, "--set", "layers=3", "units=8,4"], "--set: layers=3 and 2 units were given; give as many of both."),
    ([*START, "--data", "none.csv"], "--data: there is no file 'none.csv'"),
    ([*START, "--from", "nothing"], "There is no run folder 'nothing'"),
    ([*START, "--on-alarm", "panic"], "argument --on-alarm: 'panic' was given; allowed are tell, pause, revert."),
]


@pytest.mark.parametrize(("argv", "message"), MISTAKES, ids=[" ".join(argv) for argv, _ in MISTAKES])
def test_mistakes_have_one_clear_message(
    argv: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert babysit.main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}")
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_another_commands_folder_is_told(
    lived: dict[str, Any], pets_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nursery = str(lived["folder"])
    for main, argv in (
        (train.main, ["--resume", nursery]),
        (retest.main, [nursery, "--data", str(lived["data"])]),
        (report.main, [nursery]),
    ):
        assert main(argv) == 2
        assert "holds a babysat training; this needs the folder of a search." in capsys.readouterr().err
    assert babysit.main(["replay", str(pets_run)]) == 2
    assert "holds a search; this needs the folder of a babysat training." in capsys.readouterr().err


def test_going_on_with_other_options_is_refused(lived: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    nursery = str(lived["folder"])
    assert babysit.main(["start", "--out", nursery, "--target", "colour"]) == 2
    assert "--target colour was given, but the training in" in capsys.readouterr().err
    assert babysit.main(["start", "--out", nursery, "--from", nursery]) == 2
    assert "--from was given, but the training in" in capsys.readouterr().err
    assert babysit.main(["start", "--out", nursery, "--set", "units=9"]) == 2
    assert "--set: 'units' cannot be set here." in capsys.readouterr().err


def test_it_begins_from_the_winner_of_a_search(
    pets_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "from"
    assert here("start", "--from", str(pets_run), "--out", str(out), "--set", "epochs=1") == 0
    said = capsys.readouterr().out
    best = json.loads((pets_run / "result.json").read_text())["best"]["hyperparameters"]
    start = json.loads((out / "run.json").read_text())["start"]
    assert start["batch_size"] == best["batch_size"]
    assert start["optimizer"]["learning_rate"] == best["learning_rate"]
    assert start["network"]["units"] == [best[f"units_{n}"] for n in range(1, best["layers"] + 1)]
    assert "model.keras holds epoch 1. On the test split:" in said


@pytest.mark.parametrize("how", [[], ["--detach"]])
def test_a_place_that_cannot_be_written_to_is_told(
    how: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert babysit.main(["start", "--out", str(tmp_path / "file" / "nursery"), *how]) == 2
    assert "nursery' cannot be made: Not a directory. Give another place to write to." in capsys.readouterr().err


def test_a_detached_start_that_fails_says_why(tmp_path: Path) -> None:
    failed = command("start", "--data", "none.csv", "--target", "x", "--out", str(tmp_path / "out"), "--detach")
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: The training did not begin. ")
    assert "none.csv" in failed.stderr
    assert not list(tmp_path.iterdir())
    (tmp_path / "out.log").write_text("of an earlier training\n")
    command("start", "--data", "none.csv", "--target", "x", "--out", str(tmp_path / "out"), "--detach")
    assert (tmp_path / "out.log").read_text().startswith("of an earlier training\n")


@pytest.mark.parametrize(
    "argv",
    [
        ["start", "--out", "own"],
        ["start", "--out", "own", "--detach"],
        ["replay", "own"],
        ["branch", "own", "--out", "x"],
    ],
)
def test_the_training_of_somebodys_own_model_goes_on_in_their_program_only(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own").mkdir()
    Journal(Path("own")).add("start", step=0, epoch=0)
    before = sorted(tmp_path.rglob("*"))
    assert babysit.main(argv) == 2
    assert "error: 'own' holds the training of a model of your own, begun with callbacks=[Babysitter(...)]" in (
        capsys.readouterr().err
    )
    assert sorted(tmp_path.rglob("*")) == before
