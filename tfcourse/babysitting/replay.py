"""Train a journal again from its start, and see whether the same curve and the same weights come out.

Only what led to the present weights is trained: epochs that were reverted, or lost in a kill, left no trace in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from tfcourse.babysitting.checkpoints import Checkpoints
from tfcourse.babysitting.journal import Event, read_journal
from tfcourse.babysitting.keeper import put_back
from tfcourse.babysitting.lineage import epochs_of, finite_logs, surviving
from tfcourse.babysitting.live import Live
from tfcourse.babysitting.minibatches import ENDLESS, Minibatches
from tfcourse.babysitting.state import in_names, largest_difference, snapshot
from tfcourse.babysitting.training import BabysatTraining, repeatable
from tfcourse.errors import UserError


@dataclass
class Replayed:
    """What a replay found.

    Args:
        steps: minibatches that were trained again.
        changes: changes that were made on the way.
        epochs: epochs whose numbers were compared, and those that differ.
        checkpoints: how many of the kept states were compared.
        difference: the largest difference of a weight or of the optimizer's memory at any of them.
    """

    steps: int = 0
    changes: int = 0
    epochs: int = 0
    differing: list[int] = field(default_factory=list)
    checkpoints: int = 0
    difference: float = 0.0

    @property
    def same(self) -> bool:
        """Whether every number is the same, to the last bit."""
        return self.difference == 0.0 and not self.differing


def replay(training: BabysatTraining, on_epoch: Callable[[int, int], None] = lambda done, total: None) -> Replayed:
    """Train the journal of ``training`` again and compare every epoch and every kept state with it.

    Args:
        training: whose journal.
        on_epoch: called after each epoch with its number and the last one's.

    Raises:
        UserError: if there is nothing to compare with.
    """
    repeatable()
    path = surviving(read_journal(training.folder.path).events)
    kept = Checkpoints(training.folder.path)
    while path and path[-1]["number"] not in kept.numbers:  # the last epochs may have no checkpoint to compare with
        path.pop()
    if len(path) < 2 or path[0]["number"] not in kept.numbers:
        raise UserError(f"The journal of {str(training.folder.path)!r} has nothing to replay yet.")
    model, minibatches = training.model(), training.minibatches()
    live = Live(model, minibatches, decay=training.start.optimizer.decay_rate, **training.start.limits)
    arrays, facts = kept.read(int(path[0]["number"]))
    put_back(model, live, arrays, facts)
    minibatches.epoch, minibatches.offset = int(facts["epoch"]), int(facts["offset"])
    walker = _Walker(path, kept, live, minibatches, int(facts["step"]), on_epoch)
    while walker.left:
        fit = training.fit_arguments()
        model.fit(minibatches.dataset, steps_per_epoch=ENDLESS, shuffle=False, callbacks=[walker], verbose=0, **fit)
    return walker.found


class _Walker(keras.callbacks.Callback):
    """Makes each change at its step and compares each kept state; ends at the last one."""

    def __init__(
        self,
        path: Sequence[Event],
        kept: Checkpoints,
        live: Live,
        minibatches: Minibatches,
        step: int,
        on_epoch: Callable[[int, int], None],
    ) -> None:
        super().__init__()
        self.left, self.kept, self.live, self.minibatches = list(path[1:]), kept, live, minibatches
        self.step, self.on_epoch, self.found = step, on_epoch, Replayed()
        self.last = max((int(event["epoch"]) for event in epochs_of(path)), default=0)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.live.rate.begin_epoch(self.minibatches.epoch)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        while self.left and self.left[0]["kind"] != "epoch" and self.left[0]["step"] == self.step:
            event = self.left.pop(0)
            if event["kind"] == "change":
                self.live.apply(event["values"], self.minibatches.epoch)
                self.found.changes += 1
            self._compare(event)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step += 1
        self.found.steps += 1
        self.minibatches.trained()
        self.model.stop_training = self.minibatches.epoch_is_over or self._at_the_end()

    def _at_the_end(self) -> bool:
        """Say whether all that is left lies in the middle of an epoch, at this very step."""
        return all(event["step"] == self.step and event["kind"] != "epoch" for event in self.left)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.minibatches.epoch_is_over:
            self.minibatches.begin_next_epoch()
            event = self.left.pop(0)
            self.found.epochs += 1
            if event["kind"] != "epoch" or finite_logs(logs or {}) != event["logs"]:
                self.found.differing.append(int(event["epoch"]))
            self._compare(event)
            self.on_epoch(self.minibatches.epoch, self.last)
        if self._at_the_end():
            self.on_train_batch_begin(0)

    def _compare(self, event: Event) -> None:
        if event["number"] not in self.kept.numbers:
            return
        ours, (theirs, _) = snapshot(self.model), self.kept.read(int(event["number"]))
        self.found.checkpoints += 1
        difference = largest_difference(ours, in_names(self.model, theirs))
        self.found.difference = max(self.found.difference, difference)
