"""What a babysitter promises: it changes nothing by itself, loses nothing, and goes back to exactly where it was."""

from __future__ import annotations

import errno
import itertools
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.babysitting.tiny import VALIDATION, Person, X, Y, asks, babysit, minibatches, network, rows_of
from tfcourse.babysitting import commands, keeper
from tfcourse.babysitting.babysitter import Babysitter
from tfcourse.babysitting.checkpoints import Checkpoints, path_of
from tfcourse.babysitting.journal import NAME, Journal, read_journal
from tfcourse.babysitting.lineage import epochs_of, surviving
from tfcourse.babysitting.lock import read_heartbeat
from tfcourse.babysitting.rules import AlarmRules
from tfcourse.babysitting.state import largest_difference, snapshot
from tfcourse.errors import UserError
from tfcourse.models.spec import OptimizerSpec


def kinds(folder: Path) -> list[str]:
    return [event["kind"] for event in read_journal(folder).events]


def same(model: keras.Model, other: keras.Model) -> None:
    assert largest_difference(snapshot(model), snapshot(other)) == 0.0


def test_it_trains_as_fit_does_to_the_last_bit(tmp_path: Path) -> None:
    babysat, *_ = babysit(tmp_path, 3)
    by_hand = network()
    losses = []
    for epoch in range(3):
        parts = [rows_of(epoch)[start : start + 8] for start in range(0, 40, 8)]
        losses.append(np.mean([by_hand.train_on_batch(X[rows], Y[rows], return_dict=True)["loss"] for rows in parts]))
    for ours, theirs in zip(babysat.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    epochs = epochs_of(surviving(read_journal(tmp_path).events))
    assert [epoch["logs"]["loss"] for epoch in epochs] == pytest.approx(losses, rel=1e-6)
    values = by_hand.evaluate(*VALIDATION, verbose=0, return_dict=True)
    assert epochs[-1]["logs"]["val_loss"] == pytest.approx(values["loss"], rel=1e-6)
    assert list(epochs[0]["logs"]) == ["loss", "accuracy", "val_loss", "val_accuracy"]


def test_going_back_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    undisturbed, *_ = babysit(tmp_path / "undisturbed", 4)
    folder = tmp_path / "reverted"
    acts = {
        13: asks(folder, "revert", to="1"),  # from the middle of epoch 3
        16: asks(folder, "revert", to="0"),
        25: asks(folder, "revert", to="best"),
    }
    reverted, sitter, _ = babysit(folder, 4, acts)
    same(undisturbed, reverted)
    assert sitter.kept.step == 20
    back = [event for event in read_journal(folder).events if event["kind"] == "revert"]
    assert [(event["step"], event["from_step"]) for event in back[:2]] == [(5, 13), (0, 8)]
    assert all(event["data_order"] for event in back)
    ours, theirs = (epochs_of(surviving(read_journal(f).events)) for f in (folder, tmp_path / "undisturbed"))
    assert [epoch["logs"] for epoch in ours] == [epoch["logs"] for epoch in theirs]


def test_going_back_into_the_middle_of_an_epoch_keeps_its_running_means(tmp_path: Path) -> None:
    folder, calm = tmp_path / "killed", tmp_path / "undisturbed"
    change = {"dropout": 0.4}
    undisturbed, *_ = babysit(calm, 2, {7: asks(calm, "set", values=change)})
    calls = iter(range(10**6))

    def interrupted() -> bool:
        return next(calls) == 9

    with pytest.raises(KeyboardInterrupt):
        babysit(folder, 2, {7: asks(folder, "set", values=change)}, interrupted=interrupted)
    assert read_journal(folder).events[-1]["kind"] == "checkpoint"
    assert read_journal(folder).events[-1]["offset"] == 32
    resumed, sitter, said = babysit(folder, 2)
    assert said[0] == "Going on from epoch 2, step 9."
    same(undisturbed, resumed)
    ours, theirs = (epochs_of(surviving(read_journal(f).events)) for f in (folder, calm))
    assert [epoch["logs"] for epoch in ours] == [epoch["logs"] for epoch in theirs]
    assert sitter.live.values()["dropout"] == 0.4


def test_a_damaged_last_checkpoint_costs_one_interval(tmp_path: Path) -> None:
    calls = iter(range(10**6))
    folder = tmp_path / "damaged"
    undisturbed, *_ = babysit(tmp_path / "undisturbed", 4)
    with pytest.raises(KeyboardInterrupt):
        babysit(folder, 4, interrupted=lambda: next(calls) == 10)
    damaged = sorted(Checkpoints(folder).numbers)[-2:]  # that of the interruption, and of epoch 2
    for number in damaged:
        path_of(folder, number).write_bytes(b"half of it")
    resumed, _, said = babysit(folder, 4)
    assert sum("is damaged" in line for line in said) == 2
    assert "Going on from epoch 1, step 5; 1 later epoch is trained again." in said
    same(undisturbed, resumed)


def test_checkpoints_in_time_and_every_few_epochs(tmp_path: Path) -> None:
    babysit(tmp_path / "time", 1, checkpoint_seconds=0.0)
    assert kinds(tmp_path / "time").count("checkpoint") == 5
    still = network(OptimizerSpec("sgd", learning_rate=1e-12))
    babysit(tmp_path / "few", 7, model=still, checkpoint_every=3)
    events = read_journal(tmp_path / "few").events
    epochs = [event["epoch"] for event in events if event["kind"] == "epoch" and event["checkpoint"]]
    assert {3, 6} <= set(epochs)
    assert len(epochs) < 7


def test_old_checkpoints_go_but_never_the_best_nor_one_that_is_named(tmp_path: Path) -> None:
    acts = {7: asks(tmp_path, "set", values={"learning_rate": 0.01}), 22: asks(tmp_path, "revert", to="best")}
    _, sitter, _ = babysit(tmp_path, 8, acts, keep_bytes=1.0)
    events = read_journal(tmp_path).events
    change = next(event for event in events if event["kind"] == "change")
    back = next(event for event in events if event["kind"] == "revert")
    assert sitter.kept.best is not None
    named = {0, change["number"], back["to"], sitter.kept.best["number"]}
    assert named <= Checkpoints(tmp_path).numbers
    assert len(Checkpoints(tmp_path).numbers) <= len(named) + 1  # and the last one


def diverging() -> keras.Model:
    return network(OptimizerSpec("sgd", learning_rate=3e38), units=())


def test_a_loss_that_is_not_finite_pauses_and_a_revert_mends_it(tmp_path: Path) -> None:
    folder = tmp_path
    acted: list[str] = []

    def say(line: str) -> None:
        acted.append(line)
        if line.startswith("Paused"):
            commands.send(folder, "revert", to="0", values={"learning_rate": 0.1}, note="too fast")
            commands.send(folder, "resume", note="")

    sitter = Babysitter(folder, minibatches=minibatches(), epochs=2, say=say)
    sitter.train(diverging(), validation_data=VALIDATION, shuffle=False)
    found = kinds(folder)
    assert found.index("alarm") < found.index("pause") < found.index("revert") < found.index("change")
    assert found.count("alarm") == 1
    alarm = next(event for event in read_journal(folder).events if event["kind"] == "alarm")
    assert alarm["what"] == "not finite"
    epochs = epochs_of(surviving(read_journal(folder).events))
    assert len(epochs) == 2
    assert all(math.isfinite(epoch["logs"]["loss"]) for epoch in epochs)


def test_on_alarm_revert_goes_back_with_half_the_rate_until_it_trains(tmp_path: Path) -> None:
    fast = network(OptimizerSpec("sgd", learning_rate=3e38), units=())
    _, sitter, said = babysit(tmp_path, 2, model=fast, on_alarm="revert")
    assert sitter.finished
    events = read_journal(tmp_path).events
    rates = [event["new"]["learning_rate"] for event in events if event["kind"] == "change"]
    assert rates == pytest.approx([3e38 / 2 ** (n + 1) for n in range(len(rates))])
    assert len(rates) >= 3
    assert sum(line.startswith("ALARM, not finite") for line in said) == kinds(tmp_path).count("alarm") == len(rates)
    # Weights of a best epoch that cannot be gone on from are left behind the second time.
    back = [event for event in events if event["kind"] == "revert"]
    for earlier, later in itertools.pairwise(back):
        between = [event["kind"] for event in events[earlier["number"] : later["number"]]]
        if earlier["to"] != 0 and "epoch" not in between:
            assert later["to"] == 0


def test_on_alarm_revert_leaves_a_schedule_of_keras_alone_and_pauses(tmp_path: Path) -> None:
    model = network(units=())
    schedule = keras.optimizers.schedules.ExponentialDecay(3e38, decay_steps=1, decay_rate=0.5)
    model.compile(keras.optimizers.SGD(schedule), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("Paused"):
            commands.send(tmp_path, "stop", note="seen")

    sitter = Babysitter(tmp_path, minibatches=minibatches(), epochs=2, on_alarm="revert", say=say)
    sitter.train(model, validation_data=VALIDATION)
    assert "alarm" in kinds(tmp_path)
    assert "pause" in kinds(tmp_path)
    assert "revert" not in kinds(tmp_path)
    assert model.optimizer._learning_rate is schedule


def test_on_alarm_pause_waits_for_somebody(tmp_path: Path) -> None:
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("Paused"):
            assert read_heartbeat(tmp_path)["state"] in ("training", "paused")
            commands.send(tmp_path, "stop", note="seen")

    rules = AlarmRules(stalled=2)
    still = network(OptimizerSpec("sgd", learning_rate=1e-12), units=())
    sitter = Babysitter(tmp_path, minibatches=minibatches(), on_alarm="pause", rules=rules, say=say)
    sitter.train(still, validation_data=VALIDATION, shuffle=False)
    assert [k for k in kinds(tmp_path) if k not in ("epoch", "start")] == ["alarm", "pause", "stop", "end"]


def test_a_second_babysitter_is_refused(tmp_path: Path) -> None:
    def another() -> None:
        with pytest.raises(UserError, match="is being babysat already by process"):
            Babysitter(tmp_path).open(network())

    babysit(tmp_path, 1, {2: another})


def test_another_models_folder_is_refused(tmp_path: Path) -> None:
    babysit(tmp_path, 1)
    for _ in range(2):  # the first refusal lets the folder go
        with pytest.raises(UserError, match="it is of another model"):
            babysit(tmp_path, 3, model=network(units=(7,)))


def test_commands_are_refused_with_their_reason_and_training_goes_on(tmp_path: Path) -> None:
    names: list[str] = []
    acts = {
        1: lambda: names.append(commands.send(tmp_path, "set", values={"rho": 0.5}, note="")),
        2: lambda: names.append(commands.send(tmp_path, "revert", to="7", note="")),
        3: lambda: names.append(commands.send(tmp_path, "resume", note="")),
        4: lambda: (tmp_path / commands.FOLDER / "1-1.json").write_text("{"),
        6: lambda: (tmp_path / commands.FOLDER / "1-2.json").write_text('{"kind": "explode"}'),
        7: lambda: names.append(commands.send(tmp_path, "set", wrong=1)),
    }
    undisturbed, *_ = babysit(tmp_path / "undisturbed", 2)
    disturbed, _, said = babysit(tmp_path, 2, acts)
    same(undisturbed, disturbed)
    refused = {e.get("command"): e["why"] for e in read_journal(tmp_path).events if e["kind"] == "refused"}
    assert refused[names[0]].startswith("rho plays no part in this training.")
    assert refused[names[1]].startswith("--to: epoch 7 was given, but there is no such epoch")
    assert refused[names[2]] == "The training is not paused."
    assert sum(line.startswith("Refused") for line in said) == 6
    assert list((tmp_path / commands.FOLDER).iterdir()) == []


def test_a_command_that_others_could_have_written_is_refused(tmp_path: Path) -> None:
    def write() -> None:
        path = tmp_path / commands.FOLDER / "1-1.json"
        path.write_text('{"kind": "stop"}')
        path.chmod(0o666)

    _, sitter, _ = babysit(tmp_path, 2, {1: write})
    assert sitter.kept.epoch == 2
    assert "is not written by this training's owner alone" in str(read_journal(tmp_path).events)
    assert (tmp_path / commands.FOLDER).stat().st_mode & 0o077 == 0


def test_a_command_is_done_once_also_when_the_answer_was_the_last_thing_before_a_kill(tmp_path: Path) -> None:
    kept: dict[str, bytes] = {}

    def ask() -> None:
        name = commands.send(tmp_path, "set", values={"dropout": 0.3}, note="")
        kept[name] = (tmp_path / commands.FOLDER / f"{name}.json").read_bytes()

    babysit(tmp_path, 1, {2: ask})
    for name, content in kept.items():
        (tmp_path / commands.FOLDER / f"{name}.json").write_bytes(content)
    sitter = Babysitter(tmp_path, epochs=3, say=lambda line: None)
    model = network()
    sitter.open(model, {"epochs": 3})
    sitter.on_train_batch_begin(0)
    sitter.close()
    assert [event["note"] for event in read_journal(tmp_path).events if event["kind"] == "change"] == [
        "", "when it was started",
    ]  # fmt: skip


def test_a_full_disk_is_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The journal's own descriptor is given no room twice, as a full disk does.
    write, left = Journal._write, [2]

    def sometimes(self: Journal, line: bytes) -> None:
        if left[0] and b'"epoch"' in line and b'"kind": "epoch"' in line:
            left[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, line)

    monkeypatch.setattr(Journal, "_write", sometimes)
    monkeypatch.setattr(keeper.time, "sleep", lambda seconds: None)
    _, sitter, said = babysit(tmp_path, 2)
    assert sitter.kept.epoch == 2
    assert sum("disk full: waiting for room" in line for line in said) == 1
    assert kinds(tmp_path) == ["start", "epoch", "epoch", "end"]
    assert (tmp_path / NAME).exists()


def test_a_start_with_changes_in_the_middle_of_an_epoch_keeps_its_running_means(tmp_path: Path) -> None:
    calm, folder = tmp_path / "calm", tmp_path / "killed"
    undisturbed, *_ = babysit(calm, 2, {9: asks(calm, "set", values={"dropout": 0.4})})
    calls = iter(range(10**6))
    with pytest.raises(KeyboardInterrupt):
        babysit(folder, 2, interrupted=lambda: next(calls) == 9)
    for steps in (0, 10**6):  # interrupted again at once, after the change that it was started with
        left = iter(range(steps, steps + 10**6))
        sitter = Babysitter(
            folder, minibatches=minibatches(), say=lambda line: None, interrupted=lambda left=left: next(left) == 0
        )
        model = network()
        sitter.open(model, {"dropout": 0.4} if steps == 0 else {})
        try:
            sitter.train(model, validation_data=VALIDATION)
        except KeyboardInterrupt:
            assert steps == 0
    same(undisturbed, model)
    ours, theirs = (epochs_of(surviving(read_journal(f).events)) for f in (folder, calm))
    assert [epoch["logs"] for epoch in ours] == [epoch["logs"] for epoch in theirs]


def test_a_revert_can_be_undone(tmp_path: Path) -> None:
    undisturbed, *_ = babysit(tmp_path / "calm", 4)
    folder = tmp_path / "undone"
    number: list[int] = []

    def undo() -> None:
        back = next(event for event in read_journal(folder).events if event["kind"] == "revert")
        number.append(back["last"])
        commands.send(folder, "revert", to=f"#{back['last']}", note="")

    _, sitter, said = babysit(folder, 4, {15: asks(folder, "revert", to="1"), 17: undo})
    assert f"--to '#{number[0]}' undoes it" in "".join(said)
    same(undisturbed, sitter.model)
    assert [epoch["epoch"] for epoch in epochs_of(surviving(read_journal(folder).events))] == [1, 2, 3, 4]


def test_a_revert_tells_which_settings_came_back(tmp_path: Path) -> None:
    acts = {6: asks(tmp_path, "set", values={"learning_rate": 0.05}), 8: asks(tmp_path, "revert", to="1")}
    _, _, said = babysit(tmp_path, 2, acts)
    assert any("back to here, from epoch 2, step 8, with learning_rate 0.05 → 0.001" in line for line in said)


def test_a_pause_outlives_a_kill(tmp_path: Path) -> None:
    calls = iter(range(10**6))
    with pytest.raises(KeyboardInterrupt):
        babysit(tmp_path, 2, {2: asks(tmp_path, "pause")}, interrupted=lambda: next(calls) == 4)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("It was paused and still is"):
            (tmp_path / commands.FOLDER / "1-1.json").write_text('{"kind": "resume"}')
            (tmp_path / commands.FOLDER / "1-1.json").chmod(0o600)

    sitter = Babysitter(tmp_path, minibatches=minibatches(), say=say)
    sitter.train(network(), validation_data=VALIDATION)
    assert kinds(tmp_path).count("resume") == 1
    assert sitter.kept.epoch == 2


def test_weights_that_are_not_finite_are_an_alarm_and_never_the_best(tmp_path: Path) -> None:
    model = network()

    def break_a_weight() -> None:
        kernel = model.get_layer("dense_1").kernel
        kernel.assign(np.full(kernel.shape, np.inf, dtype=np.float32))

    def say(line: str) -> None:
        if line.startswith("Paused"):
            commands.send(tmp_path, "stop", note="")

    sitter = Babysitter(tmp_path, minibatches=minibatches(), say=say)
    person = Person({10: break_a_weight})
    sitter.train(model, callbacks=[person], validation_data=VALIDATION)
    assert "not finite" in [event["what"] for event in read_journal(tmp_path).events if event["kind"] == "alarm"]
    assert sitter.kept.best is not None
    assert sitter.kept.best["epoch"] == 1


def test_checkpoints_without_a_journal_are_not_written_over(tmp_path: Path) -> None:
    babysit(tmp_path, 1)
    (tmp_path / NAME).write_bytes(b"")
    before = {path.name: path.read_bytes() for path in (tmp_path / "checkpoints").iterdir()}
    with pytest.raises(UserError, match="has checkpoints, but its journal is empty or gone"):
        babysit(tmp_path, 1)
    assert {path.name: path.read_bytes() for path in (tmp_path / "checkpoints").iterdir()} == before


def test_old_checkpoints_make_room_for_new_ones_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Checkpoints.write

    def small_disk(self: Checkpoints, *arguments: Any) -> None:
        if len(self.there) >= 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, *arguments)

    monkeypatch.setattr(Checkpoints, "write", small_disk)
    _, sitter, said = babysit(tmp_path, 6)
    assert not [line for line in said if "disk full" in line]
    best = sitter.kept.best
    assert best is not None
    assert {0, best["number"]} <= Checkpoints(tmp_path).numbers
    assert all(event["checkpoint"] for event in read_journal(tmp_path).events if event["kind"] == "epoch")


def test_an_ended_training_goes_on_only_with_a_higher_limit(tmp_path: Path) -> None:
    babysit(tmp_path, 1)
    before = kinds(tmp_path)
    with pytest.raises(
        UserError, match=r"This training has ended: 1 epoch was asked for\..*: open\(model, {'epochs': 2}\)"
    ):
        babysit(tmp_path, 5)
    assert kinds(tmp_path) == before
    fields: dict[str, Any] = read_heartbeat(tmp_path)
    assert fields["state"] in ("training", "ended")
