"""What a training keeps: where it is, its journal, its checkpoints, and the way back to each of them."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from tfcourse.babysitting.checkpoints import Checkpoints, DamagedCheckpointError
from tfcourse.babysitting.journal import Event, Journal
from tfcourse.babysitting.lineage import (
    BACK,
    STATES,
    best_epoch,
    better_but_lost,
    epochs_of,
    judged_by,
    named_by_interventions,
    objective_of,
    surviving,
)
from tfcourse.babysitting.live import Live
from tfcourse.babysitting.minibatches import Minibatches
from tfcourse.babysitting.state import (
    Arrays,
    finite,
    make_ready,
    restore_metrics,
    restore_optimizers,
    restore_weights,
    snapshot,
)
from tfcourse.babysitting.words import count_words, where_words
from tfcourse.errors import UserError

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


class Keeper:
    """The journal and the checkpoints of one training.

    Args:
        folder: where they lie.
        model: the compiled model.
        live: its live hyperparameters.
        minibatches: what it trains on, where their order is known.
        say: called with each line for the person who watches.
        interrupted: asked while waiting for room on the disk.

    Attributes:
        step: minibatches that led to the present weights.
        epoch: epochs that led to them, to their end.
        path: the states that led to them, as events of the journal.
        best: the one among them with the lowest loss.
        judged_by: the loss that epochs are compared by.
        steps_of_epoch: minibatches of the present epoch, counted where its rows are not known.
        in_epoch: whether Keras is in the middle of an epoch.
        finite: whether every weight was finite when last looked at.

    Raises:
        UserError: if there are checkpoints without a journal.
    """

    def __init__(
        self,
        folder: Path,
        model: keras.Model,
        live: Live,
        minibatches: Minibatches | None,
        say: Callable[[str], object],
        interrupted: Callable[[], bool],
    ) -> None:
        self.folder, self.model, self.live, self.minibatches = folder, model, live, minibatches
        self.say, self.interrupted = say, interrupted
        self.step = self.epoch = self.steps_of_epoch = 0
        self.in_epoch = False
        self.finite = True
        self.path: list[Event] = []
        self.best: Event | None = None
        self.judged_by = "loss"
        self.journal, self.checkpoints = Journal(folder), Checkpoints(folder)
        self._take_path(surviving(self.journal.events))
        self.named = named_by_interventions(self.journal.events)
        self.written = time.monotonic()
        self._metrics: dict[str, Any] = {}
        begun = self.checkpoints.numbers - {0}  # a kill may come between the first one and its line in the journal
        if not self.path and (begun or (self.journal.events and self.checkpoints.numbers)):
            raise UserError(
                f"{str(folder)!r} has checkpoints, but its journal is empty or gone: what they are is not known."
                " Restore journal.jsonl from a copy, or begin in a new folder."
            )
        if self.journal.torn:
            lines = ", ".join(map(str, self.journal.torn))
            say(f"{self.journal.path}: torn and left out: line {lines}; all others are whole.")

    @property
    def offset(self) -> int:
        """Rows of the present epoch that have been trained on; minibatches of it where rows are not known."""
        return self.steps_of_epoch if self.minibatches is None else self.minibatches.offset

    @property
    def where(self) -> dict[str, int]:
        """Where the training is, as every event of the journal tells it."""
        return {"step": self.step, "epoch": self.epoch, "offset": self.offset}

    def note(self, kind: str, *, checkpoint: bool = False, **fields: Any) -> Event:
        """Add an event to the journal, after the checkpoint of the state that it describes.

        Args:
            kind: what happened.
            checkpoint: whether the state is worth one.
            **fields: what else to tell.
        """
        told: dict[str, Any] = dict(self.where)
        if kind in STATES:
            told["checkpoint"] = checkpoint and self._write(self.journal.next_number)
            if checkpoint and self.finite and not told["checkpoint"]:
                told["disk_full"] = True
        event = self._patiently(lambda: self.journal.add(kind, **{**told, **fields}))
        if kind in STATES:
            self.path.append(event)
        elif kind in BACK:
            self._take_path(surviving(self.journal.events))
        self.named |= named_by_interventions([event])
        return event

    def note_epoch(self, logs: dict[str, float | None], *, checkpoint: bool, **fields: Any) -> Event:
        """Add an epoch that has ended; the best one has a checkpoint in any case."""
        told = {"logs": logs}
        if "val_loss" in logs and self.judged_by != "val_loss":  # from now on only validated epochs are compared
            self.judged_by, self.best = "val_loss", None
        lowest = float("inf") if self.best is None else objective_of(self.best)
        best = judged_by(told) == self.judged_by and objective_of(told) < lowest
        event = self.note("epoch", checkpoint=checkpoint or best, logs=logs, **fields)
        if best and event["checkpoint"]:
            self.best = event
        return event

    def epochs_since_best(self) -> list[Event]:
        """Return the epochs since the best one; all where none is the best."""
        found: list[Event] = []
        for event in reversed(self.path):
            if event is self.best:
                break
            found += epochs_of([event])
        return found[::-1]

    def judged_since_best(self) -> list[Event]:
        """Return those of them that can be compared with it."""
        return [epoch for epoch in self.epochs_since_best() if judged_by(epoch) == self.judged_by]

    def _take_path(self, path: list[Event]) -> None:
        """Take the states that led to the present one, and find the best among them."""
        self.path, self.best = path, best_epoch(path)
        validated = any(judged_by(epoch) == "val_loss" for epoch in epochs_of(path))
        self.judged_by = "val_loss" if validated else "loss"

    def _write(self, number: int) -> bool:
        self.written = time.monotonic()
        arrays = snapshot(self.model)
        self.finite = finite(arrays)
        if not self.finite:
            return False
        facts = {**self.where, "live": self.live.values()}
        while True:
            try:
                self.checkpoints.write(number, arrays, facts)
            except OSError as error:
                if error.errno not in DISK_IS_FULL:
                    raise
                if not self.checkpoints.give_one_up(self.protected):
                    self.say(f"ALARM, disk full: no checkpoint at step {self.step}; training goes on.")
                    return False
            else:
                return True

    def load(self, state: Event) -> None:
        """Put a kept state into the model, its optimizer, its random numbers and the order of its data.

        Raises:
            UserError: if its checkpoint cannot be read, or is of another model.
        """
        arrays, facts = self.checkpoints.read(int(state["number"]))
        put_back(self.model, self.live, arrays, facts)
        self.step, self.epoch = int(facts["step"]), int(facts["epoch"])
        if self.minibatches is None:
            self.steps_of_epoch = int(facts["offset"])
            return
        self.minibatches.epoch, self.minibatches.offset = self.epoch, int(facts["offset"])
        self.model.stop_training = False
        self._metrics = {name: value for name, value in arrays.items() if facts["offset"]}
        if self.in_epoch:
            self.model.reset_metrics()
            self.restore_metrics()

    def restore_metrics(self) -> None:
        """Let the running means of an epoch that was begun before go on, once."""
        if self._metrics:
            restore_metrics(self.model, self._metrics)
        self._metrics = {}

    @property
    def is_to_train_again(self) -> bool:
        """Whether it has ended, and a full disk did not let its best epoch be kept."""
        return self.journal.events[-1]["kind"] == "end" and better_but_lost(self.path) is not None

    def load_last(self, unfinished: bool = False) -> Event:
        """Load the last state whose checkpoint can be read, and return it.

        Args:
            unfinished: whether something is left to do after the last epoch; if its best epoch is to be trained again,
                the state is one before that.

        Raises:
            UserError: if none can, or they are of another model.
        """
        lost = better_but_lost(self.path) if unfinished and self.is_to_train_again else None
        usable = [each for each in self.path if each["number"] in self.checkpoints.numbers]
        for event in reversed(usable if lost is None else [e for e in usable if e["number"] < lost["number"]]):
            try:
                self.load(event)
            except DamagedCheckpointError as error:
                self.say(f"{error} Going back one checkpoint further.")
                continue
            return event
        raise UserError(f"No checkpoint in {str(self.folder)!r} can be read. Start again in another folder.")

    def go_on(self, last: Event) -> None:
        """Note that training goes on from the state that :meth:`load_last` gave."""
        lost = [each for each in epochs_of(self.path) if each["number"] > last["number"]]
        event = self.note("restart", to=last["number"])
        verb = "is" if len(lost) == 1 else "are"
        again = f"; {count_words(len(lost), 'later epoch')} {verb} trained again" if lost else ""
        self.say(f"Going on from {where_words(event)}{again}.")

    def make_room(self, most_bytes: float) -> None:
        """Remove checkpoints that may go, never the best, the last, nor one that the journal names."""
        self.checkpoints.thin(self.protected, most_bytes)

    @property
    def protected(self) -> set[int]:
        """The numbers of the states that must stay: the best, the last that was kept, and those the journal names."""
        last = next((event for event in reversed(self.path) if event["number"] in self.checkpoints.numbers), None)
        return self.named | {int(event["number"]) for event in (self.best, last) if event is not None}

    def _patiently(self, write: Callable[[], Event]) -> Event:
        """Write to the journal; with a full disk wait until there is room, since a training must not die of that."""
        told = False
        while True:
            try:
                return write()
            except OSError as error:
                if error.errno not in DISK_IS_FULL or self.interrupted():
                    raise
                if not told:
                    self.say(f"ALARM, disk full: waiting for room in {self.folder}.")
                told = True
                time.sleep(1.0)


def put_back(model: keras.Model, live: Live, arrays: Arrays, facts: dict[str, Any]) -> None:
    """Put a kept state into a model, its optimizers and its live hyperparameters.

    Raises:
        UserError: if it is of another model; nothing has changed then.
    """
    make_ready(model, arrays)
    live.restore(facts["live"], facts["epoch"])  # first, since a momentum needs a place to be put back to
    restore_weights(model, arrays)
    restore_optimizers(model, arrays)
    live.restore(facts["live"], facts["epoch"])  # the α that was kept is of the step before
