"""A Keras callback that watches a training, keeps its whole state, and changes it when asked to."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from tfcourse.babysitting import commands as inbox
from tfcourse.babysitting.keeper import Keeper
from tfcourse.babysitting.lineage import finite_logs, losses_of
from tfcourse.babysitting.live import Live
from tfcourse.babysitting.lock import Heartbeat, Lock, caller_of
from tfcourse.babysitting.minibatches import ENDLESS, Minibatches, Steps
from tfcourse.babysitting.optimizers import check
from tfcourse.babysitting.orders import Orders
from tfcourse.babysitting.rules import NOT_FINITE, STOPPED, Alarm, AlarmRules, ended, of_disk, of_epoch, why_to_end
from tfcourse.babysitting.words import numbers_words
from tfcourse.files.writing import remove_leftovers


class Babysitter(keras.callbacks.Callback):
    """Watch one training: journal, checkpoints, alarms, and changes from outside while it runs.

    ``model.fit(..., callbacks=[Babysitter("nursery")])`` is enough; then, from another terminal,
    ``python -m tfcourse.babysit status nursery``, ``set nursery learning_rate=0.003``, and so on. Called again with
    the same folder, a training goes on from its last checkpoint, with the settings that the journal has; what goes on,
    and what Keras does not let go on, is told in the README of this folder.

    With no command given, ``fit`` trains to the last bit as it does without a babysitter, whatever callbacks stand
    beside it; only after a loss that is not finite it waits. A hyperparameter changes here only by a command, on an
    alarm where ``on_alarm`` says so, by ``learning_rate_decay``, and on the way back to a kept state; what callbacks
    such as ``ReduceLROnPlateau`` make of it is followed, told and kept.

    Args:
        folder: where journal, checkpoints and commands lie; it is made if absent.
        minibatches: what :meth:`train` trains on; their order is a part of the state, and their size can change.
        checkpoint_every: epochs between checkpoints, at least 1; the best epoch and each change have one in any case.
        checkpoint_seconds: seconds after which there is a checkpoint in the middle of an epoch.
        keep_bytes: what the checkpoints may take on the disk; see :mod:`tfcourse.babysitting.checkpoints`.
        patience: epochs without a better one after which training ends; None is never.
        epochs: epochs after which it ends; None is never.
        learning_rate_decay: d of α = α₀ / (1 + d · epoch), epoch counted from 0, of a rate that is constant in Keras.
        rules: when to raise an alarm.
        on_alarm: ``tell`` only, ``pause``, or ``revert`` to the best epoch and halve the learning rate. A loss that is
            not finite always pauses at least, since no further step can mend it.
        say: called with each line for the person who watches.
        interrupted: asked at each step whether to stop with a KeyboardInterrupt; the state is kept first.

    Raises:
        UserError: when training begins, if somebody else babysits the folder, it holds another model's training, the
            model has no weights yet, or Keras's backend is not TensorFlow.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        minibatches: Minibatches | None = None,
        checkpoint_every: int = 1,
        checkpoint_seconds: float = 600.0,
        keep_bytes: float = 2.0**30,
        patience: int | None = None,
        epochs: int | None = None,
        learning_rate_decay: float = 0.0,
        rules: AlarmRules | None = None,
        on_alarm: Literal["tell", "pause", "revert"] = "tell",
        say: Callable[[str], object] = print,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self.folder, self.minibatches = Path(folder), minibatches
        self.checkpoint_every, self.checkpoint_seconds = checkpoint_every, checkpoint_seconds
        self.keep_bytes = keep_bytes
        self.settings: dict[str, Any] = {"patience": patience, "epochs": epochs, "decay": learning_rate_decay}
        self.rules, self.on_alarm, self.say, self.interrupted = rules or AlarmRules(), on_alarm, say, interrupted
        self.finished = False
        self._lock: Lock | None = None
        self._sent_to: int | None = None
        self._rate: float | None = None

    # How a training begins and ends.

    def train(
        self,
        model: keras.Model,
        *,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        then: Callable[[], object] = lambda: None,
        **fit: Any,
    ) -> None:
        """Train ``model`` on the minibatches until it is stopped, each epoch a call of ``Model.fit``.

        Args:
            model: the compiled model.
            callbacks: further callbacks; they are told the epoch, but to them each epoch is a training of its own.
            then: called at the end, before the folder is let go.
            **fit: further arguments of ``fit``, such as ``validation_data``.
        """
        assert self.minibatches is not None
        try:
            if self._lock is None:
                self.open(model)
            assert self._lock is not None
            self._lock.trainer = inspect.currentframe()
            while not self.finished:
                epoch = {"initial_epoch": self.kept.epoch, "epochs": self.kept.epoch + 1}
                settings = {"steps_per_epoch": ENDLESS, "shuffle": False, "verbose": 0, **epoch, **fit}
                model.fit(self.minibatches.dataset, callbacks=[self, *callbacks], **settings)
            then()
        finally:
            self.close()

    def open(self, model: keras.Model, changes: Mapping[str, Any] | None = None, *, unfinished: bool = False) -> None:
        """Take the folder and begin, or go on from its last checkpoint.

        Args:
            model: the compiled model.
            changes: live hyperparameters to change first.
            unfinished: whether something is left to do after the last epoch, so that a training that has ended by its
                ``epochs`` or ``patience`` is opened as well; :meth:`train` then trains nothing.

        Raises:
            UserError: as for the class; also if it has ended by its ``epochs`` or ``patience`` and cannot go on.
        """
        self.set_model(model)
        inbox.make_private(self.folder)
        self._lock = Lock(self.folder)
        try:
            self._begin(model, changes or {}, unfinished)
        except BaseException:
            self._lock.release()
            self._lock = None
            raise

    def _begin(self, model: keras.Model, changes: Mapping[str, Any], unfinished: bool) -> None:
        check(model, self.minibatches is not None)
        inbox.make_folder(self.folder)
        remove_leftovers(self.folder)
        self.finished, self._disk_is_low, self._ahead = False, False, 0
        if self.minibatches is not None:
            model.test_on_batch(*self.minibatches.one)  # Keras makes the metrics' variables only now
            model.reset_metrics()
        self.live, self.steps = Live(model, self.minibatches, **self.settings), Steps(model)
        self.kept = Keeper(self.folder, model, self.live, self.minibatches, self.say, self.interrupted)
        self.orders = Orders(self.folder, self.kept, self.live, self.on_alarm, self.say)
        self.heartbeat, self._changes = Heartbeat(self.folder), {}
        if self.kept.path:
            last = self.kept.load_last(unfinished)
            if why := ended(self.kept, self.live.values(), changes, unfinished):
                self._end(why)
                return
            self.kept.go_on(last)
            self.orders.take_up(stop=unfinished and not changes)
        elif self.minibatches is not None:
            self.kept.note("start", checkpoint=True, values=self.live.values(), order_seed=self.minibatches.seed)
        if changes:
            self.live.check(changes, self.kept.epoch)
        self._changes = dict(changes)
        self._beat(0, now=True)

    def close(self) -> None:
        """Say where it is and let the folder go; nothing happens when that has been done."""
        if self._lock is not None:
            if not self.finished:
                self._beat(0, now=True)
            self._lock.release()
            self._lock = None

    # What Keras calls.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the folder, once; in somebody else's ``fit`` go on with the epoch that comes next."""
        if self._lock is not None and self._lock.trainer is not None and not self._lock.trains:
            self._lock.release()  # an earlier fit ended by an exception, as by Ctrl-C in a notebook
        if self._lock is None or not self._lock.held:
            self.open(self.model)
        if self.minibatches is None and self._lock is not None:
            self._lock.trainer = caller_of("on_train_begin")
            self.live.most_epochs, self._ahead = (self.params or {}).get("epochs"), 0
            if self.kept.path and self.kept.epoch:
                self.model._initial_epoch = self._sent_to = self.kept.epoch  # as Keras's own BackupAndRestore does

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the epoch's learning rate; in an epoch that was begun before, its running metrics too."""
        self.kept.in_epoch = True
        if self.minibatches is None:
            self._leave_fit_alone()
            self.kept.epoch, self.kept.steps_of_epoch = epoch - self._ahead, 0
            if not self.kept.path:  # here, where every callback has had its way with what training begins with
                self.kept.note("start", checkpoint=True, values=self.live.values(), order_seed=None)
        else:
            self.minibatches.begin_fit()
        self.live.rate.begin_epoch(self.kept.epoch)
        self.kept.restore_metrics()

    def _leave_fit_alone(self) -> None:
        # The next call of fit must not begin where Keras was sent to.
        if self._sent_to is not None and self.model._initial_epoch == self._sent_to:
            self.model._initial_epoch = None
        self._sent_to = None

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Do what was asked for since the last step; while paused, wait here."""
        waited = False
        if self._changes:  # here, where an epoch that was begun before has its running metrics again
            self.orders.set(None, self._changes, "when it was started")
            self._changes = {}
        while True:
            self.orders.obey_all()
            if self.interrupted():
                self.kept.note("checkpoint", checkpoint=True, why="interrupted")
                raise KeyboardInterrupt
            if not self.orders.paused:
                break
            self._beat(0, now=not waited)
            waited = True
            time.sleep(inbox.POLL_SECONDS)
        if waited:
            self.heartbeat.restart_clock()
            self._beat(0, now=True)
        if self.minibatches is not None:
            self.minibatches.check_not_ahead()
        self.steps.begin(batch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the step; look whether the loss is finite, and whether a checkpoint is due."""
        taken = rows = self.steps.end(batch, (self.params or {}).get("steps"))
        self.kept.step += taken
        self.kept.steps_of_epoch += taken
        self._rate = self.live.rate.at(self.kept.epoch)
        if self.minibatches is not None:
            rows = self.minibatches.size_of_next
            self.minibatches.trained()
            self.model.stop_training = self.minibatches.epoch_is_over  # ends the call of fit, not the training
        losses = losses_of(logs or {})
        self._beat(rows, losses.get("loss"))
        if broken := [name for name, value in losses.items() if value is None]:
            value = (logs or {})[broken[0]]
            self.orders.alarm(Alarm(NOT_FINITE, f"the {broken[0]} is {value} at step {self.kept.step}"))
        elif time.monotonic() - self.kept.written > self.checkpoint_seconds:
            self.kept.note("checkpoint", checkpoint=True, why="time")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch, call for help if it looks bad, and end the training if it is time."""
        self.kept.in_epoch = False
        rate = self.live.rate.now if self._rate is None else self._rate
        if self.minibatches is not None:
            self.minibatches.begin_next_epoch()
        self.kept.steps_of_epoch = 0
        self.kept.epoch += 1
        due = self.orders.stopping or self.kept.epoch % self.checkpoint_every == 0
        event = self.kept.note_epoch(finite_logs(logs or {}), checkpoint=due, learning_rate=rate)
        self.say(f"epoch {self.kept.epoch}: {numbers_words(event['logs'])}")
        self.orders.epoch_has_ended()
        for alarm in of_epoch(self.kept, self.rules):
            self.orders.alarm(alarm)
        self.kept.make_room(self.keep_bytes)
        low = of_disk(self.folder, self.kept.checkpoints.largest, self.rules)
        if low is not None and not self._disk_is_low:
            self.orders.alarm(low)
        self._disk_is_low = low is not None
        why = STOPPED if self.orders.stopping else why_to_end(self.kept, self.live.values())
        if why:
            self.model.stop_training = True
            self._end(why)
        self._ahead = epoch + 1 - self.kept.epoch  # a revert takes the training back, but not Keras's count

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Let the folder go when somebody else's ``fit`` ends."""
        if self.minibatches is None:
            self._leave_fit_alone()
            if self.kept.path and not self.finished:
                self.kept.note("end", why="fit has ended")
            self.close()

    def _end(self, why: str) -> None:
        """Note that the training has ended, once, and say so; what follows writes last of all that it is done."""
        self.finished = True
        if self.kept.journal.events[-1]["kind"] != "end":
            self.kept.note("end", why=why)
        self.say(f"Ended after epoch {self.kept.epoch}: {why}.")
        self._beat(0, now=True)

    def _beat(self, rows: int, loss: float | None = None, *, now: bool = False) -> None:
        self.heartbeat.beat(rows, lambda: self._facts(loss), now=now)

    def _facts(self, loss: float | None) -> dict[str, Any]:
        return {
            "state": "ended" if self.finished else "paused" if self.orders.paused else "training",
            **self.kept.where,
            "rows": None if self.minibatches is None else self.minibatches.rows,
            "loss": loss,
            "live": self.live.present(self.kept.epoch),
        }
