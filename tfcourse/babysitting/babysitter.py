"""A Keras callback that watches a training, keeps its whole state, and changes it when asked to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from tfcourse.babysitting import commands as inbox
from tfcourse.babysitting.alarms import NOT_FINITE, Alarm, AlarmRules, of_disk, of_loss
from tfcourse.babysitting.heartbeat import Heartbeat
from tfcourse.babysitting.keeper import Keeper
from tfcourse.babysitting.lineage import finite_logs
from tfcourse.babysitting.live import Live
from tfcourse.babysitting.lock import Lock
from tfcourse.babysitting.minibatches import ENDLESS, Minibatches
from tfcourse.babysitting.orders import Orders
from tfcourse.babysitting.words import count_words, numbers_words, start_words
from tfcourse.errors import UserError


class Babysitter(keras.callbacks.Callback):
    """Watch one training: journal, checkpoints, alarms, and changes from outside while it runs.

    ``model.fit(..., callbacks=[Babysitter("nursery")])`` is enough; then, from another terminal,
    ``python -m tfcourse.babysit status nursery``, ``set nursery learning_rate=0.003``, and so on. Called again with
    the same folder, a training goes on from its last checkpoint, with the settings that the journal has. With
    ``minibatches`` the order of the data is a part of the state and the minibatch size can change; such a training
    is run by :meth:`train`.

    Args:
        folder: where journal, checkpoints and commands lie; it is made if absent.
        minibatches: what :meth:`train` trains on.
        checkpoint_every: epochs between checkpoints, at least 1; the best epoch and each change have one in any case.
        checkpoint_seconds: seconds after which there is a checkpoint in the middle of an epoch.
        keep_bytes: what the checkpoints may take on the disk; see :mod:`tfcourse.babysitting.thinning`.
        patience: epochs without a better one after which training ends; None is never.
        epochs: epochs after which it ends; None is never.
        learning_rate_decay: d of α = α₀ / (1 + d · epoch), epoch counted from 0, of a rate that is constant in Keras.
        rules: when to raise an alarm.
        on_alarm: ``tell`` only, ``pause``, or ``revert`` to the best epoch and halve the learning rate. A loss that is
            not finite always pauses at least, since no further step can mend it.
        say: called with each line for the person who watches.
        interrupted: asked at each step whether to stop with a KeyboardInterrupt; the state is kept first.

    Raises:
        UserError: when training begins, if another process babysits the folder, or it holds another model's training.
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
        self._disk_is_low = False

    # How a training begins and ends.

    def train(self, model: keras.Model, *, callbacks: Sequence[keras.callbacks.Callback] = (), **fit: Any) -> None:
        """Train ``model`` on the minibatches until it is stopped, each epoch a call of ``Model.fit``.

        Args:
            model: the compiled model.
            callbacks: further callbacks.
            **fit: further arguments of ``fit``, such as ``validation_data``.

        Raises:
            UserError: as for the class.
        """
        assert self.minibatches is not None
        try:
            if self._lock is None:
                self.open(model)
            while not self.finished:
                settings = {"steps_per_epoch": ENDLESS, "shuffle": False, "verbose": 0, **fit}
                model.fit(self.minibatches.dataset, callbacks=[self, *callbacks], **settings)
        finally:
            self.close()

    def open(self, model: keras.Model, changes: Mapping[str, Any] | None = None) -> None:
        """Take the folder and begin, or go on from its last checkpoint.

        Args:
            model: the compiled model.
            changes: live hyperparameters to change first.

        Raises:
            UserError: as for the class; also if it has ended by its ``epochs`` or ``patience`` and cannot go on.
        """
        self.set_model(model)
        inbox.make_private(self.folder)
        self._lock = Lock(self.folder)
        try:
            self._begin(model, changes or {})
        except BaseException:
            self._lock.release()
            self._lock = None
            raise

    def _begin(self, model: keras.Model, changes: Mapping[str, Any]) -> None:
        inbox.make_folder(self.folder)
        most_epochs = None if self.minibatches is not None else (self.params or {}).get("epochs")
        model.optimizer.build(model.trainable_variables)
        if self.minibatches is not None:
            model.test_on_batch(*self.minibatches.one)  # Keras makes the metrics' variables only now
            model.reset_metrics()
        self.live = Live(model, self.minibatches, **self.settings, most_epochs=most_epochs)
        self.kept = Keeper(self.folder, model, self.live, self.minibatches, self.say, self.interrupted)
        self.orders = Orders(self.folder, self.kept, self.live, self.on_alarm, self.say)
        self.heartbeat = Heartbeat(self.folder)
        if not self.kept.path and self.kept.checkpoints.numbers:
            raise UserError(
                f"{str(self.folder)!r} has checkpoints, but its journal is empty or gone: what they are is not known."
                " Restore journal.jsonl from a copy, or begin in a new folder."
            )
        if self.kept.path:
            last = self.kept.load_last()
            limits = {**self.live.values(), **changes}
            if why := self._why_to_end(limits):
                higher = {**changes, **{name: 2 * spent for name, spent in self._spent(limits).items()}}
                raise UserError(
                    f"This training has ended: {why}. To go on, set that higher or off: {self._how(higher)}"
                )
            self.kept.go_on(last)
        else:
            order = None if self.minibatches is None else self.minibatches.seed
            self.kept.note("start", checkpoint=True, values=self.live.values(), order_seed=order)
        if changes:
            self.live.check(changes, self.kept.epoch)
        self._changes = dict(changes)
        if self.orders.paused:
            self.say(f"It was paused and still is; go on with: python -m tfcourse.babysit resume {self.folder}")
        self._beat(0, now=True)

    def close(self) -> None:
        """Say where it is and let the folder go; nothing happens when that has been done."""
        if self._lock is not None:
            self._beat(0, now=True)
            self._lock.release()
            self._lock = None

    # What Keras calls.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the folder, once."""
        if self._lock is None:
            self.open(self.model)
            if self.kept.epoch:
                self.model._initial_epoch = self.kept.epoch  # as Keras's own BackupAndRestore does

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the epoch's learning rate; in an epoch that was begun before, its running metrics too."""
        self.kept.in_epoch = True
        if self.minibatches is None:
            self.model._initial_epoch = None  # the next call of fit must not begin there
        else:
            self.minibatches.begin_fit()
        self.live.set_rate(self.kept.epoch)
        self.kept.restore_metrics()

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

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the step; look whether the loss is finite, and whether a checkpoint is due."""
        self.kept.step += 1
        self.kept.steps_of_epoch += 1
        rows = 1
        if self.minibatches is not None:
            rows = self.minibatches.size_of_next
            self.minibatches.trained()
            self.model.stop_training = self.minibatches.epoch_is_over  # ends the call of fit, not the training
        loss = float((logs or {}).get("loss", 0.0))
        self._beat(rows, loss)
        if not math.isfinite(loss):
            self.orders.alarm(Alarm(NOT_FINITE, f"the loss is {loss} at step {self.kept.step}"))
        elif time.monotonic() - self.kept.written > self.checkpoint_seconds:
            self.kept.note("checkpoint", checkpoint=True, why="time")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch, call for help if it looks bad, and end the training if it is time."""
        self.kept.in_epoch = False
        rate = self.live.rate_at(self.kept.epoch)
        if self.minibatches is not None:
            self.minibatches.begin_next_epoch()
        self.kept.steps_of_epoch = 0
        self.kept.epoch += 1
        due = self.orders.stopping or self.kept.epoch % self.checkpoint_every == 0
        event = self.kept.note_epoch(finite_logs(logs or {}), checkpoint=due, learning_rate=rate)
        self.say(f"epoch {self.kept.epoch}: {numbers_words(event['logs'])}")
        self.orders.epoch_has_ended()
        for alarm in of_loss(self.kept.epochs_since_best(), self.kept.best, self.rules):
            self.orders.alarm(alarm)
        if not self.kept.finite:
            self.orders.alarm(Alarm(NOT_FINITE, f"a weight is not a finite number after epoch {self.kept.epoch}"))
        self.kept.make_room(self.keep_bytes)
        low = of_disk(self.folder, self.kept.checkpoints.largest, self.rules)
        if low is not None and not self._disk_is_low:
            self.orders.alarm(low)
        self._disk_is_low = low is not None
        if why := self._why_to_end(self.live.values()):
            self.finished = self.model.stop_training = True
            self.kept.note("end", why=why)
            self.say(f"Ended after epoch {self.kept.epoch}: {why}.")

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Let the folder go when somebody else's ``fit`` ends."""
        if self.minibatches is None:
            if not self.finished:
                self.kept.note("end", why="fit has ended")
            self.close()

    def _why_to_end(self, limits: Mapping[str, Any]) -> str:
        """Return why the training ends here, by its ``epochs`` and ``patience``; empty if it does not."""
        if self.orders.stopping:
            return "it was stopped"
        spent, best = self._spent(limits), self.kept.best
        if "epochs" in spent:
            return f"{count_words(limits['epochs'], 'epoch')} {'was' if limits['epochs'] == 1 else 'were'} asked for"
        if "patience" in spent and best is not None:
            return f"no better epoch than {best['epoch']} for {count_words(spent['patience'], 'epoch')}"
        return ""

    def _spent(self, limits: Mapping[str, Any]) -> dict[str, int]:
        """Return the epochs that have been spent of each limit that is reached."""
        epoch, best = self.kept.epoch, self.kept.best
        spent = {"epochs": epoch, "patience": 0 if best is None else epoch - int(best["epoch"])}
        return {name: number for name, number in spent.items() if limits[name] is not None and number >= limits[name]}

    def _how(self, changes: Mapping[str, Any]) -> str:
        """Return how to go on with changes: by our command, or in the program whose own model this is."""
        if (self.folder / "run.json").exists():
            return start_words(self.folder, changes)
        return f"open(model, {dict(changes)}) of the Babysitter, before it trains"

    def _beat(self, rows: int, loss: float | None = None, *, now: bool = False) -> None:
        self.heartbeat.beat(rows, lambda: self._facts(loss), now=now)

    def _facts(self, loss: float | None) -> dict[str, Any]:
        return {
            "state": "ended" if self.finished else "paused" if self.orders.paused else "training",
            **self.kept.where,
            "rows": None if self.minibatches is None else self.minibatches.rows,
            "loss": loss if loss is not None and math.isfinite(loss) else None,
            "live": self.live.present(self.kept.epoch),
        }
